"""
The item: what the service says about a content, built from what discovery said (REFR-14..17, META-10..20).

Pure functions over documents: search document and full record in, item out. Nothing here depends on a catalog, and
nothing here may remember an earlier item: a key that is gone from both sources is gone from the item.
"""

from dataclasses import dataclass
from typing import Any

from enterprise_catalog.apps.catalog.models import ContentMetadata, Standing
from enterprise_catalog.apps.catalog.normalized import dicts, normalized_metadata
from enterprise_catalog.apps.catalog.variants import nested_runs

ContentType = ContentMetadata.ContentType

# The full record wins key by key, except where the search document says it better (REFR-16).
_SEARCH_WINS = {
    ContentType.COURSE: (
        "aggregation_key", "content_type", "seat_types", "end_date", "course_ends", "languages",
    ),
    ContentType.PROGRAM: ("aggregation_key", "content_type"),
}  # fmt: skip


@dataclass(frozen=True)
class Review:
    """What learners think of a course: number of reviews, mean rating."""

    reviews_count: int
    avg_course_rating: float


def build_item(
    *,
    content_key: str,
    content_type: str,
    parent_content_key: str | None,
    search_document: dict[str, Any],
    full_record: dict[str, Any] | None,
    review: Review | None = None,
) -> dict[str, Any]:
    """The item without anything that depends on a catalog."""
    item = _overlay(content_type, search_document, full_record)
    _normalise_product_source(item)
    item["parent_content_key"] = parent_content_key
    if content_type == ContentType.COURSE:
        _hide_restricted_runs(item)
        item["active"] = is_active(item)
        if full_record is not None:
            _add_normalized_metadata(item)
        if review is not None:
            item["reviews_count"] = review.reviews_count
            item["avg_course_rating"] = review.avg_course_rating
    elif content_type == ContentType.PATHWAY:
        # Today's client reads `key` of everything but programs (META-6).
        item["key"] = content_key
    return item


def is_restricted(run: dict[str, Any]) -> bool:
    """True for a run that only some may see; v1 shows it to nobody (V2-2)."""
    return run.get("restriction_type") is not None


def is_active(course: dict[str, Any]) -> bool:
    """META-20: somebody can enrol in it now, and it is meant to be found."""
    return any(_is_open(run) for run in nested_runs(course) if not is_restricted(run))


def advertised_run(course: dict[str, Any]) -> dict[str, Any] | None:
    """The nested run whose uuid the course advertises; none if that is null or matches nothing."""
    advertised = course.get("advertised_course_run_uuid")
    if not advertised:
        return None
    return next((run for run in nested_runs(course) if run.get("uuid") == advertised), None)


def standing_v1(*, content_type: str, active: bool, restricted: bool) -> Standing:
    """What v1 does with a member: inactive courses are listed only when asked for by key (META-4, META-5)."""
    if restricted:
        return Standing.HIDDEN
    if content_type == ContentType.COURSE and not active:
        return Standing.CONTAINED
    return Standing.LISTED


def _overlay(content_type: str, search_document: dict[str, Any], full_record: dict[str, Any] | None) -> dict[str, Any]:
    if full_record is None or content_type not in _SEARCH_WINS:
        return dict(search_document)
    kept = {key: search_document[key] for key in _SEARCH_WINS[ContentType(content_type)] if key in search_document}
    return search_document | full_record | kept


def _normalise_product_source(item: dict[str, Any]) -> None:
    source = item.get("product_source")
    if isinstance(source, str) and source:
        item["product_source"] = {"name": source, "slug": None, "description": None}


def _hide_restricted_runs(item: dict[str, Any]) -> None:
    runs = item.get("course_runs")
    if not isinstance(runs, list):
        return
    visible = [run for run in runs if not (isinstance(run, dict) and is_restricted(run))]
    if len(visible) == len(runs):
        return
    item["course_runs"] = visible
    # What the course says about its runs must not give away the hidden ones (V2-6).
    item["course_run_keys"] = [run["key"] for run in nested_runs(item)]
    item["course_run_statuses"] = sorted(
        {run["status"] for run in dicts(visible) if isinstance(run.get("status"), str)}
    )


def _add_normalized_metadata(item: dict[str, Any]) -> None:
    item["normalized_metadata"] = normalized_metadata(course=item, run=advertised_run(item))
    item["normalized_metadata_by_run"] = {
        run["key"]: normalized_metadata(course=item, run=run) for run in nested_runs(item)
    }


def _is_open(run: dict[str, Any]) -> bool:
    if run.get("is_enrollable") is not True:
        return False
    published = str(run.get("status") or "").lower() == "published"
    return (published and run.get("is_marketable") is True) or run.get("is_marketable_external") is True
