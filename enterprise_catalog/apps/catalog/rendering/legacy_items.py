"""
Make items of the legacy API from search documents: add the catalog's URLs, drop restricted runs, recompute `active` and
`end_date` (LEG-5, LEG-7, LEG-8, LEG-14).

Pure functions over documents, called at read: whether a course is active depends on the time of the request, so nothing
can be rendered when it is stored.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson

from enterprise_catalog.apps.catalog.content.course_document import nested_runs
from enterprise_catalog.apps.catalog.content.restricted_runs import (
    may_have_restricted_runs,
    without_restricted_runs,
)
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.catalog.rendering import enrollment_urls
from enterprise_catalog.apps.catalog.rendering.enrollment_urls import UrlContext
from enterprise_catalog.apps.core.datetimes import parse_datetime

# A tuple, since the value in a document may be unhashable (DISC-17).
_AVAILABLE = ("Current", "Starting Soon", "Upcoming")
# A run that ends within this time is not worth enrolling in (LEG-14).
_ENDS_SOON = timedelta(days=1)


def legacy_item_filler(context: UrlContext, *, now: datetime) -> Callable[[bytes], bytes]:
    """A function from a stored search document, as JSON, to the item's JSON for a catalog."""

    def fill(document: bytes) -> bytes:
        parsed = orjson.loads(document)
        if may_have_restricted_runs(document):
            parsed = without_restricted_runs(parsed)
        return orjson.dumps(legacy_item(parsed, context, now=now))

    return fill


def legacy_item(document: dict[str, Any], context: UrlContext, *, now: datetime) -> dict[str, Any]:
    """Turn a search document without restricted runs into the item of a catalog (LEG-7). Changes the document."""
    content_type = document["aggregation_key"].partition(":")[0]
    document.pop("content_last_modified", None)
    if url := enrollment_urls.parsable_url(document.get("marketing_url")):
        document["marketing_url"] = enrollment_urls.with_utm(context, url)
    if content_type == ContentMetadata.ContentType.PROGRAM:
        document["enrollment_url"] = enrollment_urls.lms_program_url(context, document.get("uuid") or document["key"])
    else:
        document["enrollment_url"] = enrollment_urls.lms_course_url(context, document.get("key") or document["uuid"])
    if content_type == ContentMetadata.ContentType.COURSE:
        document["active"] = any(_is_open(run, now) for run in nested_runs(document))
        document["end_date"] = _latest_end(document)
    return document


def with_enrollment(record: dict[str, Any], context: UrlContext) -> dict[str, Any]:
    """A course or run, also one inside a program, with enrollment URLs (LEG-15, LEG-16)."""
    filled = record | {"enrollment_url": enrollment_urls.lms_course_url(context, record["key"])}
    if isinstance(record.get("course_runs"), list):
        filled["course_runs"] = _each_with_enrollment(record["course_runs"], context)
    return filled


def program_with_enrollment(record: dict[str, Any], context: UrlContext) -> dict[str, Any]:
    """A program with enrollment URLs, also of its courses and runs (LEG-16)."""
    filled = record | {"enrollment_url": enrollment_urls.lms_program_url(context, record["uuid"])}
    if isinstance(record.get("courses"), list):
        filled["courses"] = _each_with_enrollment(record["courses"], context)
    return filled


def _each_with_enrollment(entries: list[Any], context: UrlContext) -> list[Any]:
    """Add enrollment URLs to each entry. Entries without a key stay unchanged (DISC-17)."""
    has_key = [isinstance(entry, dict) and isinstance(entry.get("key"), str) for entry in entries]
    return [with_enrollment(entry, context) if key else entry for entry, key in zip(entries, has_key, strict=True)]


def _is_open(run: dict[str, Any], now: datetime) -> bool:
    """True if learners can enrol in the run now (LEG-14). An unreadable date sets no limit."""
    if run.get("status") != "published" or run.get("availability") not in _AVAILABLE:
        return False
    end, opens, closes = (parse_datetime(run.get(name)) for name in ("end", "enrollment_start", "enrollment_end"))
    return (
        (end is None or end > now + _ENDS_SOON) and (opens is None or opens < now) and (closes is None or closes > now)
    )


def _latest_end(course: dict[str, Any]) -> str | None:
    ends = [(end, run["end"]) for run in nested_runs(course) if (end := parse_datetime(run.get("end")))]
    return max(ends)[1] if ends else None
