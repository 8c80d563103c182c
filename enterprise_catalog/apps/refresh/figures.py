"""
The work in figures, from rows, by the database's clock: what waits, runs and is held, what ended in the last day and
how, and whether beat and workers live. Reads only; the same for whoever looks, on whichever machine.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min
from django.db.models.functions import Coalesce

from enterprise_catalog.apps.core.db import database_now
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun, Sweep
from enterprise_catalog.apps.refresh.queue import startable_runs
from enterprise_catalog.apps.refresh.schedule import TICK

State = RefreshRun.State

_DAY = timedelta(days=1)
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
    """What ended. `changed` counts what joined and left, by the query's id."""

    hours: list[Hour]
    failed: Counter[str]
    changed: Counter[int]


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
    ended: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    failed: Counter[str] = Counter()
    changed: Counter[int] = Counter()
    for state, reason, finished_at, counts, query_id in _ended_since(now - _DAY):
        ended.setdefault(_hours_ago(now, finished_at), []).append((state, counts))
        if state == State.FAILED:
            failed[reason] += 1
        if state == State.PUBLISHED and (changes := _count(counts, "added") + _count(counts, "removed")):
            changed[query_id] += changes
    begin = now.replace(minute=0, second=0, microsecond=0)
    hours = [_hour(begin - timedelta(hours=ago), ended.get(ago, [])) for ago in reversed(range(24))]
    return LastDay(hours=hours, failed=failed, changed=changed)


def _ended_since(begin: datetime) -> Iterable[tuple[str, str, datetime, dict[str, Any], int]]:
    columns = ("state", "reason_code", "finished_at", "counts", "catalog_query_id")
    for state in (State.PUBLISHED, State.FAILED, State.HELD):
        # What was asked for earlier has ended (REFRESH_MAX_POSTPONED_HOURS); the index knows when that was.
        runs = RefreshRun.objects.filter(state=state, requested_at__gte=begin - _DAY, finished_at__gte=begin)
        yield from runs.order_by().values_list(*columns)


def _hour(begins_at: datetime, ended: list[tuple[str, dict[str, Any]]]) -> Hour:
    published = [counts for state, counts in ended if state == State.PUBLISHED]
    return Hour(
        begins_at=begins_at,
        states=Counter(state for state, _ in ended),
        added=sum(_count(counts, "added") for counts in published),
        removed=sum(_count(counts, "removed") for counts in published),
    )


def _hours_ago(now: datetime, moment: datetime) -> int:
    begin = now.replace(minute=0, second=0, microsecond=0)
    return max(0, -((moment - begin) // timedelta(hours=1)))


def _count(counts: dict[str, Any] | None, name: str) -> int:
    return int((counts or {}).get(name, 0))
