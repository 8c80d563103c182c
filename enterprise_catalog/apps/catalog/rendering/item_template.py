"""
Render an item as an item template: bytes with gaps for the values of a catalog, written when content is stored.

A template is a list of segments joined by NUL, which JSON text never contains:

    header NUL {"static": ..., "course_runs": [{"key": ... NUL }, {"key": ... NUL }]

The header is a small JSON object with the data that fills the gaps. A gap between two segments, inside a nested run,
takes the catalog's fields of that run. After the last segment come the catalog's fields of the item and the closing
brace. So reading (`catalog.rendering.template_filler`) joins bytes and parses no document. Increase RENDERING_VERSION
with any change here or in `items`, so that the next refresh renders stored items again.
"""

from typing import Any, TypedDict

import orjson

from enterprise_catalog.apps.catalog.content.course_document import advertised_run, is_exec_ed
from enterprise_catalog.apps.catalog.content.normalized_metadata import exec_ed_sku
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.catalog.rendering import enrollment_urls

RENDERING_VERSION = 8
GAP = b"\x00"

# `catalog.rendering.template_filler` writes these fields, so they may not come from a document as well.
_FILLED_FIELDS = ("content_last_modified", "marketing_url", "enrollment_url", "xapi_activity_id")
_FILLED_RUN_FIELDS = ("parent_content_key", "enrollment_url")


class TemplateHeader(TypedDict):
    """The data that fills the gaps of a template. Names are short, since every template contains them."""

    type: str
    key: str
    parent: str | None
    modified: str
    marketing_url: str | None
    advertised: str | None
    exec_ed: bool
    sku: str | None
    runs: list[str]


def render_template(item: dict[str, Any], *, content_key: str, modified: str) -> bytes:
    """
    Render an item that `items.build_item` made; `modified` is in sortable form (`core.datetimes`). Raises
    `orjson.JSONEncodeError` for text that is not Unicode (lone surrogates).
    """
    content_type = item["content_type"]
    marketing_url = enrollment_urls.parsable_url(item.get("marketing_url"))
    static = {field: value for field, value in item.items() if field not in _FILLED_FIELDS}
    if marketing_url is None and "marketing_url" in item:
        static["marketing_url"] = item["marketing_url"]
    # Null, or anything else that is not a list, is served unchanged.
    runs = static.pop("course_runs") if isinstance(static.get("course_runs"), list) else None
    exec_ed = content_type == ContentMetadata.ContentType.COURSE and is_exec_ed(item)
    advertised = advertised_run(item) if content_type == ContentMetadata.ContentType.COURSE else None
    # Executive education is bought per course, so its runs have no enrollment URLs (META-16).
    filled_runs = content_type == ContentMetadata.ContentType.COURSE and not exec_ed
    segments, run_keys = _render_runs(static, runs, filled_runs)
    header: TemplateHeader = {
        "type": content_type,
        "key": content_key,
        "parent": item.get("parent_content_key"),
        "modified": modified,
        "marketing_url": marketing_url,
        "advertised": advertised["key"] if advertised else None,
        "exec_ed": exec_ed,
        "sku": exec_ed_sku(item) if exec_ed else None,
        "runs": run_keys,
    }
    return GAP.join([orjson.dumps(header), *segments])


def _render_runs(static: dict[str, Any], runs: list[Any] | None, filled: bool) -> tuple[list[bytes], list[str]]:
    open_item = orjson.dumps(static)[:-1]
    if runs is None:
        return [open_item], []
    segments: list[bytes] = []
    keys: list[str] = []
    text = open_item + b',"course_runs":['
    for position, run in enumerate(runs):
        if position:
            text += b","
        if filled and isinstance(run, dict) and isinstance(run.get("key"), str):
            own = {field: value for field, value in run.items() if field not in _FILLED_RUN_FIELDS}
            segments.append(text + orjson.dumps(own)[:-1])
            keys.append(run["key"])
            text = b"}"
        else:
            text += orjson.dumps(run)
    segments.append(text + b"]")
    return segments, keys
