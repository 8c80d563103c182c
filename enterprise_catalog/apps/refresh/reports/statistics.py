"""
The work in figures, from rows, by the database's clock: what waits, runs and is held, what ended in the last day and
how, which queries cannot be refreshed, and whether workers live. Reads only; the same for whoever looks, on whichever
machine, and counted by the database, so that a bad day costs no more to look at than a good one.
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
class Hour:
    """What ended within an hour, and what that changed."""

    begins_at: datetime
    states: Counter[str] = field(default_factory=Counter)
    added: int = 0
    removed: int = 0


def count_open_runs() -> dict[str, int]:
    """Runs that have not ended, by state; every state is there."""
    return {str(state): RefreshRun.objects.filter(state=state).count() for state in _OPEN}


def longest_wait() -> timedelta:
    """How long the first of the runs that could begin now has waited for a worker."""
    since = waiting_since()
    return max(timedelta(), database_now() - since) if since else timedelta()


def worker_silence() -> timedelta | None:
    """
    How long no worker has shown life, by doing what beat asks for, by renewing a lease or by ending a run; None when
    none ever did. While all workers are busy, what beat asks for waits, too.
    """
    tick = Sweep.objects.filter(name=TICK).values_list("due_at", flat=True).first()
    lease = RefreshRun.objects.filter(state=RefreshRun.State.RUNNING).aggregate(until=Max("lease_until"))["until"]
    end = RefreshRun.objects.aggregate(last=Max("finished_at"))["last"]
    dates = ((tick, settings.TICK_SECONDS), (lease, settings.LEASE_SECONDS), (end, 0))
    signs = [due - timedelta(seconds=seconds) for due, seconds in dates if due]
    return max(timedelta(), database_now() - max(signs)) if signs else None


def quarantined_keys() -> int:
    """Keys of documents that runs of the last day set aside (P7)."""
    lately = RefreshRun.objects.filter(finished_at__gte=database_now() - _DAY).order_by()
    documents = QuarantinedDocument.objects.filter(refresh_run__in=lately.values("pk"))
    return int(documents.aggregate(keys=Count("content_key", distinct=True))["keys"])


def ended_by_hour() -> list[Hour]:
    """The last 24 hours by the clock, the oldest first; the last one is under way."""
    last = database_now().replace(minute=0, second=0, microsecond=0)
    hours = {begins_at: Hour(begins_at) for begins_at in (last - ago * _HOUR for ago in reversed(range(24)))}
    ended = RefreshRun.objects.filter(finished_at__gte=min(hours)).order_by().annotate(hour=TruncHour("finished_at"))
    counted = ended.values("hour", "state").annotate(
        runs=Count("pk"), added=Sum(_count("added")), removed=Sum(_count("removed"))
    )
    for row in counted:
        # One that ended just now may be of an hour that began since.
        hour = hours.setdefault(row["hour"], Hour(row["hour"]))
        hour.states[row["state"]] += row["runs"]
        if row["state"] == RefreshRun.State.PUBLISHED:
            hour.added, hour.removed = row["added"] or 0, row["removed"] or 0
    return list(hours.values())[-24:]


def failures_by_reason() -> Counter[str]:
    """Of the last day."""
    failed = RefreshRun.objects.filter(state=RefreshRun.State.FAILED, finished_at__gte=database_now() - _DAY).order_by()
    return Counter(dict(failed.values_list("reason_code").annotate(Count("pk"))))


def most_changed(*, limit: int) -> Counter[int]:
    """How much joined and left the queries in use in the last day, by the query's id, where anything did."""
    published = RefreshRun.objects.filter(
        state=RefreshRun.State.PUBLISHED, finished_at__gte=database_now() - _DAY
    ).order_by()
    changes = published.filter(catalog_query__in=queries_in_use().values("pk")).values("catalog_query_id")
    counted = changes.annotate(changes=Sum(_count("added") + _count("removed"))).filter(changes__gt=0)
    return Counter(dict(counted.order_by("-changes").values_list("catalog_query_id", "changes")[:limit]))


def failing_queries() -> QuerySet[Any]:
    """
    Queries in use that could not be refreshed when it was last tried, however long ago. `last_run` is the uuid of that
    run.
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
    """One of a run's counts, nothing where it has none."""
    return Coalesce(Cast(KT(f"counts__{name}"), IntegerField()), 0)
