"""
Everything a refresh asks discovery: the search, full records, and what single queries want for themselves.

Reads rows to know what is stored already, writes none: nothing is stored before all of it is here (REFR-7).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from more_itertools import chunked

from enterprise_catalog.apps.catalog.content.preparation import PreparedContent, prepare_content, stand_in_content
from enterprise_catalog.apps.catalog.content_filters.directives import allowed_runs, forced_courses
from enterprise_catalog.apps.catalog.models import ContentMetadata, FullRecordRequest
from enterprise_catalog.apps.catalog.storage.content_store import search_differs, stored_states
from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.records import fetch_courses, fetch_programs
from enterprise_catalog.apps.discovery.search import SearchResult, fetch_search
from enterprise_catalog.apps.discovery.search_documents import FoundDocument
from enterprise_catalog.apps.refresh.queue.claims import Claim

log = structlog.get_logger(__name__)

_KEYS_PER_STATEMENT = 1000
_KEYS_IN_A_LOG_LINE = 20
# A run nested in a course, as long as its course is held: key and entry.
_BYTES_OF_A_RUN = 200


@dataclass(frozen=True)
class QuarantinedContent:
    """A document that cannot be served, and why."""

    content_key: str
    reason: str


@dataclass(frozen=True)
class QuerySpecificResult:
    """
    What one query adds to the result it shares with others: courses it forces in, and courses it shows in its own
    way.
    """

    forced_keys: list[str]
    overrides: list[WantedOverride]
    poison: list[QuarantinedContent]


@dataclass(frozen=True)
class FetchResult:
    """Everything one fetch brought. `contents` are to be stored, `found_keys` are what the search found."""

    search: SearchResult
    found_keys: list[str]
    contents: list[PreparedContent]
    records: dict[str, bytes]
    requested_records: list[str]
    poison: list[QuarantinedContent]
    own: dict[UUID, QuerySpecificResult]


@dataclass(frozen=True)
class PreviewResult:
    """
    What one filter finds, forced courses included, without anybody's full record. `contents` are what a refresh would
    publish, sorted by content key.
    """

    search: SearchResult
    contents: list[PreparedContent]
    poison: list[QuarantinedContent]


def fetch_preview(*, content_filter: dict[str, Any], client: DiscoveryClient) -> PreviewResult:
    """The same walk and the same choice as for a refresh (REFR-11, REFR-19). Raises DiscoveryError."""
    search = fetch_search(client=client, content_filter=content_filter)
    contents, poison = _prepare(search, client, database_now())
    forced = forced_courses(content_filter)
    records = fetch_courses(client=client, keys=forced)
    stand_ins = _stand_ins(forced, found={content.content_key for content in contents}, records=records)
    return PreviewResult(
        search=search,
        contents=sorted([*contents, *stand_ins], key=lambda content: content.content_key),
        poison=[*poison, *_unknown(forced, records)],
    )


def fetch_for_claims(*, claims: Sequence[Claim], client: DiscoveryClient) -> FetchResult:
    """What these claims, which ask the same search, want from discovery. Raises DiscoveryError."""
    now = database_now()
    search = fetch_search(client=client, content_filter=claims[0].content_filter)
    contents, poison = _prepare(search, client, now)
    found = {content.content_key: content for content in contents}
    wanted = _records_to_fetch(contents, now=now, refetch=_wants_all_records(claims, number=len(contents)))
    forced = {key for claim in claims for key in forced_courses(claim.content_filter)}
    courses = sorted(forced.union(_keys_of_type(wanted, ContentMetadata.ContentType.COURSE)))
    programs = _keys_of_type(wanted, ContentMetadata.ContentType.PROGRAM)
    records = fetch_courses(client=client, keys=courses) | fetch_programs(client=client, uuids=programs)
    _report_missing({*courses, *programs} - records.keys())
    stand_ins = _stand_ins(sorted(forced), found=found, records=records)
    own = {claim.run_uuid: _own_part(claim, found.keys(), records, client) for claim in claims}
    return FetchResult(
        search=search,
        found_keys=list(found),
        contents=contents + stand_ins,
        records=records,
        requested_records=courses + programs,
        poison=poison,
        own=own,
    )


def _own_part(
    claim: Claim, found: Iterable[str], records: dict[str, bytes], client: DiscoveryClient
) -> QuerySpecificResult:
    """
    V2-5, REFR-19. Restricted runs come only when they are asked for, so mapped courses have a record of their own.
    """
    forced = forced_courses(claim.content_filter)
    known = [key for key in forced if key in records]
    members = {*found, *known}
    allowed = {key: runs for key, runs in allowed_runs(claim.content_filter).items() if key in members}
    with_restricted = fetch_courses(client=client, keys=sorted(allowed), include_restricted=True) if allowed else {}
    overridden = {key: records[key] for key in known} | with_restricted
    return QuerySpecificResult(
        forced_keys=known,
        overrides=[
            WantedOverride(key, record, forced=key in known, allowed_runs=allowed.get(key, frozenset()))
            for key, record in sorted(overridden.items())
        ],
        poison=_unknown(forced, records),
    )


def _stand_ins(forced: Sequence[str], *, found: Collection[str], records: Mapping[str, bytes]) -> list[PreparedContent]:
    """Courses that are forced in, and that the search did not find."""
    return [
        stand_in_content(unpack(records[key]), content_key=key) for key in forced if key in records and key not in found
    ]


def _unknown(forced: Sequence[str], records: Mapping[str, bytes]) -> list[QuarantinedContent]:
    return [
        QuarantinedContent(key, "forced in by the filter, but unknown to discovery")
        for key in forced
        if key not in records
    ]


def _keys_of_type(contents: Sequence[PreparedContent], content_type: ContentMetadata.ContentType) -> list[str]:
    return [content.content_key for content in contents if content.content_type == content_type]


def _report_missing(keys: set[str]) -> None:
    if keys:
        # They keep their search document, or their last full record (DISC-18).
        log.warning("full_records_missing", count=len(keys), keys=sorted(keys)[:_KEYS_IN_A_LOG_LINE])


def _prepare(
    search: SearchResult, client: DiscoveryClient, now: datetime
) -> tuple[list[PreparedContent], list[QuarantinedContent]]:
    contents = []
    poison = [QuarantinedContent(document.content_key, document.reason) for document in search.quarantined]
    for document in search.documents:
        try:
            content = _prepared(document, now)
        except Exception as error:
            # Pure work on one document: whatever this one holds, the others go on (P7).
            log.warning("content_unusable", key=document.content_key, exc_info=True)
            poison.append(QuarantinedContent(document.content_key, f"cannot be read: {type(error).__name__}"))
        else:
            copied = 0 if content.search_document is document.packed else len(content.search_document)
            client.hold(copied + len(content.runs) * _BYTES_OF_A_RUN)
            contents.append(content)
    return contents, poison


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
    """An edit that shows in a full record only is pulled by whoever asks for it, where that is affordable (REFR-4)."""
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
