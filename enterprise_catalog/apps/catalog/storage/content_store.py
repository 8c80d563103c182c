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

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Length
from more_itertools import chunked, constrained_batches

from enterprise_catalog.apps.catalog.content.course_document import runs_of
from enterprise_catalog.apps.catalog.content.items import Review, build_item
from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent
from enterprise_catalog.apps.catalog.content.search_document_variants import Variant, choose_document
from enterprise_catalog.apps.catalog.content.undated_fields import differs_in_dated_fields
from enterprise_catalog.apps.catalog.models import (
    ContentDocuments,
    ContentMetadata,
    CourseReview,
    NestedRun,
)
from enterprise_catalog.apps.catalog.rendering.item_template import RENDERING_VERSION, render_template
from enterprise_catalog.apps.catalog.storage.document_errors import check_row_size, quarantine_reason
from enterprise_catalog.apps.catalog.storage.hidden_runs import (
    REPEATING_TYPES,
    HiddenRuns,
    changed_restrictions,
    contents_naming,
)
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
from enterprise_catalog.apps.core.packed_json import digest, digest_bytes, pack, pack_bytes, unpack

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Per transaction, so that it stays short.
_BATCH_BYTES = 1024 * 1024
_BATCH_ROWS = 200
_KEYS_PER_STATEMENT = 1000
_DOCUMENTS_PER_STATEMENT = 50
_NESTED_RUNS_PER_STATEMENT = 1000
# The courses of a batch usually have a thousand nested runs; at most this number is compared at once.
_NESTED_RUNS_AT_ONCE = 10_000
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


class StoredState(NamedTuple):
    """The columns of a stored content that show whether a new document differs from it."""

    search_digest: str
    variant_rank: str
    variant_digest: str
    record_digest: str
    rendering_version: int


@dataclass
class _Batch:
    """What one transaction is going to write."""

    now: datetime
    unusable: dict[str, str] = field(default_factory=dict)
    rows: list[ContentMetadata] = field(default_factory=list)
    documents: list[ContentDocuments] = field(default_factory=list)
    runs: dict[str, dict[str, bool]] = field(default_factory=dict)
    changed: list[ContentMetadata] = field(default_factory=list)


def stored_states(content_keys: Sequence[str]) -> dict[str, StoredState]:
    """The states of those of these keys that are stored."""
    states = {}
    for chunk in chunked(content_keys, _KEYS_PER_STATEMENT):
        rows = ContentMetadata.objects.filter(pk__in=chunk).values_list("pk", *StoredState._fields)
        states.update({key: StoredState(*columns) for key, *columns in rows})
    return states


def search_differs(content: PreparedContent, stored: StoredState | ContentMetadata | None) -> bool:
    """True if this search document should replace the stored one."""
    return stored is None or content.variant.replaces(_stored_variant(stored))


def stored_contents(content_keys: Collection[str]) -> list[PreparedContent]:
    """Return these contents with their stored search documents, as if a search had found them again (P7)."""
    contents = []
    for keys in chunked(sorted(content_keys), _DOCUMENTS_PER_STATEMENT):
        runs: dict[str, dict[str, bool]] = {}
        nested = NestedRun.objects.filter(course_id__in=keys).values_list("course_id", "run_key", "restricted")
        for course, run, restricted in nested:
            runs.setdefault(course, {})[run] = restricted
        rows = ContentMetadata.objects.filter(pk__in=keys, documents__isnull=False).annotate(
            search_document=F("documents__search_document")
        )
        contents += [
            PreparedContent(
                content_key=row.pk,
                content_type=row.content_type,
                parent_content_key=row.parent_content_key,
                content_uuid=str(row.content_uuid) if row.content_uuid else None,
                restricted=row.restricted,
                search_document=row.search_document,
                variant=_stored_variant(row),
                runs=runs.get(row.pk, {}),
            )
            for row in rows.order_by("pk")
        ]
    return contents


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
        if _differs(content, stored.get(content.content_key), record_digests)
    ]
    restricted, changed = _restrictions(differing, runs_of_records)
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


def _restrictions(
    contents: Sequence[PreparedContent], runs_of_records: Mapping[str, Mapping[str, bool]]
) -> tuple[frozenset[str], frozenset[str]]:
    """The runs that these documents restrict, and those that become restricted by them, or are no longer (V2-2)."""
    nested = {
        content.content_key: {**content.runs, **runs_of_records.get(content.content_key, {})}
        for content in contents
        if content.content_type == ContentMetadata.ContentType.COURSE
    }
    own = {
        content.content_key: content.restricted
        for content in contents
        if content.content_type == ContentMetadata.ContentType.COURSE_RUN
    }
    restricted = {run for runs in (*nested.values(), own) for run, is_restricted in runs.items() if is_restricted}
    return frozenset(restricted), changed_restrictions(nested=nested, own=own)


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
        documents=_unpacked(document for document in stored if rows[document.pk].content_type in REPEATING_TYPES),
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


def _unpacked(stored: Iterable[ContentDocuments]) -> Iterator[dict[str, Any]]:
    for row in stored:
        yield from (unpack(packed) for packed in (row.search_document, row.full_record) if packed)


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
    row.rendering_version = RENDERING_VERSION


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
    differing = [content for content in contents if _differs(content, stored.get(content.content_key), record_digests)]
    documents = ContentDocuments.objects.in_bulk([content.content_key for content in differing])
    reviews = _reviews(keys)
    hidden_runs = HiddenRuns(documents=_repeating_documents(differing, documents, records), restricted=restricted)
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
    _write_nested_runs(batch.runs)
    known = [row for row in batch.rows if row.pk in stored]
    stale = propagate_changes(rendered=known, modified=[row.pk for row in batch.changed], now=batch.now)
    batch.unusable |= stale
    return batch


def _repeating_documents(
    contents: Sequence[PreparedContent], stored: Mapping[str, ContentDocuments], records: Mapping[str, bytes]
) -> Iterator[dict[str, Any]]:
    """The documents of programs and pathways: those that arrived, and those that are stored."""
    for content in contents:
        if content.content_type in REPEATING_TYPES:
            key = content.content_key
            yield unpack(content.search_document)
            if key in records:
                yield unpack(records[key])
            yield from _unpacked([stored[key]] if key in stored else [])


def _write_documents(documents: Sequence[ContentDocuments], *, update_fields: Sequence[str]) -> None:
    for rows in batches_for_statements(documents, size=_row_bytes, rows_at_most=_BATCH_ROWS):
        upsert(ContentDocuments, rows, update_fields=update_fields)


def _row_bytes(row: ContentDocuments) -> int:
    return _ROW_BYTES + escaped_length(row.rendered, row.search_document, row.full_record)


def _check_size(row: ContentDocuments) -> None:
    check_row_size(_row_bytes(row), "search document, full record and item")


def _differs(
    content: PreparedContent, stored: StoredState | ContentMetadata | None, record_digests: Mapping[str, str]
) -> bool:
    if stored is None or stored.rendering_version != RENDERING_VERSION or search_differs(content, stored):
        return True
    return record_digests.get(content.content_key, stored.record_digest) != stored.record_digest


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
    search_document, variant, search_changed = _search_to_store(content, before, documents)
    stored_record = documents.full_record if documents else None
    full_record = records.get(content.content_key) or stored_record
    record = unpack(full_record) if full_record else None
    record_digest = record_digests.get(content.content_key, before.record_digest if before else "")
    really_changed = search_changed or _record_changed(before, stored_record, record, record_digest)
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
        rendering_version=RENDERING_VERSION,
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


def _search_to_store(
    content: PreparedContent, before: ContentMetadata | None, documents: ContentDocuments | None
) -> tuple[bytes | memoryview, Variant, bool]:
    """Return the search document to store, its variant, and whether the date of the content moves (META-21)."""
    if before is None or documents is None:
        return content.search_document, content.variant, search_differs(content, before)
    if not search_differs(content, before):
        return documents.search_document, _stored_variant(before), False
    stored, new = unpack(documents.search_document), unpack(content.search_document)
    chosen, variant = choose_document(
        stored_document=stored, stored=_stored_variant(before), new_document=new, new=content.variant
    )
    packed = content.search_document if chosen is new else pack(chosen)
    return packed, variant, differs_in_dated_fields(stored, chosen)


def _record_changed(
    before: ContentMetadata | None,
    stored_record: bytes | memoryview | None,
    record: dict[str, Any] | None,
    record_digest: str,
) -> bool:
    """Return whether a full record moves the date of the content (META-21)."""
    if before is None or record is None or record_digest == before.record_digest:
        return False
    return stored_record is None or differs_in_dated_fields(unpack(stored_record), record)


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


def _write_nested_runs(wanted: Mapping[str, Mapping[str, bool]]) -> None:
    """Make the rows of nested runs agree with the documents, writing only the difference."""
    courses = constrained_batches(
        wanted.items(), _NESTED_RUNS_AT_ONCE, _BATCH_ROWS, get_len=lambda course: len(course[1]), strict=False
    )
    for some in courses:
        _write_runs_of(dict(some))


def _write_runs_of(wanted: Mapping[str, Mapping[str, bool]]) -> None:
    stored = {(row.course_id, row.run_key): row for row in NestedRun.objects.filter(course_id__in=list(wanted))}
    pairs = {(course, run): restricted for course, runs in wanted.items() for run, restricted in runs.items()}
    gone = [row.pk for pair, row in stored.items() if pairs.get(pair) != row.restricted]
    missing = [
        pair for pair, restricted in pairs.items() if pair not in stored or stored[pair].restricted != restricted
    ]
    for ids in chunked(gone, _NESTED_RUNS_PER_STATEMENT):
        NestedRun.objects.filter(pk__in=ids).delete()
    NestedRun.objects.bulk_create(
        (NestedRun(course_id=course, run_key=run, restricted=pairs[course, run]) for course, run in missing),
        batch_size=_NESTED_RUNS_PER_STATEMENT,
    )


def _stored_variant(stored: StoredState | ContentMetadata) -> Variant:
    return Variant(core=stored.search_digest, rank=stored.variant_rank, extras=stored.variant_digest)


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
