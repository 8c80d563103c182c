"""
One refresh, from claim to publish (DESIGN: write path).

    1. claim the run, and others that ask discovery the same; while the budget has room (`refresh.queue.priority`)
    2. fetch the whole search result, the full records of members that are new, changed or due, each once however many
       queries hold it, and what single queries want for themselves; or fail
    3. store the documents that differ
    4. for each claimed run: publish its keys, or hold them

Nothing readers see changes before everything was fetched (REFR-7). The worker renews its leases while it waits and
before each batch it writes; when one is lost it stops at once.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from more_itertools import chunked
from structlog.contextvars import bound_contextvars

from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import FullRecordRequest
from enterprise_catalog.apps.catalog.storage.content_store import StoreReport, store_contents, stored_states
from enterprise_catalog.apps.core.db.batching import upsert
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.observability.metrics import count_refresh
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.errors import (
    DiscoveryError,
    DiscoveryIncomplete,
    DiscoveryMalformed,
    DiscoveryUnavailable,
    WindowExceeded,
)
from enterprise_catalog.apps.refresh.models import QuarantinedDocument
from enterprise_catalog.apps.refresh.pipeline.fetching import FetchResult, QuarantinedContent, fetch_for_claims
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.apps.refresh.pipeline.publishing import FilterChanged
from enterprise_catalog.apps.refresh.queue.claims import (
    Claim,
    Heartbeat,
    claim_runs,
    due_runs,
    fail,
    postpone,
    release,
    renew,
    requeue_after_database_failure,
)
from enterprise_catalog.apps.refresh.queue.leases import LeaseLost
from enterprise_catalog.apps.refresh.queue.priority import claim_next
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.fetch_session import BudgetedSession, BudgetExhausted
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Payers

log = structlog.get_logger(__name__)

_KEYS_PER_STATEMENT = 1000
_REASON_LENGTH = 255


def refresh_next() -> list[UUID]:
    """Do the run whose turn it is. Returns the runs that wait for the same queries now, to be nudged."""
    return _refresh(claim_next())


def refresh(run_uuid: UUID) -> list[UUID]:
    """Do this run, if it still waits. Returns the runs that wait for the same queries now, to be nudged."""
    return _refresh(claim_runs(run_uuid))


def _refresh(claims: Sequence[Claim]) -> list[UUID]:
    """
    Whatever happens, each claimed run ends, waits again, or belongs to somebody else by the time this returns; or the
    database is away, and its lease will expire. Discovery is told the (first) run as the id of the request.
    """
    if not claims:
        return []
    started = time.monotonic()
    try:
        with bound_contextvars(request_id=str(claims[0].run_uuid)):
            _refresh_claimed(claims)
    except (OperationalError, InterfaceError) as error:
        _lose(claims, error)
        return []
    except BudgetExhausted:
        _interrupt(claims)
    except LeaseLost as error:
        log.warning("refresh_lease_lost", run=str(error))
        for claim in claims:
            release(claim)
    except DiscoveryError as error:
        _end_unanswered(claims, error)
    except Exception as error:
        log.exception("refresh_crashed", runs=[str(claim.run_uuid) for claim in claims])
        for claim in claims:
            fail(claim, code="internal_error", detail=type(error).__name__)
    count_refresh(seconds=time.monotonic() - started)
    query_ids = [claim.query_id for claim in claims]
    return list(due_runs().filter(queued_for__in=query_ids).values_list("pk", flat=True))


def _lose(claims: Sequence[Claim], error: DatabaseError | InterfaceError) -> None:
    """The database went away, or refused, in the middle: somebody does it again, not too often."""
    log.warning("refresh_database_failed", runs=[str(claim.run_uuid) for claim in claims], error=repr(error))
    # The connection may be broken, or in a transaction that is.
    connection.close()
    # It may still be away; then the lease ends by itself.
    with suppress(DatabaseError, InterfaceError):
        for claim in claims:
            requeue_after_database_failure(claim)


def _end_unanswered(claims: Sequence[Claim], error: DiscoveryError) -> None:
    """
    What discovery refuses for a while waits for that long (RUN-2), again and again for a day; all else failed (REFR-7).
    """
    pause = error.retry_after if isinstance(error, DiscoveryUnavailable) else None
    for claim in claims:
        if pause is not None and pause > settings.SERVICE_MAX_WAIT_SECONDS and not _waits_for_long(claim):
            postpone(claim, seconds=pause, why=error.detail)
        else:
            fail(claim, code=error.code, detail=error.detail)


def _interrupt(claims: Sequence[Claim]) -> None:
    """What the budget interrupts goes on soon, unless it never gets to its end and only keeps others from theirs."""
    for claim in claims:
        if claim.attempts < settings.REFRESH_MAX_ATTEMPTS:
            pause = settings.DISCOVERY_BUDGET_PAUSE_SECONDS
            postpone(claim, seconds=pause, why="no budget for requests is left", for_budget=True)
        else:
            fail(claim, code="discovery_throttled", detail="It needs more requests than the budget has for it.")


def _waits_for_long(claim: Claim) -> bool:
    return database_now() - claim.requested_at > timedelta(hours=settings.REFRESH_MAX_POSTPONED_HOURS)


def _refresh_claimed(claims: Sequence[Claim]) -> None:
    fetched = _fetch(claims)
    assert_lease = partial(renew, claims)
    stored = store_contents(contents=fetched.contents, records=fetched.records, assert_lease=assert_lease)
    _remember_requests(fetched.requested_records)
    for position, claim in enumerate(claims):
        renew(claims[position:])
        _finish(claim, fetched, stored)


def _fetch(claims: Sequence[Claim]) -> FetchResult:
    asked_at = [claim.asked_at for claim in claims if claim.asked_at]
    session = BudgetedSession(claims[0].equivalence_key, _payers(claims), asked_at=asked_at)
    complete = False
    try:
        heartbeat = Heartbeat(partial(renew, claims))
        fetched = fetch_for_claims(claims=claims, client=DiscoveryClient(on_wait=heartbeat, session=session))
        complete = True
    except (DiscoveryIncomplete, DiscoveryMalformed, WindowExceeded):
        # The answers themselves are what is wrong: the next fetch must ask again.
        session.clear()
        raise
    finally:
        session.close(complete=complete)
    return fetched


def _payers(claims: Sequence[Claim]) -> Payers:
    """One fetch serves them all, and so counts for whoever asked for any of them."""
    askers = frozenset[str]().union(*(claim.askers for claim in claims))
    backgrounds = {claim.background for claim in claims}
    return Payers(askers, next((it for it in (request_budget.DUE, request_budget.FIRST) if it in backgrounds), None))


def _remember_requests(keys: Sequence[str]) -> None:
    now = database_now()
    for chunk in chunked(sorted(keys), _KEYS_PER_STATEMENT):
        rows = [FullRecordRequest(content_key=key, requested_at=now) for key in chunk]
        upsert(FullRecordRequest, rows, update_fields=["requested_at"])


def _finish(claim: Claim, fetched: FetchResult, stored: StoreReport) -> None:
    own = fetched.own[claim.run_uuid]
    unusable = [QuarantinedContent(key, reason) for key, reason in stored.unusable.items()]
    poison = [*fetched.poison, *own.poison, *unusable]
    # What could not be built stays a member with what was stored of it; what never was stored cannot become one.
    missing = stored.unusable.keys() - stored_states(sorted(stored.unusable)).keys()
    _report_poison(claim, poison)
    try:
        publish_or_hold(
            claim=claim,
            content_keys={*fetched.found_keys, *own.forced_keys} - missing,
            overrides=[override for override in own.overrides if override.content_key not in missing],
            counts={
                "fetched": fetched.search.fetched,
                "skipped": fetched.search.skipped,
                "quarantined": len(poison),
            },
        )
    except FilterChanged:
        fail(claim, code="filter_changed", detail="The content filter changed while this run fetched.")
    except QueryGone:
        fail(claim, code="superseded", detail="Its catalog query no longer exists.")


@retry_lost_locks
@transaction.atomic
def _report_poison(claim: Claim, poison: Sequence[QuarantinedContent]) -> None:
    """P7. Replaces what an earlier attempt of the same run reported."""
    QuarantinedDocument.objects.filter(refresh_run_id=claim.run_uuid).delete()
    for documents in chunked(poison, _KEYS_PER_STATEMENT):
        QuarantinedDocument.objects.bulk_create(
            QuarantinedDocument(
                refresh_run_id=claim.run_uuid,
                content_key=document.content_key[:CONTENT_KEY_MAX_LENGTH],
                reason=document.reason[:_REASON_LENGTH],
            )
            for document in documents
        )
