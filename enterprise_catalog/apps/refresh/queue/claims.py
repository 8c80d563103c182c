"""
Claim, renew, postpone, end and recover refresh runs by lease (`refresh.queue.leases`).

Two unique columns let the database allow at most one waiting and one running run per query (P4). A waiting run has its
query's id in `queued_for`, a running one in `running_for`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.db.clock import DatabaseNow, database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.observability import metrics
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue import leases
from enterprise_catalog.apps.refresh.rate_limit import request_budget

log = structlog.get_logger(__name__)
_ASKED_FOR = (RefreshRun.Trigger.REQUEST, RefreshRun.Trigger.OPERATOR)


def askers_of(asked_at: datetime | None, asked_by: list[str] | None) -> frozenset[str]:
    """Return who the requests of a run count for. Rows of an older version do not say who asked."""
    return frozenset(asked_by or [request_budget.OPERATORS]) if asked_at else frozenset()


def background_of(*, is_asked: bool, refreshed_at: datetime | None, now: datetime) -> str | None:
    """
    Return which part of the budget a run may use beside its askers' part (RUN-7).

    DUE if its query is due, or if only the schedule asked; FIRST if its query never published; else None.
    """
    if not is_asked or (refreshed_at and refreshed_at < due_before(now)):
        return request_budget.DUE
    return None if refreshed_at else request_budget.FIRST


def due_before(now: datetime) -> datetime:
    """Return the time before which a query must have been published to be due (P3)."""
    return now - timedelta(hours=settings.REFRESH_INTERVAL_HOURS)


@dataclass(frozen=True)
class Claim:
    """A run that this worker owns, with the filter that it fetches with (REFR-5)."""

    run_uuid: uuid.UUID
    query_id: int
    fence: int
    content_filter: dict[str, Any]
    filter_hash: str
    equivalence_key: str
    forced: bool
    # Somebody waits for it (REFR-4).
    asked_for: bool
    requested_at: datetime
    asked_at: datetime | None
    attempts: int
    # Whose part of the budget it may use, and which part beside that.
    askers: frozenset[str]
    background: str | None


def claim_runs(run_uuid: uuid.UUID) -> list[Claim]:
    """
    Claim a waiting run, and with it waiting runs of other queries that ask discovery for the same (REFR-3).

    Returns nothing if the run does not wait any more, or if its query is being refreshed.
    """
    first = _claim(run_uuid)
    if first is None:
        return []
    key = first.equivalence_key
    others = due_runs().filter(catalog_query__equivalence_key=key)
    claims = [_claim(other, equivalence_key=key) for other in others.order_by("uuid").values_list("pk", flat=True)]
    return [first, *(claim for claim in claims if claim)]


def due_runs() -> QuerySet[RefreshRun]:
    """Select waiting runs that are not postponed to a later time."""
    return RefreshRun.objects.filter(
        Q(not_before=None) | Q(not_before__lte=DatabaseNow()), state=RefreshRun.State.QUEUED
    )


def owned(claim: Claim) -> QuerySet[RefreshRun]:
    """Select the run while this claim owns it; an update of an owned run changes one row."""
    return leases.owned(RefreshRun.objects.all(), claim.run_uuid, claim.fence)


def renew(claims: Sequence[Claim]) -> None:
    """Extend the leases. Raises LeaseLost if a run is not owned any more."""
    for claim in claims:
        leases.renew(owned(claim), claim.run_uuid)


def release(claim: Claim) -> None:
    """Put a claimed run back to wait for another worker."""
    _requeue(owned(claim))


def postpone(claim: Claim, *, seconds: float, why: str, for_budget: bool = False) -> None:
    """
    Put a claimed run back and let nobody claim it for this long, so that no worker sleeps meanwhile.

    `for_budget`: it may start sooner when somebody who has budget left asks for it.
    """
    pause = min(seconds, settings.REFRESH_MAX_PAUSE_SECONDS)
    log.info("refresh_postponed", run=str(claim.run_uuid), query=claim.query_id, seconds=pause, why=why)
    # A run that got this far does not kill its workers, so the workers lost before do not count any more.
    _requeue(owned(claim), not_before=leases.in_seconds(pause), lost_workers=0, paused_for_budget=for_budget)


def requeue_after_database_failure(claim: Claim) -> None:
    """Requeue the run after DATABASE_FAILURE_PAUSE_SECONDS and count one lost worker, because the database failed."""
    for run in owned(claim):
        _count_lost(owned(claim), run, not_before=leases.in_seconds(settings.DATABASE_FAILURE_PAUSE_SECONDS))


def fail(claim: Claim, *, code: Reason, detail: str) -> None:
    """End a claimed run as failed; readers keep what they have (REFR-7)."""
    ended = end_runs(owned(claim), state=RefreshRun.State.FAILED, code=code, detail=detail)
    log.warning("refresh_failed", run=str(claim.run_uuid), query=claim.query_id, code=code, detail=detail, ended=ended)


def supersede(runs: QuerySet[RefreshRun], detail: str) -> None:
    """End runs that wait or are held as superseded: another run does their work, or nothing is left to publish to."""
    end_runs(
        runs.filter(state__in=[RefreshRun.State.QUEUED, RefreshRun.State.HELD]),
        state=RefreshRun.State.FAILED,
        code=Reason.SUPERSEDED,
        detail=detail,
    )


@retry_lost_locks
def end_runs(
    runs: QuerySet[RefreshRun],
    *,
    state: str,
    code: Reason | None = None,
    detail: str = "",
    held_keys: bytes | None = None,
    **columns: Any,
) -> int:
    """Move runs to an end state, and replace their reason and what they hold; return how many there were."""
    places = {"queued_for": None, "running_for": None}
    reason = {"reason_code": code or "", "reason_detail": detail}
    ended = leases.end(runs, state=state, held_keys=held_keys, **places, **reason, **columns)
    if ended:
        transaction.on_commit(partial(metrics.count_ended, state=state, reason=code or "", runs=ended))
    return ended


def recover_expired_leases() -> list[uuid.UUID]:
    """Requeue the runs of dead workers, or end those that lost too many; return the uuids of the requeued ones."""
    return leases.recover_expired(RefreshRun.objects.all(), _recover)


def _recover(run: RefreshRun) -> bool:
    metrics.count_lost_worker()
    log.warning("refresh_lease_expired", run=str(run.pk), lost_workers=run.lost_workers + 1)
    return _count_lost(RefreshRun.objects.filter(pk=run.pk), run)


@retry_lost_locks
@transaction.atomic
def _claim(run_uuid: uuid.UUID, *, equivalence_key: str | None = None) -> Claim | None:
    waiting = due_runs().filter(pk=run_uuid, catalog_query__isnull=False)
    # It fails while the query is being refreshed; the run is claimed when that one ends.
    if not leases.claim(waiting, queued_for=None, running_for=F("catalog_query_id")):
        return None
    run = RefreshRun.objects.get(pk=run_uuid)
    query = CatalogQuery.objects.get(refresh_runs=run_uuid)
    if equivalence_key is not None and query.equivalence_key != equivalence_key:
        # Its filter changed since it was selected, so it needs a fetch of its own.
        _requeue(RefreshRun.objects.filter(pk=run_uuid))
        return None
    RefreshRun.objects.filter(pk=run_uuid).update(filter_hash=query.content_filter_hash)
    return Claim(
        run_uuid=run_uuid,
        query_id=query.pk,
        fence=run.fence,
        content_filter=query.content_filter,
        filter_hash=query.content_filter_hash,
        equivalence_key=query.equivalence_key,
        forced=run.forced,
        # Also a run of the schedule that somebody joined, but not one that another beat joined.
        asked_for=run.trigger in _ASKED_FOR or (run.requests > 1 and run.asked_at is not None),
        requested_at=run.requested_at,
        asked_at=run.asked_at,
        attempts=run.attempts,
        askers=askers_of(run.asked_at, run.asked_by),
        background=background_of(is_asked=bool(run.asked_at), refreshed_at=query.refreshed_at, now=database_now()),
    )


def _count_lost(runs: QuerySet[RefreshRun], run: RefreshRun, **columns: Any) -> bool:
    """Count a lost worker. Return True if the run waits again; one that lost too many ends."""
    lost = run.lost_workers + 1
    if lost < settings.REFRESH_MAX_LOST_WORKERS:
        return _requeue(runs, lost_workers=lost, **columns)
    detail = "Its workers died repeatedly."
    end_runs(runs, state=RefreshRun.State.FAILED, code=Reason.INTERNAL_ERROR, detail=detail, lost_workers=lost)
    return False


@retry_lost_locks
def _requeue(runs: QuerySet[RefreshRun], *, paused_for_budget: bool = False, **columns: Any) -> bool:
    places = {"queued_for": F("catalog_query_id"), "running_for": None}
    try:
        return leases.release(runs, paused_for_budget=paused_for_budget, **places, **columns)
    except IntegrityError:
        # A newer run of the query waits already and will do this one's work (RUN-2).
        detail = "A newer run of the query was waiting."
        end_runs(runs, state=RefreshRun.State.FAILED, code=Reason.SUPERSEDED, detail=detail)
        return False
