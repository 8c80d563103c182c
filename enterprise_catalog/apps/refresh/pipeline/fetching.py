"""
Fetch everything that a refresh or a preview asks discovery for.

Reads rows to find what is stored already and writes none: nothing is stored before everything is fetched (REFR-7).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from more_itertools import chunked

from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent, prepare_content, stand_in_content
from enterprise_catalog.apps.catalog.content_filters.directives import allowed_runs, forced_courses
from enterprise_catalog.apps.catalog.models import (
    ContentDocuments,
    ContentMetadata,
    ContentOverride,
    FullRecordRequest,
)
from enterprise_catalog.apps.catalog.storage.comparison import search_differs, stored_states
from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.catalog.storage.stored_contents import stored_contents
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.records import FullRecords, fetch_courses, fetch_programs
from enterprise_catalog.apps.discovery.search import SearchResult, fetch_search
from enterprise_catalog.apps.discovery.search_documents import FoundDocument, QuarantinedContent
from enterprise_catalog.apps.refresh.pipeline.unusable_documents import stored_in_place, unusable, with_other_key
from enterprise_catalog.apps.refresh.queue.claims import Claim

log = structlog.get_logger(__name__)

_KEYS_PER_STATEMENT = 1000
_KEYS_IN_A_LOG_LINE = 20
# What a nested run takes while its course is in memory: key and entry.
_BYTES_OF_A_RUN = 200


@dataclass(frozen=True)
class QuerySpecificResult:
    """What one query adds to the result it shares with others: courses it forces in, and overrides."""

    forced_keys: list[str]
    overrides: list[WantedOverride]
    quarantined: list[QuarantinedContent]


@dataclass(frozen=True)
class FetchResult:
    """
    The complete result of one fetch.

    `contents` are to be stored, `found_keys` are the keys that the search found. `by_run` has the query-specific
    results by the uuid of the run.
    """

    search: SearchResult
    found_keys: list[str]
    contents: list[PreparedContent]
    records: dict[str, bytes]
    requested_records: list[str]
    quarantined: list[QuarantinedContent]
    by_run: dict[UUID, QuerySpecificResult]


@dataclass(frozen=True)
class PreviewResult:
    """What one filter finds. `contents` are what a refresh would publish, sorted by content key, forced ones too."""

    search: SearchResult
    contents: list[PreparedContent]
    quarantined: list[QuarantinedContent]


def fetch_preview(*, content_filter: dict[str, Any], client: DiscoveryClient) -> PreviewResult:
    """Search and choose as a refresh does, but fetch only the records of forced courses. Raises DiscoveryError."""
    search = fetch_search(client=client, content_filter=content_filter)
    contents, quarantined = _prepare(search, client, database_now())
    forced = _forced_keys(content_filter)
    records = fetch_courses(client=client, keys=forced)
    found = {content.content_key for content in contents}
    stand_ins = _stand_ins(forced, found=found, records=records.packed)
    stored = stored_contents((set(forced) & records.unusable.keys()) - found)
    return PreviewResult(
        search=search,
        contents=sorted([*contents, *stand_ins, *stored], key=lambda content: content.content_key),
        quarantined=[*quarantined, *_unusable(records), *_unknown(forced, records)],
    )


def fetch_for_claims(*, claims: Sequence[Claim], client: DiscoveryClient) -> FetchResult:
    """Fetch for claims whose filters are the same search. Raises DiscoveryError."""
    now = database_now()
    search = fetch_search(client=client, content_filter=claims[0].content_filter)
    contents, quarantined = _prepare(search, client, now)
    found = {content.content_key: content for content in contents}
    wanted = _records_to_fetch(contents, now=now, refetch=_wants_all_records(claims, number=len(contents)))
    forced_by_run = {claim.run_uuid: _forced_keys(claim.content_filter) for claim in claims}
    forced = {key for keys in forced_by_run.values() for key in keys}
    courses = sorted(forced.union(_keys_of_type(wanted, ContentMetadata.ContentType.COURSE)))
    programs = _keys_of_type(wanted, ContentMetadata.ContentType.PROGRAM)
    records = fetch_courses(client=client, keys=courses) | fetch_programs(client=client, uuids=programs)
    _report_missing({*courses, *programs} - records.packed.keys() - records.unusable.keys())
    return FetchResult(
        search=search,
        found_keys=list(found),
        contents=contents + _stand_ins(sorted(forced), found=found, records=records.packed),
        records=records.packed,
        requested_records=courses + programs,
        quarantined=[*quarantined, *_unusable(records)],
        by_run={
            claim.run_uuid: _query_specific(claim, forced_by_run[claim.run_uuid], found, records, client)
            for claim in claims
        },
    )


def _query_specific(
    claim: Claim,
    forced: Sequence[str],
    found: Collection[str],
    records: FullRecords,
    client: DiscoveryClient,
) -> QuerySpecificResult:
    # A record that cannot be used this time leaves the course as the query shows it (P7).
    stored = _stored_records(claim.query_id, [key for key in forced if key in records.unusable])
    usable = records.packed | stored
    known = [key for key in forced if key in usable]
    members = {*found, *known}
    allowed = {key: runs for key, runs in allowed_runs(claim.content_filter).items() if key in members}
    # Discovery leaves restricted runs out unless they are requested, so these courses are fetched a second time (V2-5).
    with_restricted = (
        fetch_courses(client=client, keys=sorted(allowed), include_restricted=True) if allowed else FullRecords()
    )
    stored_with_restricted = _stored_records(claim.query_id, sorted(with_restricted.unusable))
    overridden = {key: usable[key] for key in known} | stored_with_restricted | with_restricted.packed
    return QuerySpecificResult(
        forced_keys=known,
        overrides=[
            WantedOverride(key, record, forced=key in known, allowed_runs=allowed.get(key, frozenset()))
            for key, record in sorted(overridden.items())
        ],
        quarantined=[*_unusable(with_restricted), *_unknown(forced, records)],
    )


def _stored_records(query_id: int, content_keys: Sequence[str]) -> dict[str, bytes]:
    """Return the packed records from which this query shows these courses, without those that are not stored."""
    if not content_keys:
        return {}
    shared = ContentDocuments.objects.filter(pk__in=content_keys, full_record__isnull=False)
    own = ContentOverride.objects.filter(catalog_query_id=query_id, content_id__in=content_keys)
    rows = (*shared.values_list("pk", "full_record"), *own.values_list("content_id", "record"))
    return {key: bytes(record) for key, record in rows if record is not None}


def _forced_keys(content_filter: dict[str, Any]) -> list[str]:
    keys, ignored = forced_courses(content_filter)
    for key, reason in sorted(ignored.items()):
        log.warning("forced_course_ignored", key=key[:CONTENT_KEY_MAX_LENGTH], reason=reason)
    return keys


def _stand_ins(forced: Sequence[str], *, found: Collection[str], records: Mapping[str, bytes]) -> list[PreparedContent]:
    """Make contents of forced courses that the search did not find (REFR-19)."""
    return [
        stand_in_content(unpack(records[key]), content_key=key) for key in forced if key in records and key not in found
    ]


def _unknown(forced: Sequence[str], records: FullRecords) -> list[QuarantinedContent]:
    return [
        QuarantinedContent(key, "forced in by the filter, but unknown to discovery")
        for key in forced
        if key not in records.packed and key not in records.unusable
    ]


def _unusable(records: FullRecords) -> list[QuarantinedContent]:
    return [QuarantinedContent(key, f"full record: {reason}") for key, reason in sorted(records.unusable.items())]


def _keys_of_type(contents: Sequence[PreparedContent], content_type: ContentMetadata.ContentType) -> list[str]:
    return [content.content_key for content in contents if content.content_type == content_type]


def _report_missing(keys: set[str]) -> None:
    if keys:
        # They keep their search document, or their last full record (DISC-18).
        log.warning("full_records_missing", count=len(keys), keys=sorted(keys)[:_KEYS_IN_A_LOG_LINE])


def _prepare(
    search: SearchResult, client: DiscoveryClient, now: datetime
) -> tuple[list[PreparedContent], list[QuarantinedContent]]:
    """Prepare the documents of a search; stored ones stand in for those that cannot be used this time (P1, P7)."""
    contents = []
    quarantined = list(search.quarantined)
    stored_by_key = with_other_key(search.documents)
    for document in search.documents:
        if document.content_uuid in stored_by_key and document.content_key == document.content_uuid:
            quarantined.append(unusable(document, "no key"))
            continue
        try:
            content = _prepared(document, now)
        except Exception as error:
            # Preparing is pure work on one document, so a document that fails says nothing about the others (P7).
            log.warning("content_unusable", key=document.content_key, exc_info=True)
            quarantined.append(unusable(document, f"cannot be read: {type(error).__name__}"))
        else:
            copied = 0 if content.search_document is document.packed else len(content.search_document)
            client.hold(copied + len(content.runs) * _BYTES_OF_A_RUN)
            contents.append(content)
    found = {content.content_key for content in contents}
    quarantined, stored = stored_in_place(quarantined, found=found)
    client.hold(sum(len(content.search_document) for content in stored))
    return contents + stored, quarantined


def _prepared(document: FoundDocument, now: datetime) -> PreparedContent:
    return prepare_content(
        document.packed,
        content_key=document.content_key,
        content_type=document.content_type,
        parent_content_key=document.parent_content_key,
        content_uuid=document.content_uuid,
        now=now,
    )


def _wants_all_records(claims: Sequence[Claim], *, number: int) -> bool:
    """Say whether to fetch also fresh records, which may have edits that no search document shows (REFR-4)."""
    if any(claim.forced for claim in claims):
        return True
    return number <= settings.FULL_RECORDS_ON_REQUEST and any(claim.asked_for for claim in claims)


def _records_to_fetch(contents: Sequence[PreparedContent], *, now: datetime, refetch: bool) -> list[PreparedContent]:
    candidates = [
        content
        for content in contents
        if content.content_type in (ContentMetadata.ContentType.COURSE, ContentMetadata.ContentType.PROGRAM)
    ]
    if refetch:
        return candidates
    keys = [content.content_key for content in candidates]
    stored = stored_states(keys)
    fresh = _recently_requested(keys, since=now - timedelta(hours=settings.FULL_RECORD_MAX_AGE_HOURS))
    return [
        content
        for content in candidates
        if content.content_key not in fresh or search_differs(content, stored.get(content.content_key))
    ]


def _recently_requested(keys: Sequence[str], *, since: datetime) -> set[str]:
    fresh: set[str] = set()
    for chunk in chunked(keys, _KEYS_PER_STATEMENT):
        requests = FullRecordRequest.objects.filter(pk__in=chunk, requested_at__gt=since)
        fresh.update(requests.values_list("pk", flat=True))
    return fresh
