"""
Who works on a run: claim, lease and fence.

A claim is one conditional UPDATE, so exactly one worker wins it. The lease is measured by the database's clock and
renewed while the worker makes progress; whoever finds it expired may put the run back. The fence grows with each
claim: a worker that was thought dead and wakes up again still holds the old number, and every statement it tries
changes nothing (P5).
"""

import time
import uuid
from collections.abc import Callable, Sequence
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
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.leases import LeaseLost, in_seconds, lease_end
from enterprise_catalog.apps.refresh.rate_limit import request_budget

log = structlog.get_logger(__name__)
_ASKED_FOR = (RefreshRun.Trigger.REQUEST, RefreshRun.Trigger.OPERATOR)


def askers_of(asked_at: datetime | None, asked_by: list[str] | None) -> frozenset[str]:
    """Who a run counts for; what the version before was asked for, it did not note down by whom."""
    return frozenset(asked_by or [request_budget.OPERATORS]) if asked_at else frozenset()


def background_of(*, is_asked: bool, refreshed_at: datetime | None, now: datetime) -> str | None:
    """
    What of the budget is open to a run beside its askers' part (RUN-7): due, where its query is, or only the schedule
    wants it; first, where its query never published.
    """
    if not is_asked or (refreshed_at and refreshed_at < due_before(now)):
        return request_budget.DUE
    return None if refreshed_at else request_budget.FIRST


def due_before(now: datetime) -> datetime:
    """A query is due that was published before then (P3)."""
    return now - timedelta(hours=settings.REFRESH_INTERVAL_HOURS)


@dataclass(frozen=True)
class Claim:
    """A run this worker owns, the filter it fetches with (REFR-5), and whether somebody waits for it (REFR-4)."""

    run_uuid: uuid.UUID
    query_id: int
    fence: int
    content_filter: dict[str, Any]
    filter_hash: str
    equivalence_key: str
    forced: bool
    asked_for: bool
    requested_at: datetime
    asked_at: datetime | None
    attempts: int
    # Who it counts for, and what else of the budget it may use.
    askers: frozenset[str]
    background: str | None


def claim_runs(run_uuid: uuid.UUID) -> list[Claim]:
    """
    Claim a waiting run, together with waiting runs of other queries that ask discovery the same (REFR-3). Empty when
    the run does not wait any more, or its query is being refreshed right now.
    """
    first = _claim(run_uuid)
    if first is None:
        return []
    key = first.equivalence_key
    others = due_runs().filter(catalog_query__equivalence_key=key)
    claims = [_claim(other, equivalence_key=key) for other in others.order_by("uuid").values_list("pk", flat=True)]
    return [first, *(claim for claim in claims if claim)]


def due_runs() -> QuerySet[RefreshRun]:
    """Runs that wait, and not for another time."""
    return RefreshRun.objects.filter(
        Q(not_before=None) | Q(not_before__lte=DatabaseNow()), state=RefreshRun.State.QUEUED
    )


def owned(claim: Claim) -> QuerySet[RefreshRun]:
    """The run's row, while it is still ours; updating it must change one row."""
    return RefreshRun.objects.filter(pk=claim.run_uuid, fence=claim.fence, state=RefreshRun.State.RUNNING)


@retry_lost_locks
def renew(claims: Sequence[Claim]) -> None:
    """Extend the leases. Raises LeaseLost when one is no longer ours."""
    for claim in claims:
        if not owned(claim).update(lease_until=lease_end()):
            raise LeaseLost(str(claim.run_uuid))


def release(claim: Claim) -> None:
    """Put a claimed run back to wait for another worker."""
    _requeue(owned(claim))


def postpone(claim: Claim, *, seconds: float, why: str, for_budget: bool = False) -> None:
    """
    Put a claimed run back to wait for another time: a pause is a date in a row, not a sleeping worker. `for_budget`: it
    may go on sooner when somebody asks for it who has budget.
    """
    pause = min(seconds, settings.REFRESH_MAX_PAUSE_SECONDS)
    log.info("refresh_postponed", run=str(claim.run_uuid), query=claim.query_id, seconds=pause, why=why)
    # It got as far as it could: workers that were lost before died of something else.
    _requeue(owned(claim), not_before=in_seconds(pause), lost_workers=0, paused_for_budget=for_budget)


def requeue_after_database_failure(claim: Claim) -> None:
    """Put a claimed run back as one whose worker died, after a moment: what it needs to go on is not there."""
    for run in owned(claim):
        _count_lost(owned(claim), run, not_before=in_seconds(settings.DATABASE_FAILURE_PAUSE_SECONDS))


def fail(claim: Claim, *, code: str, detail: str) -> None:
    """End a claimed run as failed; readers keep what they have (REFR-7)."""
    ended = end_runs(owned(claim), state=RefreshRun.State.FAILED, reason_code=code, reason_detail=detail)
    log.warning("refresh_failed", run=str(claim.run_uuid), query=claim.query_id, code=code, detail=detail, ended=ended)


@retry_lost_locks
def end_runs(runs: QuerySet[RefreshRun], *, state: str, **fields: Any) -> int:
    """Move runs to an end state; returns how many were."""
    ended = runs.update(
        state=state, queued_for=None, running_for=None, lease_until=None, finished_at=DatabaseNow(), **fields
    )
    if ended:
        reason = fields.get("reason_code", "")
        transaction.on_commit(partial(metrics.count_ended, state=state, reason=reason, runs=ended))
    return ended


def recover_expired_leases() -> list[uuid.UUID]:
    """
    Put runs of dead workers back to wait, or end them when they wore out too many; returns the uuids of those that
    wait again.
    """
    expired = RefreshRun.objects.filter(state=RefreshRun.State.RUNNING, lease_until__lt=DatabaseNow())
    return [run_uuid for run_uuid in list(expired.values_list("pk", flat=True)) if _recover(run_uuid)]


@retry_lost_locks
@transaction.atomic
def _recover(run_uuid: uuid.UUID) -> bool:
    """True when the run waits again. The lock lets one of several ticks count the worker, and say so."""
    expired = RefreshRun.objects.filter(pk=run_uuid, state=RefreshRun.State.RUNNING, lease_until__lt=DatabaseNow())
    run = expired.select_for_update().first()
    if run is None:
        return False
    metrics.count_lost_worker()
    log.warning("refresh_lease_expired", run=str(run_uuid), lost_workers=run.lost_workers + 1)
    return _count_lost(RefreshRun.objects.filter(pk=run_uuid), run)


@retry_lost_locks
@transaction.atomic
def _claim(run_uuid: uuid.UUID, *, equivalence_key: str | None = None) -> Claim | None:
    waiting = due_runs().filter(pk=run_uuid, catalog_query__isnull=False)
    try:
        with transaction.atomic():
            claimed = waiting.update(
                state=RefreshRun.State.RUNNING,
                queued_for=None,
                running_for=F("catalog_query_id"),
                lease_until=lease_end(),
                fence=F("fence") + 1,
                attempts=F("attempts") + 1,
                started_at=DatabaseNow(),
            )
    except IntegrityError:
        # The query is being refreshed now; this run is claimed when that one ends.
        return None
    if not claimed:
        return None
    run = RefreshRun.objects.get(pk=run_uuid)
    query = CatalogQuery.objects.get(refresh_runs=run_uuid)
    if equivalence_key is not None and query.equivalence_key != equivalence_key:
        # Its filter changed since we looked: it needs a fetch of its own.
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
        # Also one of the schedule's that somebody joined; not one that another beat joined.
        asked_for=run.trigger in _ASKED_FOR or (run.requests > 1 and run.asked_at is not None),
        requested_at=run.requested_at,
        asked_at=run.asked_at,
        attempts=run.attempts,
        askers=askers_of(run.asked_at, run.asked_by),
        background=background_of(is_asked=bool(run.asked_at), refreshed_at=query.refreshed_at, now=database_now()),
    )


def _count_lost(runs: QuerySet[RefreshRun], run: RefreshRun, **fields: Any) -> bool:
    """True when the run waits again; one that wears out its workers ends."""
    lost_workers = run.lost_workers + 1
    if lost_workers < settings.REFRESH_MAX_LOST_WORKERS:
        return _requeue(runs, lost_workers=lost_workers, **fields)
    reason = {"reason_code": "internal_error", "reason_detail": "Its workers died repeatedly."}
    end_runs(runs, state=RefreshRun.State.FAILED, lost_workers=lost_workers, **reason)
    return False


@retry_lost_locks
def _requeue(runs: QuerySet[RefreshRun], **fields: Any) -> bool:
    fields = {"paused_for_budget": False, **fields}
    try:
        with transaction.atomic():
            return bool(
                runs.update(
                    state=RefreshRun.State.QUEUED,
                    queued_for=F("catalog_query_id"),
                    running_for=None,
                    lease_until=None,
                    # Whoever heard of it took it: it is news again.
                    nudged_at=None,
                    **fields,
                )
            )
    except IntegrityError:
        # A newer run of the query waits already and will do this one's work (RUN-2).
        end_runs(
            runs,
            state=RefreshRun.State.FAILED,
            reason_code="superseded",
            reason_detail="A newer run of the query was waiting.",
        )
        return False


class Heartbeat:
    """Calls `renew` while a worker waits, at most six times per lease: each beat is a statement."""

    def __init__(self, renew: Callable[[], None]) -> None:
        self._renew = renew
        self._renewed = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._renewed >= settings.LEASE_SECONDS / 6:
            self._renew()
            self._renewed = time.monotonic()
