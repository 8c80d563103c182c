"""
Which of the waiting runs comes next, when a worker is free or there is budget for some of them only (RUN-7, ADR 0023).

    1. what people asked for, while the budget has room for who asked: first of whoever had the fewest requests to
       discovery in the last hour, and of one's own what was interrupted, then the newest wish
    2. what is due, in the order in which it became so; what never published after what did

A run that several asked for comes when the first of them has the turn. A message of the broker says that there is work,
never which: the rows decide here.
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

# When others claim the first ones under our hands there is a next one, unless very many workers look at once.
_CANDIDATES = 20


@dataclass(frozen=True)
class _Wish:
    """A waiting run that people asked for."""

    uuid: UUID
    askers: frozenset[str]
    asked_at: datetime
    since: datetime
    requested_at: datetime
    is_interrupted: bool

    def turn(self, hour: HourlyUsage) -> tuple[int, bool, float, datetime, UUID]:
        had = min(hour.used_by(asker) for asker in self.askers)
        return had, not self.is_interrupted, -self.asked_at.timestamp(), self.requested_at, self.uuid


def startable_runs(*, limit: int, among: Q | None = None) -> list[UUID]:
    """
    Waiting runs that could begin now, whose turn it is first; none for which the budget has no room. `among`: only of
    these.
    """
    hour, waiting = request_budget.last_hour(), _idle_runs().filter(among or Q())
    asked = [wish.uuid for wish in _wishes_in_turn(waiting, hour)][:limit]
    if len(asked) == limit:
        return asked
    others = _background_runs(waiting, hour).values_list("pk", flat=True)[:limit]
    return list(dict.fromkeys([*asked, *others]))[:limit]


def waiting_since() -> datetime | None:
    """Since when the first of the runs that could begin now has waited for a worker."""
    hour, waiting = request_budget.last_hour(), _idle_runs()
    others = _background_runs(waiting, hour).order_by()
    of_others = others.aggregate(since=Min(Coalesce("not_before", "requested_at")))["since"]
    moments = [wish.since for wish in _wishes_in_turn(waiting, hour)]
    return min([*moments, of_others] if of_others else moments, default=None)


def claim_next() -> list[Claim]:
    """The run whose turn it is, with those that ask the same (REFR-3); empty when there is nothing to do."""
    for run_uuid in startable_runs(limit=_CANDIDATES):
        claims = claim_runs(run_uuid)
        if claims:
            return claims
    return []


def _idle_runs() -> QuerySet[RefreshRun]:
    """Runs that wait, and whose query is not being refreshed."""
    busy = RefreshRun.objects.filter(running_for=OuterRef("queued_for"))
    return due_runs().filter(~Exists(busy), catalog_query__isnull=False)


def _wishes_in_turn(waiting: QuerySet[RefreshRun], hour: HourlyUsage) -> list[_Wish]:
    rows = waiting.filter(asked_at__isnull=False).order_by()
    columns = ("pk", "asked_by", "asked_at", "not_before", "requested_at", "paused_for_budget")
    wishes = [
        _Wish(pk, askers_of(asked_at, asked_by), asked_at, not_before or requested_at, requested_at, bool(interrupted))
        for pk, asked_by, asked_at, not_before, requested_at, interrupted in rows.values_list(*columns)
    ]
    able = [wish for wish in wishes if hour.asker_may_begin(wish.askers)]
    return sorted(able, key=lambda wish: wish.turn(hour))


def _background_runs(waiting: QuerySet[RefreshRun], hour: HourlyUsage) -> QuerySet[RefreshRun]:
    """Those that more than their askers' part is open to (`claims.background_of`)."""
    is_asked, never = Q(asked_at__isnull=False), Q(catalog_query__refreshed_at=None)
    is_due = ~is_asked | Q(catalog_query__refreshed_at__lt=due_before(database_now()))
    runs = waiting
    if not hour.background_may_begin(request_budget.DUE):
        runs = runs.filter(~is_due)
    if not hour.background_may_begin(request_budget.FIRST):
        runs = runs.filter(is_due)
    return runs.filter(is_due | never).order_by(Case(When(never, then=1), default=0), "requested_at", "pk")
