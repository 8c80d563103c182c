"""Build pieces of admin pages: links, tables, JSON documents. Text in, safe HTML out; no rows are read."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "-"
_KEYS_SHOWN = 50


def page_url(model: type[Model], name: str, *arguments: Any) -> str:
    """Return the URL of the page of this name in the admin of a model."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)


def change_url(model: type[Model], pk: Any) -> str:
    return page_url(model, "change", quote(str(pk)))


def list_url(model: type[Model], **filters: Any) -> str:
    url = page_url(model, "changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def where_link(label: str, **fields: str) -> dict[str, str]:
    """Return label and URL of a link to the page "Where is this content?", filled in with these fields."""
    return {"label": label, "url": f"{reverse('admin:where_is_content')}?{urlencode(fields)}"}


def link(url: str, text: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def object_link(row: Model, text: Any = None) -> SafeString:
    return link(change_url(type(row), row.pk), str(row) if text is None else text)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, note: str = "") -> SafeString:
    """Return a table with the note below, or only the note if there are no rows."""
    return render_to_string("console/table.html", {"headings": headings, "rows": list(rows), "note": note})


def document(value: Any) -> SafeString:
    """Show a JSON value with indentation."""
    return format_html('<pre class="console-document">{}</pre>', pretty(value))


def difference_table(*, added: Sequence[str], removed: Sequence[str]) -> SafeString:
    """Show how many keys would join and leave, and the first keys of each."""
    rows = [
        (change, len(keys), ", ".join(keys[:_KEYS_SHOWN]) + (" ..." if len(keys) > _KEYS_SHOWN else ""))
        for change, keys in (("would join", added), ("would leave", removed))
    ]
    return table(["", "items", "keys"], rows)


def collapsible(summary: str, content: SafeString) -> SafeString:
    return format_html("<details><summary>{}</summary>{}</details>", summary, content)


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
