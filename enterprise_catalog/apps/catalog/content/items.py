"""
Build the item of a content from its search document, its full record and its review (REFR-14..17, META-10..20).

Pure functions over documents. Nothing depends on a catalog or on an earlier item: a key that is gone from both sources
is gone from the item.
"""

from dataclasses import dataclass
from typing import Any

from enterprise_catalog.apps.catalog.content.course_document import (
    advertised_run,
    describe_runs,
    is_active,
    is_open,
    is_restricted,
    may_be_allowed,
    nested_runs,
)
from enterprise_catalog.apps.catalog.content.normalized_metadata import content_price, normalized_metadata
from enterprise_catalog.apps.catalog.content.restricted_runs import names_of, restricted_names, without_restricted_runs
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
    hidden_runs: frozenset[str] = frozenset(),
    unrestricted_record: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """
    The item without the values of a catalog. `allowed_runs` are the keys of restricted runs to show; None for API
    versions that show none (V2-2). `hidden_runs` are the keys of runs that other documents call restricted. If
    `full_record` was fetched with restricted runs, `unrestricted_record` is the one without (V2-5).
    """
    overlaid = _overlay(content_type, search_document, full_record)
    # A filter can name any run. It allows those that the course has, and whose restriction it can lift (V2-1).
    allowed = (allowed_runs or frozenset()) & {run["key"] for run in nested_runs(overlaid) if may_be_allowed(run)}
    names = _hidden_names(search_document, full_record, allowed) | (hidden_runs - allowed)
    item = dict(without_restricted_runs(overlaid, allowed=allowed, names=names))
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
        if unrestricted_record is not None:
            _advertise_shown_run(item, unrestricted_record, names)
        if allowed_runs is not None:
            _describe_shown_runs(item)
        item["active"] = is_active(item)
        if full_record is not None:
            _add_normalized_metadata(item, overlaid)
        _describe_programs(item)
        if review is not None:
            item["reviews_count"] = review.reviews_count
            item["avg_course_rating"] = review.avg_course_rating
    return item


def _hidden_names(
    search_document: dict[str, Any], full_record: dict[str, Any] | None, allowed: frozenset[str]
) -> frozenset[str]:
    """
    The keys and uuids of restricted runs in either document. The full record is newer: runs that it shows to everybody
    are not restricted, whatever the search document says (REFR-16).
    """
    in_search = restricted_names(search_document, allowed=allowed)
    if full_record is None:
        return in_search
    open_runs = (run for run in nested_runs(full_record) if not is_restricted(run))
    return in_search.difference(*map(names_of, open_runs)) | restricted_names(full_record, allowed=allowed)


def _overlay(content_type: str, search_document: dict[str, Any], full_record: dict[str, Any] | None) -> dict[str, Any]:
    if full_record is None or content_type not in _SEARCH_WINS:
        return dict(search_document)
    own = _SEARCH_WINS[ContentMetadata.ContentType(content_type)]
    return search_document | {key: value for key, value in full_record.items() if key not in own}


def _normalise_product_source(item: dict[str, Any]) -> None:
    source = item.get("product_source")
    if isinstance(source, str) and source:
        item["product_source"] = {"name": source, "slug": None, "description": None}


def _advertise_shown_run(item: dict[str, Any], unrestricted_record: dict[str, Any], hidden: frozenset[str]) -> None:
    """Advertise the run that the item's own record advertises if it is shown, else that of the other one (V2-5)."""
    if advertised_run(item) is None and "advertised_course_run_uuid" in unrestricted_record:
        uuid = unrestricted_record["advertised_course_run_uuid"]
        item["advertised_course_run_uuid"] = uuid if isinstance(uuid, str) and uuid not in hidden else None


def _describe_shown_runs(item: dict[str, Any]) -> None:
    """Put the allowed runs behind the unrestricted ones, and make the summaries agree with them (V2-5)."""
    runs = item.get("course_runs")
    if not isinstance(runs, list):
        return
    allowed = [run for run in nested_runs(item) if is_restricted(run)]
    item["course_runs"] = [run for run in runs if not (isinstance(run, dict) and is_restricted(run))] + allowed
    describe_runs(item)
    item["first_enrollable_paid_seat_price"] = _first_price(item)


def _first_price(item: dict[str, Any]) -> Any:
    advertised = advertised_run(item)
    if advertised and advertised.get("first_enrollable_paid_seat_price"):
        return advertised["first_enrollable_paid_seat_price"]
    open_runs = sorted((run for run in nested_runs(item) if is_open(run)), key=lambda run: run["key"].lower())
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


def _add_normalized_metadata(item: dict[str, Any], recorded: dict[str, Any]) -> None:
    """`recorded` is the item before anything was hidden in it, from which prices are read."""
    prices: dict[str | None, float | None] = {None: content_price(course=recorded, run=None)}
    prices |= {run["key"]: content_price(course=recorded, run=run) for run in nested_runs(recorded)}

    def normalized(run: dict[str, Any] | None) -> dict[str, Any]:
        return normalized_metadata(course=item, run=run, price=prices[run["key"] if run else None])

    item["normalized_metadata"] = normalized(advertised_run(item))
    item["normalized_metadata_by_run"] = {run["key"]: normalized(run) for run in nested_runs(item)}
