"""
Build the item of a content from its search document, its full record and its review (REFR-14..17, META-10..20).

Pure functions over documents. Nothing depends on a catalog or on an earlier item: a key that is gone from both sources
is gone from the item.
"""

from dataclasses import dataclass
from typing import Any

from enterprise_catalog.apps.catalog.content.course_document import (
    _describe_runs,
    _is_open,
    advertised_run,
    hide_restricted_runs,
    hide_restricted_runs_of_courses,
    is_active,
    is_restricted,
    may_be_allowed,
    nested_runs,
)
from enterprise_catalog.apps.catalog.content.normalized_metadata import normalized_metadata
from enterprise_catalog.apps.catalog.models import ContentMetadata

# The full record overrides the search document key by key, except for these keys (REFR-16).
_SEARCH_WINS = {
    ContentMetadata.ContentType.COURSE: (
        "aggregation_key", "content_type", "seat_types", "end_date", "course_ends", "languages",
    ),
    ContentMetadata.ContentType.PROGRAM: ("aggregation_key", "content_type"),
}  # fmt: skip


@dataclass(frozen=True)
class Review:
    """Learners' ratings of a course: the number of reviews and the mean rating."""

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
    allowed_runs: frozenset[str] | None = None,
) -> dict[str, Any]:
    """
    The item without the values of a catalog. `allowed_runs` are the keys of restricted runs to show; None for API
    versions that show none (V2-2).
    """
    item = _overlay(content_type, search_document, full_record)
    # The type in the aggregation key (REFR-12), and the id under the name that clients read: `key`, and `uuid` of
    # programs (META-6).
    item["content_type"] = content_type
    if content_type == ContentMetadata.ContentType.PROGRAM:
        item["uuid"] = item.get("uuid") or content_key
    else:
        item["key"] = item.get("key") or content_key
    _normalise_product_source(item)
    item["parent_content_key"] = parent_content_key
    if content_type == ContentMetadata.ContentType.COURSE:
        if allowed_runs is None:
            hide_restricted_runs(item)
        else:
            _show_allowed_runs(item, allowed_runs)
        item["active"] = is_active(item)
        if full_record is not None:
            _add_normalized_metadata(item)
        _describe_programs(item)
        if review is not None:
            item["reviews_count"] = review.reviews_count
            item["avg_course_rating"] = review.avg_course_rating
    if content_type == ContentMetadata.ContentType.PROGRAM:
        hide_restricted_runs_of_courses(item)
    return item


def _overlay(content_type: str, search_document: dict[str, Any], full_record: dict[str, Any] | None) -> dict[str, Any]:
    if full_record is None or content_type not in _SEARCH_WINS:
        return dict(search_document)
    own = _SEARCH_WINS[ContentMetadata.ContentType(content_type)]
    return search_document | {key: value for key, value in full_record.items() if key not in own}


def _normalise_product_source(item: dict[str, Any]) -> None:
    source = item.get("product_source")
    if isinstance(source, str) and source:
        item["product_source"] = {"name": source, "slug": None, "description": None}


def _show_allowed_runs(item: dict[str, Any], allowed_runs: frozenset[str]) -> None:
    """Keep the unrestricted runs, then the allowed ones, and make the summaries agree with them (V2-5)."""
    runs = item.get("course_runs")
    if not isinstance(runs, list):
        return
    open_to_all = [run for run in runs if not (isinstance(run, dict) and is_restricted(run))]
    allowed = [run for run in nested_runs(item) if may_be_allowed(run) and run["key"] in allowed_runs]
    item["course_runs"] = open_to_all + allowed
    _describe_runs(item)
    item["first_enrollable_paid_seat_price"] = _first_price(item)


def _first_price(item: dict[str, Any]) -> Any:
    advertised = advertised_run(item)
    if advertised and advertised.get("first_enrollable_paid_seat_price"):
        return advertised["first_enrollable_paid_seat_price"]
    open_runs = sorted((run for run in nested_runs(item) if _is_open(run)), key=lambda run: run["key"].lower())
    prices = (run["first_enrollable_paid_seat_price"] for run in open_runs if "first_enrollable_paid_seat_price" in run)
    return next(prices, None)


def _describe_programs(item: dict[str, Any]) -> None:
    """Give the programs of a course the fields by which clients recognise a program (META-36)."""
    programs = item.get("programs")
    if isinstance(programs, list):
        item["programs"] = [_described_program(program) for program in programs]


def _described_program(program: Any) -> Any:
    uuid = program.get("uuid") if isinstance(program, dict) else None
    if not isinstance(uuid, str) or not uuid:
        return program
    content_type = ContentMetadata.ContentType.PROGRAM.value
    return program | {"content_type": content_type, "aggregation_key": f"{content_type}:{uuid}"}


def _add_normalized_metadata(item: dict[str, Any]) -> None:
    item["normalized_metadata"] = normalized_metadata(course=item, run=advertised_run(item))
    item["normalized_metadata_by_run"] = {
        run["key"]: normalized_metadata(course=item, run=run) for run in nested_runs(item)
    }
