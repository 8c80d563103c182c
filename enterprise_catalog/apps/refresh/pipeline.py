"""
One refresh, from claim to publish (DESIGN: write path).

    1. claim the run, and others that ask discovery the same
    2. fetch the whole search result, or fail
    3. fetch the full records of members that are new, changed or due, each course once however many queries hold it
    4. store the documents that differ
    5. for each claimed run: publish its keys, or hold them

Nothing readers see changes before everything was fetched (REFR-7). The worker renews its leases while it waits and
before each batch it writes; when one is lost it stops at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from enterprise_catalog.apps.catalog.contents import ContentType, PreparedContent, prepare_content
from enterprise_catalog.apps.catalog.models import FullRecordRequest
from enterprise_catalog.apps.catalog.store import StoreReport, search_differs, store_contents, stored_contents
from enterprise_catalog.apps.core.db import database_now, in_chunks, upsert
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.packing import unpack
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.documents import FoundDocument
from enterprise_catalog.apps.discovery.errors import DiscoveryError, DiscoveryUnavailable
from enterprise_catalog.apps.discovery.records import fetch_courses, fetch_programs
from enterprise_catalog.apps.discovery.search import SearchResult, fetch_search
from enterprise_catalog.apps.refresh.claims import (
    Claim,
    Heartbeat,
    LeaseLost,
    claim_runs,
    due_runs,
    fail,
    give_back,
    postpone,
    renew,
)
from enterprise_catalog.apps.refresh.models import QuarantinedDocument
from enterprise_catalog.apps.refresh.outcomes import publish_or_hold
from enterprise_catalog.apps.refresh.publishing import FilterChanged, QueryGone

log = structlog.get_logger(__name__)

_KEYS_PER_STATEMENT = 1000
_KEYS_IN_A_LOG_LINE = 20
_REASON_LENGTH = 255


@dataclass(frozen=True)
class Poison:
    """A document that cannot be served, and why."""

    content_key: str
    reason: str


@dataclass(frozen=True)
class Fetched:
    """Everything one fetch brought: nothing is stored before all of it is here."""

    search: SearchResult
    contents: list[PreparedContent]
    poison: list[Poison]
    records: dict[str, bytes]
    requested_records: list[str]


@dataclass(frozen=True)
class Result:
    """What there is to publish, and to report."""

    content_keys: list[str]
    counts: dict[str, int]
    poison: list[Poison]


def refresh(run_uuid: UUID) -> list[UUID]:
    """
    Do one waiting run, if it still waits. Returns the runs that wait for the same queries now, so that they can be
    nudged.

    Whatever happens, each claimed run ends, waits again, or belongs to somebody else by the time this returns.
    """
    claims = claim_runs(run_uuid)
    if not claims:
        return []
    try:
        _refresh_claimed(claims)
    except LeaseLost as error:
        log.warning("refresh_lease_lost", run=str(error))
        for claim in claims:
            give_back(claim)
    except DiscoveryError as error:
        _end_unanswered(claims, error)
    except Exception as error:
        log.exception("refresh_crashed", runs=[str(claim.run_uuid) for claim in claims])
        for claim in claims:
            fail(claim, code="internal_error", detail=type(error).__name__)
    query_ids = [claim.query_id for claim in claims]
    return list(due_runs().filter(queued_for__in=query_ids).values_list("pk", flat=True))


def _end_unanswered(claims: Sequence[Claim], error: DiscoveryError) -> None:
    """What discovery refuses for a while waits for that long (RUN-2); everything else failed (REFR-7)."""
    pause = error.retry_after if isinstance(error, DiscoveryUnavailable) else None
    for claim in claims:
        if pause is not None and pause > settings.SERVICE_MAX_WAIT_SECONDS:
            postpone(claim, seconds=pause)
        else:
            fail(claim, code=error.code, detail=error.detail)


def _refresh_claimed(claims: Sequence[Claim]) -> None:
    fetched = _fetch(claims, DiscoveryClient(on_wait=Heartbeat(claims)))
    still_ours = partial(renew, claims)
    stored = store_contents(contents=fetched.contents, records=fetched.records, still_ours=still_ours)
    _remember_requests(fetched.requested_records)
    result = _result(fetched, stored)
    for position, claim in enumerate(claims):
        renew(claims[position:])
        _finish(claim, result)


def _fetch(claims: Sequence[Claim], client: DiscoveryClient) -> Fetched:
    now = database_now()
    search = fetch_search(client=client, content_filter=claims[0].content_filter)
    contents, poison = _prepare(search, now)
    wanted = _records_to_fetch(contents, now=now, forced=any(claim.forced for claim in claims))
    courses = [content.content_key for content in wanted if content.content_type == ContentType.COURSE]
    programs = [content.content_key for content in wanted if content.content_type == ContentType.PROGRAM]
    records = fetch_courses(client=client, keys=courses) | fetch_programs(client=client, uuids=programs)
    unknown = sorted({*courses, *programs} - records.keys())
    if unknown:
        # They keep their search document, or their last full record (DISC-18).
        log.warning("full_records_missing", count=len(unknown), keys=unknown[:_KEYS_IN_A_LOG_LINE])
    return Fetched(search, contents, poison, records, courses + programs)


def _prepare(search: SearchResult, now: datetime) -> tuple[list[PreparedContent], list[Poison]]:
    contents = []
    poison = [Poison(document.content_key, document.reason) for document in search.quarantined]
    for document in search.documents:
        try:
            contents.append(_prepared(document, now))
        except Exception as error:
            # Pure work on one document: whatever this one holds, the others go on (P7).
            log.warning("content_unusable", key=document.content_key, exc_info=True)
            poison.append(Poison(document.content_key, f"cannot be read: {type(error).__name__}"))
    return contents, poison


def _prepared(document: FoundDocument, now: datetime) -> PreparedContent:
    return prepare_content(
        unpack(document.packed),
        content_key=document.content_key,
        content_type=document.content_type,
        parent_content_key=document.parent_content_key,
        content_uuid=document.content_uuid,
        now=now,
    )


def _records_to_fetch(contents: Sequence[PreparedContent], *, now: datetime, forced: bool) -> list[PreparedContent]:
    candidates = [content for content in contents if content.content_type in (ContentType.COURSE, ContentType.PROGRAM)]
    if forced:
        return candidates
    keys = [content.content_key for content in candidates]
    stored = stored_contents(keys)
    fresh = _recently_requested(keys, since=now - timedelta(hours=settings.FULL_RECORD_MAX_AGE_HOURS))
    return [
        content
        for content in candidates
        if content.content_key not in fresh or search_differs(content, stored.get(content.content_key))
    ]


def _recently_requested(keys: Sequence[str], *, since: datetime) -> set[str]:
    fresh: set[str] = set()
    for chunk in in_chunks(keys, _KEYS_PER_STATEMENT):
        requests = FullRecordRequest.objects.filter(pk__in=chunk, requested_at__gt=since)
        fresh.update(requests.values_list("pk", flat=True))
    return fresh


def _remember_requests(keys: Sequence[str]) -> None:
    now = database_now()
    for chunk in in_chunks(sorted(keys), _KEYS_PER_STATEMENT):
        rows = [FullRecordRequest(content_key=key, requested_at=now) for key in chunk]
        upsert(FullRecordRequest, rows, update_fields=["requested_at"])


def _result(fetched: Fetched, stored: StoreReport) -> Result:
    poison = [*fetched.poison, *(Poison(key, reason) for key, reason in stored.unusable.items())]
    # What could not be built stays a member with what was stored of it; what never was stored cannot become one.
    missing = stored.unusable.keys() - stored_contents(sorted(stored.unusable)).keys()
    return Result(
        content_keys=[content.content_key for content in fetched.contents if content.content_key not in missing],
        counts={
            "fetched": fetched.search.fetched,
            "skipped": fetched.search.skipped,
            "quarantined": len(poison),
        },
        poison=poison,
    )


def _finish(claim: Claim, result: Result) -> None:
    _report_poison(claim, result.poison)
    try:
        publish_or_hold(claim=claim, content_keys=result.content_keys, counts=result.counts)
    except FilterChanged:
        fail(claim, code="filter_changed", detail="The content filter changed while this run fetched.")
    except QueryGone:
        fail(claim, code="superseded", detail="Its catalog query no longer exists.")


@transaction.atomic
def _report_poison(claim: Claim, poison: Sequence[Poison]) -> None:
    """P7. Replaces what an earlier attempt of the same run reported."""
    QuarantinedDocument.objects.filter(refresh_run_id=claim.run_uuid).delete()
    QuarantinedDocument.objects.bulk_create(
        QuarantinedDocument(
            refresh_run_id=claim.run_uuid,
            content_key=document.content_key[:CONTENT_KEY_MAX_LENGTH],
            reason=document.reason[:_REASON_LENGTH],
        )
        for document in poison
    )
