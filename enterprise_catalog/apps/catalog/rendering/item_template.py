"""
Render at write: an item becomes bytes once, when content is stored, with gaps for what depends on the catalog.

A rendered item is a list of segments joined by NUL, which JSON text never contains:

    facts NUL {"static": ..., "course_runs": [{"key": ... NUL }, {"key": ... NUL }]

The first segment is a small JSON object of facts from which links are made. Between two of the others, inside a
nested run, goes what the catalog says about that run; after the last one go the item's own catalog-dependent fields
and the closing brace. Reading (`catalog.rendering.template_filler`) is then joining bytes: no document is parsed to be
served. Change
RENDERING_VERSION with anything here or in `items`, so that stored items are rendered anew by the next refresh.
"""

from typing import Any, TypedDict

import orjson

from enterprise_catalog.apps.catalog.content.course_document import advertised_run, is_exec_ed
from enterprise_catalog.apps.catalog.content.normalized_metadata import exec_ed_sku
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.catalog.rendering import enrollment_urls

RENDERING_VERSION = 6
GAP = b"\x00"

# Written by `catalog.rendering.template_filler`, so they may not come from a document as well.
_LINKED_FIELDS = ("content_last_modified", "marketing_url", "enrollment_url", "xapi_activity_id")
_LINKED_RUN_FIELDS = ("parent_content_key", "enrollment_url")


class TemplateHeader(TypedDict):
    """What linking needs to know of an item; short names, since it stands in every rendered item."""

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
    Serialise an item from `items.build_item`; `modified` is a sortable moment (`core.datetimes`). Raises
    `orjson.JSONEncodeError` for text that is no Unicode (lone surrogates).
    """
    content_type = item["content_type"]
    marketing_url = enrollment_urls.parsable_url(item.get("marketing_url"))
    static = {field: value for field, value in item.items() if field not in _LINKED_FIELDS}
    if marketing_url is None and "marketing_url" in item:
        static["marketing_url"] = item["marketing_url"]
    # Null, or what is no list, is served as it is.
    runs = static.pop("course_runs") if isinstance(static.get("course_runs"), list) else None
    exec_ed = content_type == ContentMetadata.ContentType.COURSE and is_exec_ed(item)
    advertised = advertised_run(item) if content_type == ContentMetadata.ContentType.COURSE else None
    # Executive education is bought per course: its runs carry no links (META-16).
    linked_runs = content_type == ContentMetadata.ContentType.COURSE and not exec_ed
    segments, run_keys = _render_runs(static, runs, linked_runs)
    facts: TemplateHeader = {
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
    return GAP.join([orjson.dumps(facts), *segments])


def _render_runs(static: dict[str, Any], runs: list[Any] | None, linked: bool) -> tuple[list[bytes], list[str]]:
    open_item = orjson.dumps(static)[:-1]
    if runs is None:
        return [open_item], []
    segments: list[bytes] = []
    keys: list[str] = []
    text = open_item + b',"course_runs":['
    for position, run in enumerate(runs):
        if position:
            text += b","
        if linked and isinstance(run, dict) and isinstance(run.get("key"), str):
            own = {field: value for field, value in run.items() if field not in _LINKED_RUN_FIELDS}
            segments.append(text + orjson.dumps(own)[:-1])
            keys.append(run["key"])
            text = b"}"
        else:
            text += orjson.dumps(run)
    segments.append(text + b"]")
    return segments, keys
