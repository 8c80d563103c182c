"""
The work in figures, from rows, by the database's clock: what waits, runs and is held, what ended in the last day and
how, and whether beat and workers live. Reads only; the same for whoever looks, on whichever machine.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min
from django.db.models.functions import Coalesce

from enterprise_catalog.apps.core.db import database_now
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun, Sweep
from enterprise_catalog.apps.refresh.queue import startable_runs
from enterprise_catalog.apps.refresh.schedule import TICK

State = RefreshRun.State

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
# Ends that say nothing about whether a query can be refreshed.
_NO_VERDICT = ("superseded", "filter_changed", "rejected")
_OPEN = (State.QUEUED, State.RUNNING, State.HELD)


@dataclass(frozen=True)
class Hour:
    """What ended within an hour."""

    begins_at: datetime
    states: Counter[str] = field(default_factory=Counter)
    added: int = 0
    removed: int = 0


@dataclass(frozen=True)
class LastDay:
    """
    What ended. `changed` counts what joined and left, by the query's id; `failing` are the runs of queries that ended
    last as a failure, the newest first.
    """

    hours: list[Hour]
    failed: Counter[str]
    changed: Counter[int]
    failing: list[UUID]


class _Ended(NamedTuple):
    """Columns of a run."""

    uuid: UUID
    state: str
    reason_code: str
    finished_at: datetime
    counts: dict[str, Any] | None
    catalog_query_id: int | None


def open_runs() -> dict[str, int]:
    """Runs that have not ended, by state; every state is there."""
    counts = dict.fromkeys(map(str, _OPEN), 0)
    # Filtered one by one: a list of states is no range of the index.
    for state in _OPEN:
        counts[state] = RefreshRun.objects.filter(state=state).count()
    return counts


def longest_wait() -> timedelta:
    """How long the first of the runs that could begin now has waited for a worker."""
    since = startable_runs().order_by().aggregate(since=Min(Coalesce("not_before", "requested_at")))["since"]
    return max(timedelta(), database_now() - since) if since else timedelta()


def last_tick() -> timedelta | None:
    """How long ago a worker last did what beat asks for; None when none ever did."""
    due_at = Sweep.objects.filter(name=TICK).values_list("due_at", flat=True).first()
    if due_at is None:
        return None
    return max(timedelta(), database_now() - due_at + timedelta(seconds=settings.TICK_SECONDS))


def quarantined_keys() -> int:
    """Keys of documents that runs of the last day set aside (P7)."""
    lately = QuarantinedDocument.objects.filter(refresh_run__requested_at__gte=database_now() - _DAY)
    return int(lately.aggregate(keys=Count("content_key", distinct=True))["keys"])


def last_day() -> LastDay:
    """By the hour, the oldest first; the last one is under way."""
    now = database_now()
    ended = sorted(_ended_since(now - _DAY), key=lambda run: run.finished_at)
    published = [run for run in ended if run.state == State.PUBLISHED]
    changed: Counter[int] = Counter()
    for run in published:
        if run.catalog_query_id and (changes := _count(run, "added") + _count(run, "removed")):
            changed[run.catalog_query_id] += changes
    last = {run.catalog_query_id: run for run in ended if run.reason_code not in _NO_VERDICT}
    failing = [run for run in last.values() if run.state == State.FAILED and run.catalog_query_id]
    begin = now.replace(minute=0, second=0, microsecond=0)
    return LastDay(
        hours=[_hour(begin - timedelta(hours=ago), ended) for ago in reversed(range(24))],
        failed=Counter(run.reason_code for run in ended if run.state == State.FAILED),
        changed=changed,
        failing=[run.uuid for run in sorted(failing, key=lambda run: run.finished_at, reverse=True)],
    )


def _ended_since(begin: datetime) -> Iterator[_Ended]:
    for state in (State.PUBLISHED, State.FAILED, State.HELD):
        # What was asked for earlier has ended (REFRESH_MAX_POSTPONED_HOURS); the index knows when that was.
        runs = RefreshRun.objects.filter(state=state, requested_at__gte=begin - _DAY, finished_at__gte=begin)
        yield from map(_Ended._make, runs.order_by().values_list(*_Ended._fields))


def _hour(begins_at: datetime, ended: Sequence[_Ended]) -> Hour:
    begin, end = (bisect_left(ended, begins_at + hours * _HOUR, key=lambda run: run.finished_at) for hours in (0, 1))
    within = ended[begin:end]
    published = [run for run in within if run.state == State.PUBLISHED]
    return Hour(
        begins_at=begins_at,
        states=Counter(run.state for run in within),
        added=sum(_count(run, "added") for run in published),
        removed=sum(_count(run, "removed") for run in published),
    )


def _count(run: _Ended, name: str) -> int:
    return int((run.counts or {}).get(name, 0))
