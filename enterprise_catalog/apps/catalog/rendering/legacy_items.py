"""
The item as the legacy surface shows it: the search document itself, dressed for one catalog (LEG-5, LEG-7, LEG-8,
LEG-14).

Pure functions over documents, at reading: what a course says of being active depends on the moment it is asked, so
there is nothing to render when it is stored.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson

from enterprise_catalog.apps.catalog.content.course_document import hide_restricted_runs, nested_runs
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.catalog.rendering import enrollment_urls
from enterprise_catalog.apps.catalog.rendering.enrollment_urls import UrlContext
from enterprise_catalog.apps.core.datetimes import parse_datetime

# No set: what a document says may be anything, also what cannot be looked up in one (DISC-17).
_AVAILABLE = ("Current", "Starting Soon", "Upcoming")
# A run that ends within this time is not worth enrolling in (LEG-14).
_ENDS_SOON = timedelta(days=1)


def legacy_item_filler(context: UrlContext, *, now: datetime) -> Callable[[bytes], bytes]:
    """A function from a stored search document, as JSON, to the item's JSON for a catalog."""

    def link(document: bytes) -> bytes:
        return orjson.dumps(legacy_item(orjson.loads(document), context, now=now))

    return link


def legacy_item(document: dict[str, Any], context: UrlContext, *, now: datetime) -> dict[str, Any]:
    """LEG-7. The document is the caller's to lose."""
    content_type = document["aggregation_key"].partition(":")[0]
    document.pop("content_last_modified", None)
    if url := enrollment_urls.parsable_url(document.get("marketing_url")):
        document["marketing_url"] = enrollment_urls.with_utm(context, url)
    if content_type == ContentMetadata.ContentType.PROGRAM:
        document["enrollment_url"] = enrollment_urls.lms_program_url(context, document.get("uuid") or document["key"])
    else:
        document["enrollment_url"] = enrollment_urls.lms_course_url(context, document.get("key") or document["uuid"])
    if content_type == ContentMetadata.ContentType.COURSE:
        hide_restricted_runs(document)
        document["active"] = any(_is_open(run, now) for run in nested_runs(document))
        document["end_date"] = _latest_end(document)
    return document


def with_enrollment(record: dict[str, Any], context: UrlContext) -> dict[str, Any]:
    """A course or run, also one inside a program, that leads to its enrollment (LEG-15, LEG-16)."""
    linked = record | {"enrollment_url": enrollment_urls.lms_course_url(context, record["key"])}
    if isinstance(record.get("course_runs"), list):
        linked["course_runs"] = _each_with_enrollment(record["course_runs"], context)
    return linked


def program_with_enrollment(record: dict[str, Any], context: UrlContext) -> dict[str, Any]:
    """A program whose courses and runs lead to their enrollment, too (LEG-16)."""
    linked = record | {"enrollment_url": enrollment_urls.lms_program_url(context, record["uuid"])}
    if isinstance(record.get("courses"), list):
        linked["courses"] = _each_with_enrollment(record["courses"], context)
    return linked


def _each_with_enrollment(entries: list[Any], context: UrlContext) -> list[Any]:
    """Odd entries, without a key, stay as they are (DISC-17)."""
    has_key = [isinstance(entry, dict) and isinstance(entry.get("key"), str) for entry in entries]
    return [with_enrollment(entry, context) if key else entry for entry, key in zip(entries, has_key, strict=True)]


def _is_open(run: dict[str, Any], now: datetime) -> bool:
    """LEG-14; a date that is none sets no limit."""
    if run.get("status") != "published" or run.get("availability") not in _AVAILABLE:
        return False
    end, opens, closes = (parse_datetime(run.get(name)) for name in ("end", "enrollment_start", "enrollment_end"))
    return (
        (end is None or end > now + _ENDS_SOON) and (opens is None or opens < now) and (closes is None or closes > now)
    )


def _latest_end(course: dict[str, Any]) -> str | None:
    ends = [(moment, run["end"]) for run in nested_runs(course) if (moment := parse_datetime(run.get("end")))]
    return max(ends)[1] if ends else None
