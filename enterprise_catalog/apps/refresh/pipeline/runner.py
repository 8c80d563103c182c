"""
Run one refresh, from claim to end.

    1. claim the run, and others that ask discovery for the same, while the budget has capacity
       (`refresh.queue.priority`)
    2. fetch the whole search result, the full records of members that are new, changed or due, and what single queries
       need beside it; or fail
    3. store the documents that differ
    4. publish the keys for each claimed run, or hold them

Nothing that readers see changes before everything is fetched (REFR-7). The worker renews its leases while it waits and
before each batch it writes. When it has lost one it stops at once.
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
from enterprise_catalog.apps.catalog.storage.comparison import stored_states
from enterprise_catalog.apps.catalog.storage.content_store import StoreReport, store_contents
from enterprise_catalog.apps.core.db.batching import upsert
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.observability.metrics import count_refresh
from enterprise_catalog.apps.discovery import errors
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.search_documents import QuarantinedContent
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.models import QuarantinedDocument
from enterprise_catalog.apps.refresh.pipeline.fetching import FetchResult, fetch_for_claims
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold, report_quarantined
from enterprise_catalog.apps.refresh.pipeline.publishing import FilterChanged
from enterprise_catalog.apps.refresh.queue.claims import (
    Claim,
    claim_runs,
    due_runs,
    fail,
    postpone,
    release,
    renew,
    requeue_after_database_failure,
)
from enterprise_catalog.apps.refresh.queue.leases import Heartbeat, LeaseLost
from enterprise_catalog.apps.refresh.queue.priority import claim_next
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.fetch_session import BudgetedSession, BudgetExhausted
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers

log = structlog.get_logger(__name__)

_KEYS_PER_STATEMENT = 1000


def refresh_next() -> list[UUID]:
    """Refresh the run that comes next. Return the runs that now wait for the same queries, to be announced."""
    return _refresh(claim_next())


def refresh(run_uuid: UUID) -> list[UUID]:
    """Refresh this run if it still waits. Return the runs that now wait for the same queries, to be announced."""
    return _refresh(claim_runs(run_uuid))


def _refresh(claims: Sequence[Claim]) -> list[UUID]:
    """
    Refresh these claims. When this returns, each run has ended, waits again, or belongs to another worker.

    If the database is unavailable, the leases expire by themselves. The first run's uuid is sent to discovery as the
    request id.
    """
    if not claims:
        return []
    started = time.monotonic()
    try:
        with bound_contextvars(request_id=str(claims[0].run_uuid)):
            _refresh_claimed(claims)
    except (OperationalError, InterfaceError) as error:
        _requeue_after_database_failure(claims, error)
        return []
    except BudgetExhausted:
        _interrupt(claims)
    except LeaseLost as error:
        log.warning("refresh_lease_lost", run=str(error))
        for claim in claims:
            release(claim)
    except errors.DiscoveryError as error:
        _end_after_error(claims, error)
    except Exception as error:
        log.exception("refresh_crashed", runs=[str(claim.run_uuid) for claim in claims])
        for claim in claims:
            fail(claim, code=Reason.INTERNAL_ERROR, detail=type(error).__name__)
    count_refresh(seconds=time.monotonic() - started)
    query_ids = [claim.query_id for claim in claims]
    return list(due_runs().filter(queued_for__in=query_ids).values_list("pk", flat=True))


def _requeue_after_database_failure(claims: Sequence[Claim], error: DatabaseError | InterfaceError) -> None:
    log.warning("refresh_database_failed", runs=[str(claim.run_uuid) for claim in claims], error=repr(error))
    # The connection, or its transaction, may be broken.
    connection.close()
    # If the database is still unavailable, the leases expire by themselves.
    with suppress(DatabaseError, InterfaceError):
        for claim in claims:
            requeue_after_database_failure(claim)


def _end_after_error(claims: Sequence[Claim], error: errors.DiscoveryError) -> None:
    """Postpone runs as long as discovery demands (RUN-2), for REFRESH_MAX_POSTPONED_HOURS in all; fail all others."""
    pause = error.retry_after if isinstance(error, errors.DiscoveryUnavailable) else None
    for claim in claims:
        if pause is not None and pause > settings.SERVICE_MAX_WAIT_SECONDS and not _waits_too_long(claim):
            postpone(claim, seconds=pause, why=error.detail)
        else:
            fail(claim, code=Reason.of(error), detail=error.detail)


def _interrupt(claims: Sequence[Claim]) -> None:
    """Postpone runs that the budget interrupted; fail those that were interrupted too often."""
    for claim in claims:
        if claim.attempts < settings.REFRESH_MAX_ATTEMPTS:
            pause = settings.DISCOVERY_BUDGET_PAUSE_SECONDS
            postpone(claim, seconds=pause, why="no budget for requests is left", for_budget=True)
        else:
            fail(claim, code=Reason.DISCOVERY_THROTTLED, detail="It needs more requests than the budget has for it.")


def _waits_too_long(claim: Claim) -> bool:
    return database_now() - claim.requested_at > timedelta(hours=settings.REFRESH_MAX_POSTPONED_HOURS)


def _refresh_claimed(claims: Sequence[Claim]) -> None:
    fetched = _fetch(claims)
    assert_lease = partial(renew, claims)
    stored = store_contents(contents=fetched.contents, records=fetched.records, assert_lease=assert_lease)
    _record_requests(fetched.requested_records)
    for position, claim in enumerate(claims):
        renew(claims[position:])
        _finish(claim, fetched, stored)


def _fetch(claims: Sequence[Claim]) -> FetchResult:
    asked_at = [claim.asked_at for claim in claims if claim.asked_at]
    session = BudgetedSession(claims[0].equivalence_key, _consumers(claims), asked_at=asked_at)
    complete = False
    try:
        heartbeat = Heartbeat(partial(renew, claims))
        fetched = fetch_for_claims(claims=claims, client=DiscoveryClient(on_wait=heartbeat, session=session))
        complete = True
    except (errors.DiscoveryIncomplete, errors.DiscoveryMalformed, errors.WindowExceeded):
        # The answers are wrong, so the next fetch must request them again.
        session.clear()
        raise
    finally:
        session.close(complete=complete)
    return fetched


def _consumers(claims: Sequence[Claim]) -> Consumers:
    """Return who this fetch counts for: everybody who asked for any of the runs that it serves."""
    askers = frozenset[str]().union(*(claim.askers for claim in claims))
    backgrounds = {claim.background for claim in claims}
    return Consumers(askers, next((it for it in (request_budget.DUE, request_budget.FIRST) if it in backgrounds), None))


def _record_requests(keys: Sequence[str]) -> None:
    now = database_now()
    for chunk in chunked(sorted(keys), _KEYS_PER_STATEMENT):
        rows = [FullRecordRequest(content_key=key, requested_at=now) for key in chunk]
        upsert(FullRecordRequest, rows, update_fields=["requested_at"])


def _finish(claim: Claim, fetched: FetchResult, stored: StoreReport) -> None:
    specific = fetched.by_run[claim.run_uuid]
    not_built = [QuarantinedContent(key, reason) for key, reason in stored.unusable.items()]
    quarantined = [*fetched.quarantined, *specific.quarantined, *not_built]
    # A content that could not be built is shown as it was stored before. One that was never stored cannot be a member.
    missing = stored.unusable.keys() - stored_states(sorted(stored.unusable)).keys()
    _report_quarantined(claim, quarantined)
    try:
        publish_or_hold(
            claim=claim,
            content_keys={*fetched.found_keys, *specific.forced_keys} - missing,
            overrides=[override for override in specific.overrides if override.content_key not in missing],
            counts={
                "fetched": fetched.search.fetched,
                "skipped": fetched.search.skipped,
                "quarantined": len(quarantined),
            },
        )
    except FilterChanged:
        fail(claim, code=Reason.FILTER_CHANGED, detail="The content filter changed while this run fetched.")
    except QueryGone:
        fail(claim, code=Reason.SUPERSEDED, detail="Its catalog query no longer exists.")


@retry_lost_locks
@transaction.atomic
def _report_quarantined(claim: Claim, quarantined: Sequence[QuarantinedContent]) -> None:
    """Store what the run quarantined in place of what an earlier attempt of it reported (P7)."""
    QuarantinedDocument.objects.filter(refresh_run_id=claim.run_uuid).delete()
    report_quarantined(claim.run_uuid, quarantined)
