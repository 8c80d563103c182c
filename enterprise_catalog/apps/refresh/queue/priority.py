"""
Decide which waiting run comes next when a worker is free, or when the budget is enough for some only (RUN-7, ADR 0023).

    1. Runs that people asked for, while the askers have budget left: first those of the asker with the fewest requests
       to discovery in the last hour. Of one asker's runs, interrupted ones come first, then the newest.
    2. Runs that are due, in the order in which they became due. Queries that never published come last.

A run that several people asked for is ranked by the asker with the fewest requests. A message of the broker only says
that there is work; the next run is chosen here, from rows.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Exists, Min, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import Claim, askers_of, claim_runs, due_before, due_runs
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.request_budget import HourlyUsage

# Other workers may claim the first ones meanwhile, so there are more than one.
_CANDIDATES = 20


@dataclass(frozen=True)
class _RequestedRun:
    """A waiting run that people asked for; `since` is when it could begin."""

    uuid: UUID
    askers: frozenset[str]
    asked_at: datetime
    since: datetime
    requested_at: datetime
    is_interrupted: bool

    def sort_key(self, hour: HourlyUsage) -> tuple[int, bool, float, datetime, UUID]:
        used = min(hour.used_by(asker) for asker in self.askers)
        return used, not self.is_interrupted, -self.asked_at.timestamp(), self.requested_at, self.uuid


def startable_runs(*, limit: int, among: Q | None = None) -> list[UUID]:
    """Return the waiting runs that may begin now and have budget left, the next one first. `among` filters runs."""
    hour, waiting = request_budget.last_hour(), _idle_runs().filter(among or Q())
    asked = [run.uuid for run in _requested_runs(waiting, hour)][:limit]
    if len(asked) == limit:
        return asked
    others = _background_runs(waiting, hour).values_list("pk", flat=True)[:limit]
    return list(dict.fromkeys([*asked, *others]))[:limit]


def waiting_since() -> datetime | None:
    """Return since when the longest waiting of the runs that may begin now has waited for a worker."""
    hour, waiting = request_budget.last_hour(), _idle_runs()
    others = _background_runs(waiting, hour).order_by()
    of_others = others.aggregate(since=Min(Coalesce("not_before", "requested_at")))["since"]
    times = [run.since for run in _requested_runs(waiting, hour)]
    return min([*times, of_others] if of_others else times, default=None)


def claim_next() -> list[Claim]:
    """Claim the next run, with those that ask discovery for the same (REFR-3). Returns nothing if none may begin."""
    for run_uuid in startable_runs(limit=_CANDIDATES):
        claims = claim_runs(run_uuid)
        if claims:
            return claims
    return []


def _idle_runs() -> QuerySet[RefreshRun]:
    """Select waiting runs whose query is not being refreshed."""
    busy = RefreshRun.objects.filter(running_for=OuterRef("queued_for"))
    return due_runs().filter(~Exists(busy), catalog_query__isnull=False)


def _requested_runs(waiting: QuerySet[RefreshRun], hour: HourlyUsage) -> list[_RequestedRun]:
    rows = waiting.filter(asked_at__isnull=False).order_by()
    columns = ("pk", "asked_by", "asked_at", "not_before", "requested_at", "paused_for_budget")
    runs = [
        _RequestedRun(
            pk, askers_of(asked_at, asked_by), asked_at, not_before or requested_at, requested_at, bool(interrupted)
        )
        for pk, asked_by, asked_at, not_before, requested_at, interrupted in rows.values_list(*columns)
    ]
    startable = [run for run in runs if hour.asker_may_begin(run.askers)]
    return sorted(startable, key=lambda run: run.sort_key(hour))


def _background_runs(waiting: QuerySet[RefreshRun], hour: HourlyUsage) -> QuerySet[RefreshRun]:
    """Select runs that may use more than their askers' part, and may begin (see `claims.background_of`)."""
    is_asked, never = Q(asked_at__isnull=False), Q(catalog_query__refreshed_at=None)
    is_due = ~is_asked | Q(catalog_query__refreshed_at__lt=due_before(database_now()))
    runs = waiting
    if not hour.background_may_begin(request_budget.DUE):
        runs = runs.filter(~is_due)
    if not hour.background_may_begin(request_budget.FIRST):
        runs = runs.filter(is_due)
    return runs.filter(is_due | never).order_by(Case(When(never, then=1), default=0), "requested_at", "pk")
