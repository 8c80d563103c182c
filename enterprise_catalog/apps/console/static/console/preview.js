/* The page of a preview while it is waited for: asks how far it is, and shows the result when there is one. */
"use strict";

(function () {
  const box = document.querySelector(".console-progress");
  const bar = box.querySelector("progress");
  const says = box.querySelector("[role=status]");

  async function look() {
    try {
      const response = await fetch(box.dataset.stateUrl, { headers: { Accept: "application/json" } });
      // The page itself says what became of the preview, or of who looks at it.
      const isGone = response.redirected || response.status === 403 || response.status === 404;
      const preview = isGone ? { ended: true } : await response.json();
      if (preview.ended) {
        window.location.reload();
        return;
      }
      if (preview.expected) {
        bar.max = preview.expected;
        bar.value = preview.done;
      }
      if (says.textContent !== preview.text) {
        says.textContent = preview.text;
      }
    } catch (error) {
      says.textContent = "The service does not answer. Trying again ...";
    }
    window.setTimeout(look, 1000);
  }

  window.setTimeout(look, 1000);
})();
