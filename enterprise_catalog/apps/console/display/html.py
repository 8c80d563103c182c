"""Pieces of admin pages: links, tables, documents. Text in, safe HTML out; nothing here reads rows."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING = "-"
_KEYS_SHOWN = 50


def change_url(model: type[Model], pk: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(str(pk))])


def list_url(model: type[Model], **filters: Any) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def where_link(label: str, **asked: str) -> dict[str, str]:
    """A link above a form, to what the page "Where is this content?" says when it is asked so."""
    return {"label": label, "url": f"{reverse('admin:where_is_content')}?{urlencode(asked)}"}


def link(url: str, text: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def object_link(row: Model, text: Any = None) -> SafeString:
    return link(change_url(type(row), row.pk), str(row) if text is None else text)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, note: str = "") -> SafeString:
    """A table, or what `note` says when there are no rows; with rows the note stands below."""
    body = [format_html("<tr>{}</tr>", format_html_join("", "<td>{}</td>", ((cell,) for cell in row))) for row in rows]
    if not body:
        return format_html("{}", note or NOTHING)
    # What has no heading needs no empty one read out.
    head = format_html_join("", "{}", ((format_html("<th>{}</th>" if it else "<td>{}</td>", it),) for it in headings))
    lines = format_html_join("", "{}", ((line,) for line in body))
    below = format_html("<p>{}</p>", note) if note else ""
    whole = format_html('<table class="console-table"><tr>{}</tr>{}</table>', head, lines)
    # It takes the focus, since it is moved by keys where it is wider than the page.
    frame = '<div class="console-scrolling" role="group" aria-label="table" tabindex="0">{}</div>{}'
    return format_html(frame, whole, below)


def document(value: Any) -> SafeString:
    """A JSON value a person can read."""
    return format_html('<pre class="console-document">{}</pre>', pretty(value))


def difference_table(*, added: Sequence[str], removed: Sequence[str]) -> SafeString:
    """How many keys would join and leave, and the first ones of each."""
    rows = [
        (change, len(keys), ", ".join(keys[:_KEYS_SHOWN]) + (" ..." if len(keys) > _KEYS_SHOWN else ""))
        for change, keys in (("would join", added), ("would leave", removed))
    ]
    return table(["", "items", "keys"], rows)


def collapsible(summary: str, content: SafeString) -> SafeString:
    return format_html("<details><summary>{}</summary>{}</details>", summary, content)


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
