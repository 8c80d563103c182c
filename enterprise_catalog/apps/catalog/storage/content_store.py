"""
Write contents with their documents. Nothing else writes them.

    1. Compare with what is stored, outside any transaction. Equal digests cost nothing more.
    2. In batches of bounded size, in key order, each in a transaction of its own:
       a. let the caller check its lease (`assert_lease`), which also locks the lease until the end of the transaction
       b. lock the contents and compare again
       c. build and render the items that differ, write them and their nested runs
       d. update every query with these contents (`catalog.storage.propagation`), since its pages and ETags change, too

Membership is not decided here but by publishing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.db.models.functions import Coalesce, Length
from more_itertools import chunked, constrained_batches

from enterprise_catalog.apps.catalog.content.course_document import runs_of
from enterprise_catalog.apps.catalog.content.items import Review, build_item
from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent
from enterprise_catalog.apps.catalog.models import (
    ContentDocuments,
    ContentMetadata,
    CourseReview,
)
from enterprise_catalog.apps.catalog.rendering import item_template
from enterprise_catalog.apps.catalog.rendering.item_template import render_template
from enterprise_catalog.apps.catalog.storage.comparison import differs, record_changed, search_to_store, stored_states
from enterprise_catalog.apps.catalog.storage.document_errors import check_row_size, quarantine_reason
from enterprise_catalog.apps.catalog.storage.hidden_runs import (
    REPEATING_TYPES,
    HiddenRuns,
    contents_naming,
    repeating_documents,
    restrictions_of,
    unpacked,
)
from enterprise_catalog.apps.catalog.storage.nested_runs import write_nested_runs
from enterprise_catalog.apps.catalog.storage.propagation import propagate_changes
from enterprise_catalog.apps.catalog.storage.visibility import is_listed_on_legacy
from enterprise_catalog.apps.core.datetimes import sortable_iso
from enterprise_catalog.apps.core.db.batching import (
    batches_for_statements,
    escaped_length,
    upsert,
)
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.packed_json import digest, digest_bytes, pack_bytes, unpack

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Per transaction, so that it stays short.
_BATCH_BYTES = 1024 * 1024
_BATCH_ROWS = 200
_KEYS_PER_STATEMENT = 1000
# Bytes that a row of documents takes in a statement beside the documents: its key, quotes and commas.
_ROW_BYTES = 2048

_CONTENT_FIELDS = (
    "content_uuid", "content_type", "parent_content_key", "active", "restricted", "listed_on_legacy", "search_digest",
    "variant_rank", "variant_digest", "record_digest", "rendered_digest", "rendering_version", "modified",
)  # fmt: skip


@dataclass
class StoreReport:
    """
    The number of contents that really changed or are new, and the contents that could not be built, each with its
    reason. The latter keep what was stored of them (P7).
    """

    changed: int = 0
    unusable: dict[str, str] = field(default_factory=dict)


@dataclass
class _Batch:
    """What one transaction is going to write."""

    now: datetime
    unusable: dict[str, str] = field(default_factory=dict)
    rows: list[ContentMetadata] = field(default_factory=list)
    documents: list[ContentDocuments] = field(default_factory=list)
    runs: dict[str, dict[str, bool]] = field(default_factory=dict)
    changed: list[ContentMetadata] = field(default_factory=list)


def store_contents(
    *, contents: Sequence[PreparedContent], records: Mapping[str, bytes], assert_lease: Callable[[], None]
) -> StoreReport:
    """
    Store the contents that differ from what is stored.

    `records` are packed full records by content key; a content without one keeps its record (DISC-18). `assert_lease`
    is called first in each transaction and raises to stop it.
    """
    record_digests: dict[str, str] = {}
    runs_of_records: dict[str, dict[str, bool]] = {}
    for key, packed in records.items():
        record = unpack(packed)
        record_digests[key], runs_of_records[key] = digest(record), runs_of(record)
    stored = stored_states([content.content_key for content in contents])
    differing = [
        content
        for content in sorted(contents, key=lambda content: content.content_key)
        if differs(content, stored.get(content.content_key), record_digests)
    ]
    restricted, changed = restrictions_of(differing, runs_of_records)
    if changed:
        _mark_for_rendering(contents_naming(changed), assert_lease=assert_lease)
    report = StoreReport()
    sizes = _sizes({content.content_key: len(content.search_document) for content in differing}, records)
    for contents_of_batch in _batches(differing, lambda content: sizes[content.content_key]):
        batch = _store_batch(
            contents_of_batch,
            records=records,
            record_digests=record_digests,
            restricted=restricted,
            assert_lease=assert_lease,
        )
        report.changed += len(batch.changed)
        report.unusable |= batch.unusable
    if changed:
        rerender_contents(contents_naming(changed))
    return report


@retry_lost_locks
@transaction.atomic
def _mark_for_rendering(content_keys: Sequence[str], *, assert_lease: Callable[[], None]) -> None:
    """Let the next refresh render these contents again, in case this worker dies before it has."""
    assert_lease()
    for keys in chunked(content_keys, _KEYS_PER_STATEMENT):
        ContentMetadata.objects.filter(pk__in=keys).update(rendering_version=0)


def rerender_contents(content_keys: Sequence[str]) -> None:
    """
    Render stored contents again, since something other than their documents changed (reviews). Nothing counts as
    modified (META-19).
    """
    sizes = _sizes(dict.fromkeys(sorted(content_keys), 0), {})
    for keys in _batches(list(sizes), sizes.__getitem__):
        _rerender_batch(keys)


@retry_lost_locks
@transaction.atomic
def _rerender_batch(content_keys: Sequence[str]) -> None:
    rows = ContentMetadata.objects.select_for_update().filter(pk__in=content_keys).order_by("pk").in_bulk()
    reviews = _reviews(list(rows))
    stored = list(ContentDocuments.objects.filter(pk__in=list(rows)).order_by("pk"))
    hidden_runs = HiddenRuns(
        course_keys=list(rows),
        documents=unpacked(document for document in stored if rows[document.pk].content_type in REPEATING_TYPES),
    )
    documents = []
    for document in stored:
        try:
            _render_document(document, rows[document.pk], reviews, hidden_runs)
        except Exception:
            # As in `_store_batch`: the other contents are rendered, this one stays unchanged (P7).
            log.warning("content_unusable", key=document.pk, exc_info=True)
        else:
            documents.append(document)
    _write_documents(documents, update_fields=["rendered"])
    rendered = [rows[document.pk] for document in documents]
    columns = ["active", "listed_on_legacy", "rendered_digest", "rendering_version"]
    upsert(ContentMetadata, rendered, update_fields=columns)
    propagate_changes(rendered=rendered, modified=(), now=database_now())


def _render_document(
    document: ContentDocuments, row: ContentMetadata, reviews: Mapping[str, Review], hidden_runs: HiddenRuns
) -> None:
    record = unpack(document.full_record) if document.full_record else None
    search_document = unpack(document.search_document)
    item = _item(row, search_document, record, reviews, hidden_runs.of(row.pk, row.content_type))
    rendered = _rendered(item, row)
    listed_on_legacy = is_listed_on_legacy(row.content_type, search_document)
    document.rendered = pack_bytes(rendered)
    _check_size(document)
    # The row changes only after everything is built.
    row.active, row.rendered_digest = _active(item, row), digest_bytes(rendered)
    row.listed_on_legacy = listed_on_legacy
    row.rendering_version = item_template.RENDERING_VERSION


@retry_lost_locks
@transaction.atomic
def _store_batch(
    contents: Sequence[PreparedContent],
    *,
    records: Mapping[str, bytes],
    record_digests: Mapping[str, str],
    restricted: frozenset[str],
    assert_lease: Callable[[], None],
) -> _Batch:
    assert_lease()
    keys = [content.content_key for content in contents]
    stored = ContentMetadata.objects.select_for_update().filter(pk__in=keys).order_by("pk").in_bulk()
    differing = [content for content in contents if differs(content, stored.get(content.content_key), record_digests)]
    documents = ContentDocuments.objects.in_bulk([content.content_key for content in differing])
    reviews = _reviews(keys)
    hidden_runs = HiddenRuns(documents=repeating_documents(differing, documents, records), restricted=restricted)
    batch = _Batch(now=database_now())
    for content in differing:
        key = content.content_key
        try:
            _add_to_batch(
                batch, content, stored.get(key), documents.get(key), records, record_digests, reviews, hidden_runs
            )
        except Exception as error:
            # Documents are the only input here. Whatever is wrong with one, the others are stored (P7).
            log.warning("content_unusable", key=key, exc_info=True)
            batch.unusable[key] = quarantine_reason(error)
    upsert(ContentMetadata, batch.rows, update_fields=_CONTENT_FIELDS)
    _write_documents(batch.documents, update_fields=["rendered", "search_document", "full_record"])
    write_nested_runs(batch.runs)
    known = [row for row in batch.rows if row.pk in stored]
    stale = propagate_changes(rendered=known, modified=[row.pk for row in batch.changed], now=batch.now)
    batch.unusable |= stale
    return batch


def _write_documents(documents: Sequence[ContentDocuments], *, update_fields: Sequence[str]) -> None:
    for rows in batches_for_statements(documents, size=_row_bytes, rows_at_most=_BATCH_ROWS):
        upsert(ContentDocuments, rows, update_fields=update_fields)


def _row_bytes(row: ContentDocuments) -> int:
    return _ROW_BYTES + escaped_length(row.rendered, row.search_document, row.full_record)


def _check_size(row: ContentDocuments) -> None:
    check_row_size(_row_bytes(row), "search document, full record and item")


def _add_to_batch(
    batch: _Batch,
    content: PreparedContent,
    before: ContentMetadata | None,
    documents: ContentDocuments | None,
    records: Mapping[str, bytes],
    record_digests: Mapping[str, str],
    reviews: Mapping[str, Review],
    hidden_runs: HiddenRuns,
) -> None:
    """Merge a new content with what is stored of it, and put the result into the batch."""
    search_document, variant, search_changed = search_to_store(content, before, documents)
    stored_record = documents.full_record if documents else None
    full_record = records.get(content.content_key) or stored_record
    record = unpack(full_record) if full_record else None
    record_digest = record_digests.get(content.content_key, before.record_digest if before else "")
    really_changed = search_changed or record_changed(before, stored_record, record, record_digest)
    row = ContentMetadata(
        content_key=content.content_key,
        content_uuid=content.content_uuid,
        content_type=content.content_type,
        parent_content_key=content.parent_content_key,
        restricted=content.restricted,
        search_digest=variant.core,
        variant_rank=variant.rank,
        variant_digest=variant.extras,
        record_digest=record_digest,
        rendering_version=item_template.RENDERING_VERSION,
        created=before.created if before else batch.now,
        modified=batch.now if before is None or really_changed else before.modified,
    )
    unpacked = unpack(search_document)
    row.listed_on_legacy = is_listed_on_legacy(content.content_type, unpacked)
    runs = content.runs | (runs_of(record) if record else {})
    if content.content_type == ContentMetadata.ContentType.COURSE:
        hidden = frozenset(run for run, is_restricted in runs.items() if is_restricted)
    else:
        hidden = hidden_runs.of(content.content_key, content.content_type)
    item = _item(row, unpacked, record, reviews, hidden)
    rendered = _rendered(item, row)
    row.active, row.rendered_digest = _active(item, row), digest_bytes(rendered)
    document = ContentDocuments(
        content_id=content.content_key,
        rendered=pack_bytes(rendered),
        search_document=search_document,
        full_record=full_record,
    )
    _check_size(document)
    # The batch changes only after everything is built.
    batch.rows.append(row)
    batch.documents.append(document)
    if content.content_type == ContentMetadata.ContentType.COURSE:
        batch.runs[content.content_key] = runs
    if really_changed:
        batch.changed.append(row)


def _item(
    row: ContentMetadata,
    search_document: dict[str, Any],
    full_record: dict[str, Any] | None,
    reviews: Mapping[str, Review],
    hidden_runs: frozenset[str],
) -> dict[str, Any]:
    return build_item(
        content_key=row.content_key,
        content_type=row.content_type,
        parent_content_key=row.parent_content_key,
        search_document=search_document,
        full_record=full_record,
        review=reviews.get(row.content_key),
        hidden_runs=hidden_runs,
    )


def _rendered(item: dict[str, Any], row: ContentMetadata) -> bytes:
    return render_template(item, content_key=row.content_key, modified=sortable_iso(row.modified))


def _active(item: dict[str, Any], row: ContentMetadata) -> bool:
    """Only courses can be inactive; the field in other documents is ignored."""
    return item["active"] if row.content_type == ContentMetadata.ContentType.COURSE else True


def _reviews(content_keys: Sequence[str]) -> dict[str, Review]:
    rows = CourseReview.objects.filter(pk__in=content_keys)
    return {row.course_key: Review(row.reviews_count, row.avg_course_rating) for row in rows}


def _sizes(search_sizes: Mapping[str, int], records: Mapping[str, bytes]) -> dict[str, int]:
    """
    The approximate number of bytes of each content's row, by content key. A document that did not arrive now is already
    stored, and is written again with the rest.
    """
    sizes = {key: (size, len(records.get(key, b""))) for key, size in search_sizes.items()}
    for keys in chunked(sizes, _KEYS_PER_STATEMENT):
        stored = ContentDocuments.objects.filter(pk__in=keys).annotate(search=Length("search_document"))
        stored = stored.annotate(record=Coalesce(Length("full_record"), 0))
        for key, search, record in stored.values_list("pk", "search", "record"):
            new_search, new_record = sizes[key]
            sizes[key] = max(search, new_search), new_record or record
    # The rendered item is about as large as both sources together.
    return {key: 2 * (search + record) for key, (search, record) in sizes.items()}


def _batches(contents: Sequence[T], size: Callable[[T], int]) -> Iterator[tuple[T, ...]]:
    return constrained_batches(contents, _BATCH_BYTES, _BATCH_ROWS, get_len=size, strict=False)
