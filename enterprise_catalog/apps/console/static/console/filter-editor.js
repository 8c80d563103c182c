/*
 * Beside the box of a content filter: where it is no JSON, what discovery would ignore, and a button that tidies it up.
 * The server judges, by what it does when the filter is saved; nothing is saved here. No key is taken from the keyboard.
 */
"use strict";

document.addEventListener("DOMContentLoaded", function () {
  const PAUSE = 400; // milliseconds without a keystroke before the server is asked

  function watch(box) {
    const editor = box.closest(".console-filter");
    const status = editor.querySelector(".console-filter-status");
    const tidy = editor.querySelector(".console-tidy");
    const token = box.form.querySelector("[name=csrfmiddlewaretoken]").value;
    let timer = 0;
    let asked = null;

    function say(kind, texts) {
      const lines = texts.map(function (text) {
        const line = document.createElement("p");
        line.className = "console-" + kind;
        line.textContent = text;
        return line;
      });
      status.replaceChildren(...lines);
    }

    /* What the server says of this text; null when it says nothing, or when something newer was asked meanwhile. */
    async function judged(text) {
      asked?.abort();
      const mine = (asked = new AbortController());
      try {
        const response = await fetch(box.dataset.checkUrl, {
          method: "POST",
          headers: { "X-CSRFToken": token },
          body: new URLSearchParams({ content_filter: text }),
          signal: mine.signal,
        });
        return response.ok ? await response.json() : null;
      } catch (error) {
        return null;
      } finally {
        if (asked === mine) {
          asked = null;
        }
      }
    }

    async function check() {
      window.clearTimeout(timer);
      const text = box.value;
      const verdict = await judged(text);
      if (text !== box.value) {
        return null;
      }
      box.setAttribute("aria-invalid", String(Boolean(verdict?.errors.length)));
      tidy.disabled = !verdict?.tidy;
      if (!verdict) {
        say("warning", ["This was not checked: the service does not answer, or your session is over."]);
      } else if (verdict.errors.length) {
        say("error", verdict.errors);
      } else {
        say("warning", verdict.warnings);
      }
      return verdict;
    }

    box.addEventListener("input", function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(check, PAUSE);
    });
    tidy.addEventListener("click", async function () {
      const verdict = await check();
      if (verdict?.tidy) {
        box.value = verdict.tidy;
      }
      box.focus();
    });
    tidy.hidden = false;
    if (box.value.trim()) {
      check();
    }
  }

  document.querySelectorAll("textarea[data-check-url]").forEach(watch);
});
