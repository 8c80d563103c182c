"""
Write and render overrides: courses that one query shows differently from all others (V2-5, V2-7, REFR-19).

The pipeline fetches the record of each course that a filter forces in or allows runs of. Publishing writes overrides
together with the membership, so that readers see both or neither. They are rendered again when the content changes,
since they are merged with its search document. The shared documents and templates are never written here.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import models
from more_itertools import chunked

from enterprise_catalog.apps.catalog.content.course_document import may_be_allowed, nested_runs
from enterprise_catalog.apps.catalog.content.items import Review, build_item
from enterprise_catalog.apps.catalog.content.undated_fields import differs_in_dated_fields
from enterprise_catalog.apps.catalog.models import (
    AllowedRun,
    ContentDocuments,
    ContentMetadata,
    ContentOverride,
    CourseReview,
)
from enterprise_catalog.apps.catalog.rendering.item_template import render_template
from enterprise_catalog.apps.catalog.storage.document_errors import check_row_size, quarantine_reason
from enterprise_catalog.apps.catalog.storage.hidden_runs import HiddenRuns
from enterprise_catalog.apps.core.datetimes import sortable_iso
from enterprise_catalog.apps.core.db.batching import escaped_length
from enterprise_catalog.apps.core.packed_json import digest, pack, pack_bytes, unpack
from enterprise_catalog.apps.discovery.search_documents import content_key_error

log = structlog.get_logger(__name__)

_ROWS_PER_STATEMENT = 1000
# Each takes up to a few MB while it is built.
_OVERRIDES_AT_ONCE = 50


@dataclass(frozen=True)
class WantedOverride:
    """An override that a query should have: packed full record, whether the course is forced in, the allowed runs."""

    content_key: str
    record: bytes
    forced: bool
    allowed_runs: frozenset[str]

    def digest(self) -> str:
        return override_digest(self.record, forced=self.forced, allowed_keys=self.allowed_runs)


def override_digest(record: bytes | memoryview, *, forced: bool, allowed_keys: Collection[str]) -> str:
    """A digest, 32 hex digits, of everything that an override is made of."""
    return digest([unpack(record), forced, sorted(allowed_keys)])


def allowed_run_keys(row: ContentOverride) -> set[str]:
    """The runs of this course that are restricted to enterprises and that the filter allows (V2-1)."""
    restricted = {run["key"] for run in nested_runs(unpack(row.record)) if may_be_allowed(run)}
    return {key for key in restricted & set(row.allowed_keys) if content_key_error(key) is None}


def forced_record(record: dict[str, Any]) -> dict[str, Any]:
    """The record of a forced course: all its runs are published and current, whatever discovery says (REFR-19)."""
    runs = record.get("course_runs")
    if isinstance(runs, list):
        runs = [
            run | {"status": "published", "availability": "Current"} if isinstance(run, dict) else run for run in runs
        ]
    return record | {
        "aggregation_key": f"course:{record.get('key')}",
        "content_type": ContentMetadata.ContentType.COURSE.value,
        "enterprise_force_included": True,
        "course_runs": runs,
        "course_run_statuses": ["published"] * len(runs) if isinstance(runs, list) else [],
    }


class OverrideChanges(NamedTuple):
    """
    The keys of contents whose override was added, changed or deleted; those of them whose date moved (META-21); and the
    contents whose override could not be built and stays as it was, each with the reason (P7).
    """

    touched: set[str]
    modified: set[str]
    unusable: dict[str, str]


def write_overrides(*, query_id: int, wanted: Sequence[WantedOverride], now: datetime) -> OverrideChanges:
    """
    Make the overrides of a query the wanted ones, writing only the difference.

    Call this inside the transaction that publishes, with the query locked.
    """
    overrides = ContentOverride.objects.filter(catalog_query_id=query_id)
    stored = {key: (pk, digest) for key, pk, digest in overrides.values_list("content_id", "pk", "digest")}
    digests = {override.content_key: override.digest() for override in wanted}
    gone = stored.keys() - digests.keys()
    _delete([stored[key][0] for key in gone])
    written: set[str] = set()
    modified: set[str] = set(gone)
    unusable: dict[str, str] = {}
    differing = [
        override
        for override in wanted
        if override.content_key not in stored or stored[override.content_key][1] != digests[override.content_key]
    ]
    for chunk in chunked(differing, _OVERRIDES_AT_ONCE):
        kept = _kept_dates(overrides, chunk)
        rows = [
            ContentOverride(
                catalog_query_id=query_id,
                content_id=override.content_key,
                forced=override.forced,
                allowed_keys=sorted(override.allowed_runs),
                record=override.record,
                digest=digests[override.content_key],
                modified=kept.get(override.content_key, now),
            )
            for override in chunk
        ]
        rows, failed = _render_rows(rows)
        unusable |= {row.content_id: reason for row, reason in failed}
        _delete([stored[row.content_id][0] for row in rows if row.content_id in stored])
        for row in rows:
            row.save(force_insert=True)
        allowed = (run for row in rows for run in _allowed_rows(row))
        AllowedRun.objects.bulk_create(allowed, batch_size=_ROWS_PER_STATEMENT)
        written |= {row.content_id for row in rows}
        modified |= {row.content_id for row in rows} - kept.keys()
    return OverrideChanges(touched=written | gone, modified=modified, unusable=unusable)


def _kept_dates(overrides: models.QuerySet[ContentOverride], wanted: Sequence[WantedOverride]) -> dict[str, datetime]:
    """Return the dates of the overrides from which the wanted ones differ in undated fields only, by content key."""
    by_key = {override.content_key: override for override in wanted}
    kept = {}
    for row in overrides.filter(content_id__in=list(by_key)).only(
        "content_id", "record", "forced", "allowed_keys", "modified"
    ):
        override = by_key[row.content_id]
        same_filter = (row.forced, row.allowed_keys) == (override.forced, sorted(override.allowed_runs))
        if same_filter and not differs_in_dated_fields(unpack(row.record), unpack(override.record)):
            kept[row.content_id] = row.modified
    return kept


def rerender_overrides(content_keys: Collection[str]) -> dict[str, str]:
    """
    Render all overrides of these contents again, in the transaction that wrote the contents. Returns the contents of
    which an override could not be built and stays as it was, each with the reason (P7).
    """
    unusable: dict[str, str] = {}
    ids = ContentOverride.objects.filter(content_id__in=content_keys).order_by("pk").values_list("pk", flat=True)
    for chunk in chunked(ids, _OVERRIDES_AT_ONCE):
        rows, failed = _render_rows(list(ContentOverride.objects.filter(pk__in=chunk).order_by("pk")))
        for row in rows:
            row.save(update_fields=["search_document", "rendered_v1", "rendered_v2", "active_v1", "active_v2"])
        unusable |= {row.content_id: reason for row, reason in failed}
    return unusable


def _delete(ids: Sequence[int]) -> None:
    for chunk in chunked(ids, _ROWS_PER_STATEMENT):
        # Django reads the rows that it deletes; `only` leaves out the documents.
        ContentOverride.objects.filter(pk__in=chunk).only("pk").delete()


def _allowed_rows(row: ContentOverride) -> list[AllowedRun]:
    return [
        AllowedRun(override=row, catalog_query_id=row.catalog_query_id, course_key=row.content_id, run_key=key)
        for key in sorted(allowed_run_keys(row))
    ]


def _render_rows(
    rows: Sequence[ContentOverride],
) -> tuple[list[ContentOverride], list[tuple[ContentOverride, str]]]:
    """The rows that were built, and the others, each with the reason."""
    keys = [row.content_id for row in rows]
    contents = ContentMetadata.objects.in_bulk(keys)
    documents = ContentDocuments.objects.in_bulk(keys)
    reviews = {
        row.course_key: Review(row.reviews_count, row.avg_course_rating)
        for row in CourseReview.objects.filter(pk__in=keys)
    }
    hidden_runs = HiddenRuns(course_keys=keys)
    built: list[ContentOverride] = []
    failed: list[tuple[ContentOverride, str]] = []
    for row in rows:
        try:
            hidden = hidden_runs.of(row.content_id, ContentMetadata.ContentType.COURSE)
            _render(row, contents[row.content_id], documents[row.content_id], reviews, hidden)
        except Exception as error:
            # Documents are the only input here. Whatever is wrong with one, the others are built (P7).
            log.warning("content_unusable", key=row.content_id, query=row.catalog_query_id, exc_info=True)
            failed.append((row, f"as a filter shows it: {quarantine_reason(error)}"))
        else:
            built.append(row)
    return built, failed


def _row_bytes(row: ContentOverride) -> int:
    documents = escaped_length(row.record, row.search_document, row.rendered_v1, row.rendered_v2)
    return documents + escaped_length(row.content_id, json.dumps(row.allowed_keys))


def _render(
    row: ContentOverride,
    content: ContentMetadata,
    documents: ContentDocuments,
    reviews: Mapping[str, Review],
    hidden_runs: frozenset[str],
) -> None:
    record = unpack(row.record)
    search_document = unpack(documents.search_document)
    if row.forced:
        record = search_document = forced_record(record)
        row.search_document = pack(record)

    def built(allowed: frozenset[str] | None) -> tuple[bytes, bool]:
        item = build_item(
            content_key=row.content_id,
            content_type=content.content_type,
            parent_content_key=None,
            search_document=search_document,
            full_record=record,
            review=reviews.get(row.content_id),
            allowed_runs=allowed,
            hidden_runs=hidden_runs,
            unrestricted_record=unpack(documents.full_record) if documents.full_record else None,
        )
        modified = sortable_iso(max(row.modified, content.modified))
        return pack_bytes(render_template(item, content_key=row.content_id, modified=modified)), bool(
            item.get("active")
        )

    shown_on_v1, row.active_v1 = built(None)
    # A course that is forced in without allowed runs looks the same on v1 and v2 (V2-8).
    only_forced = row.forced and not row.allowed_keys
    row.rendered_v2, row.active_v2 = built(None if only_forced else frozenset(row.allowed_keys))
    # v1 shows the default item unless the course is forced in (V2-8).
    row.rendered_v1 = shown_on_v1 if row.forced else None
    check_row_size(_row_bytes(row), "record, items and allowed runs")
