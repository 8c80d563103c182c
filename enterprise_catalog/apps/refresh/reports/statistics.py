"""
Count runs from rows, by the database's clock.

What waits, runs and is held; what ended in the last day, and how; which queries cannot be refreshed; whether workers
are alive. Everything is counted by the database, so that a bad day costs no more than a good one.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, TruncHour

from enterprise_catalog.apps.catalog.freshness import queries_in_use
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.models import TICK, QuarantinedDocument, RefreshRun, Sweep
from enterprise_catalog.apps.refresh.queue.priority import waiting_since

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_OPEN = (RefreshRun.State.QUEUED, RefreshRun.State.RUNNING, RefreshRun.State.HELD)


@dataclass
class HourlyRuns:
    """The runs that ended within an hour, by state, and how many members they added and removed."""

    begins_at: datetime
    states: Counter[str] = field(default_factory=Counter)
    added: int = 0
    removed: int = 0


def count_open_runs() -> dict[str, int]:
    """Count the runs that have not ended, by state; every state is there."""
    return {str(state): RefreshRun.objects.filter(state=state).count() for state in _OPEN}


def longest_wait() -> timedelta:
    """Return how long the longest waiting of the runs that may begin now has waited for a worker."""
    since = waiting_since()
    return max(timedelta(), database_now() - since) if since else timedelta()


def worker_silence() -> timedelta | None:
    """
    Return how long ago a worker last ticked, renewed a lease or ended a run; None if none ever did.

    The tick alone would not do: it waits while all workers are busy.
    """
    tick = Sweep.objects.filter(name=TICK).values_list("due_at", flat=True).first()
    lease = RefreshRun.objects.filter(state=RefreshRun.State.RUNNING).aggregate(until=Max("lease_until"))["until"]
    end = RefreshRun.objects.aggregate(last=Max("finished_at"))["last"]
    dates = ((tick, settings.TICK_SECONDS), (lease, settings.LEASE_SECONDS), (end, 0))
    signs = [due - timedelta(seconds=seconds) for due, seconds in dates if due]
    return max(timedelta(), database_now() - max(signs)) if signs else None


def quarantined_keys() -> int:
    """Count the content keys that runs of the last day quarantined (P7)."""
    ended = RefreshRun.objects.filter(finished_at__gte=database_now() - _DAY).order_by()
    documents = QuarantinedDocument.objects.filter(refresh_run__in=ended.values("pk"))
    return int(documents.aggregate(keys=Count("content_key", distinct=True))["keys"])


def ended_by_hour() -> list[HourlyRuns]:
    """Return the last 24 hours of the clock, the oldest first; the last one has not ended."""
    last = database_now().replace(minute=0, second=0, microsecond=0)
    hours = {begins_at: HourlyRuns(begins_at) for begins_at in (last - ago * _HOUR for ago in reversed(range(24)))}
    ended = RefreshRun.objects.filter(finished_at__gte=min(hours)).order_by().annotate(hour=TruncHour("finished_at"))
    counted = ended.values("hour", "state").annotate(
        runs=Count("pk"), added=Sum(_count("added")), removed=Sum(_count("removed"))
    )
    for row in counted:
        # A run may have ended in an hour that began since `last` was read.
        hour = hours.setdefault(row["hour"], HourlyRuns(row["hour"]))
        hour.states[row["state"]] += row["runs"]
        if row["state"] == RefreshRun.State.PUBLISHED:
            hour.added, hour.removed = row["added"] or 0, row["removed"] or 0
    return list(hours.values())[-24:]


def failures_by_reason() -> Counter[str]:
    """Count the failed runs of the last 24 hours by reason code."""
    failed = RefreshRun.objects.filter(state=RefreshRun.State.FAILED, finished_at__gte=database_now() - _DAY).order_by()
    return Counter(dict(failed.values_list("reason_code").annotate(Count("pk"))))


def most_changed(*, limit: int) -> Counter[int]:
    """Count the members that joined and left queries in use in the last day, by the query's id; none without any."""
    published = RefreshRun.objects.filter(
        state=RefreshRun.State.PUBLISHED, finished_at__gte=database_now() - _DAY
    ).order_by()
    changes = published.filter(catalog_query__in=queries_in_use().values("pk")).values("catalog_query_id")
    counted = changes.annotate(changes=Sum(_count("added") + _count("removed"))).filter(changes__gt=0)
    return Counter(dict(counted.order_by("-changes").values_list("catalog_query_id", "changes")[:limit]))


def failing_queries() -> QuerySet[Any]:
    """
    Select queries in use whose last attempt to refresh failed, however long ago.

    Annotated with `last_run` (uuid), `last_try` (when it ended), `last_state` and `last_reason` of that attempt.
    """
    tried = RefreshRun.objects.filter(catalog_query=OuterRef("pk"), finished_at__isnull=False)
    no_verdict = [reason for reason in Reason if not reason.judges_query]
    last = tried.exclude(reason_code__in=no_verdict).order_by("-requested_at")
    queries = queries_in_use().annotate(
        last_state=Subquery(last.values("state")[:1]), last_reason=Subquery(last.values("reason_code")[:1])
    )
    # Of a rejected run discovery's answer was complete; a human did not want it.
    return queries.filter(~Q(last_reason=Reason.REJECTED), last_state=RefreshRun.State.FAILED).annotate(
        last_run=Subquery(last.values("pk")[:1]), last_try=Subquery(last.values("finished_at")[:1])
    )


def _count(name: str) -> Any:
    """Return one of a run's counts as an expression; 0 if the run has none."""
    return Coalesce(Cast(KT(f"counts__{name}"), IntegerField()), 0)
