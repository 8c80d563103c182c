"""
Enqueue runs of queries that are due, and recover what was lost (P3, P5).

Any number of beats may tick at the same time: each step is a conditional statement, or joins a row that exists.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.freshness import queries_in_use
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import TICK, RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import due_before, recover_expired_leases, supersede
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.queue.priority import startable_runs
from enterprise_catalog.apps.refresh.queue.renotify import due_for_renotification, stamp_notified
from enterprise_catalog.apps.refresh.scheduling.periodic_jobs import claim_job

log = structlog.get_logger(__name__)

_CANDIDATES = 100


def tick() -> list[UUID]:
    """Recover, enqueue what is due, and return the waiting runs whose notification is to be repeated."""
    # Every worker ticks, whether it gets the job or not: the job's date only shows that beat and a worker are alive.
    claim_job(TICK, every=timedelta(seconds=settings.TICK_SECONDS))
    recover_expired_leases()
    _end_orphans()
    for queries in _next_due_queries():
        _enqueue(queries)
    return stamp_notified(
        RefreshRun, startable_runs(limit=settings.NOTIFICATIONS_PER_TICK, among=due_for_renotification())
    )


def due_queries() -> QuerySet[CatalogQuery]:
    """Select queries in use whose last publish is older than the interval, the oldest first (P3)."""
    due = queries_in_use().filter(Q(refreshed_at=None) | Q(refreshed_at__lt=due_before(database_now())))
    return due.order_by(Coalesce("refreshed_at", "created"), "pk")


@retry_lost_locks
@transaction.atomic
def _enqueue(queries: Iterable[CatalogQuery]) -> None:
    """Enqueue these queries in one transaction, so that a worker sees all and claims them together (REFR-3)."""
    for query in queries:
        with suppress(QueryGone):
            enqueue_run(query=query, trigger=RefreshRun.Trigger.SCHEDULE)


def _next_due_queries() -> Iterable[list[CatalogQuery]]:
    """
    Return DUE_QUERIES_PER_TICK due queries that have no open run and did not just fail, grouped by search.

    Each group has all queries that ask discovery for the same, due or not. One fetch serves them all, and from then on
    they are due together (P4). Queries that were published together do not become due together: each search has its
    own delay, so that the work spreads over the day.
    """
    idle = _idle(due_queries())
    now = database_now()
    # The oldest come first, so that after an outage a few rows are read, not all of them.
    candidates = idle.defer("content_filter").iterator(chunk_size=_CANDIDATES)
    due = list(islice((query for query in candidates if _is_due(query, now)), settings.DUE_QUERIES_PER_TICK))
    searches: dict[str, list[CatalogQuery]] = {query.equivalence_key: [] for query in due}
    equal = _idle(queries_in_use().filter(equivalence_key__in=searches))
    for query in equal.defer("content_filter").order_by("pk"):
        searches[query.equivalence_key].append(query)
    return searches.values()


def _is_due(query: CatalogQuery, now: datetime) -> bool:
    """Say whether the query is due also with its search's delay. A query that was never published has no delay."""
    if query.refreshed_at is None:
        return True
    delay = int(query.equivalence_key, 16) % max(1, settings.REFRESH_SPREAD_MINUTES)
    return now - query.refreshed_at > timedelta(hours=settings.REFRESH_INTERVAL_HOURS, minutes=delay)


def _idle(queries: QuerySet[CatalogQuery]) -> QuerySet[CatalogQuery]:
    runs = RefreshRun.objects.filter(catalog_query=OuterRef("pk"))
    busy = runs.filter(state__in=[RefreshRun.State.QUEUED, RefreshRun.State.RUNNING])
    now = database_now()
    # A query that just failed would fail again, so discovery gets a pause.
    failed_after = now - timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES)
    held_after = now - timedelta(minutes=settings.HELD_REFRESH_PAUSE_MINUTES)
    ended_lately = Q(state=RefreshRun.State.FAILED, finished_at__gt=failed_after) | Q(
        state=RefreshRun.State.HELD, finished_at__gt=held_after
    )
    return queries.filter(~Exists(busy), ~Exists(runs.filter(ended_lately)))


def _end_orphans() -> None:
    """End runs whose query is gone: they have nothing to publish to (RUN-5)."""
    supersede(RefreshRun.objects.filter(catalog_query=None), "Its catalog query no longer exists.")
