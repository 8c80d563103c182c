"""
Write the one waiting run of a query, or join it; or return the run that published just now (RUN-8).

Joining counts the request in the waiting row, and so holds the row's lock until the caller's transaction ends. A worker
cannot claim the run before that, and so reads the filter that the caller wrote. Therefore the returned run really
serves this request (REFR-1, REFR-3).
"""

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.db.clock import DatabaseNow, database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.rate_limit import request_budget

log = structlog.get_logger(__name__)

# Each lost round means that another process made progress, so a few are enough.
_ROUNDS = 10


def enqueue_run(
    *, query: CatalogQuery, trigger: str, asked_by: str = request_budget.OPERATORS, forced: bool = False
) -> RefreshRun:
    """
    Return the run that serves this request: a new one, a waiting one that was joined, or one that published just now.

    Called inside the caller's transaction, whose commit makes the run visible. Raises QueryGone if the query was
    deleted. `asked_by` is the consumer that the run counts for (`refresh.rate_limit.request_budget`); with the
    schedule's trigger there is none. `forced` refetches the full record of every member; joining never resets it.
    """
    if trigger != RefreshRun.Trigger.SCHEDULE and asked_by != request_budget.OPERATORS:
        published = _published_just_now(query)
        if published is not None:
            return _logged(published, joined=True)
    now = database_now()
    changes: dict[str, Any] = {"forced": True} if forced else {}
    asker = "" if trigger == RefreshRun.Trigger.SCHEDULE else asked_by
    if asker:
        changes["asked_at"] = now
    with transaction.atomic():
        for _ in range(_ROUNDS):
            if _join(query, changes):
                return _logged(_add_asker(asker, RefreshRun.objects.get(queued_for=query.pk)), joined=True)
            try:
                with transaction.atomic():
                    run = RefreshRun.objects.create(
                        uuid=uuid.uuid4(),
                        catalog_query=query,
                        catalog_query_uuid=_locked_uuid(query),
                        trigger=trigger,
                        queued_for=query.pk,
                        requested_at=now,
                        asked_by=[asker] if asker else None,
                        **changes,
                    )
                return _logged(run, joined=False)
            except IntegrityError:
                # Another process got there first: join its run, unless a worker claims it meanwhile.
                continue
    raise RuntimeError(f"query {query.uuid} has no waiting run after {_ROUNDS} rounds")


def _logged(run: RefreshRun, *, joined: bool) -> RefreshRun:
    """Log the run after the commit, so that the log connects a request with the run that serves it."""
    fields = {"run": str(run.pk), "query": run.catalog_query_id, "trigger": run.trigger, "joined": joined}
    transaction.on_commit(partial(log.info, "refresh_requested", **fields), robust=True)
    return run


def _join(query: CatalogQuery, changes: dict[str, Any]) -> bool:
    return RefreshRun.objects.filter(queued_for=query.pk).update(requests=F("requests") + 1, **changes) == 1


def _add_asker(asker: str, run: RefreshRun) -> RefreshRun:
    """Add an asker to a run whose lock joining took. A new asker may have budget left, so the run is not paused."""
    before = run.asked_by or []
    if asker and asker not in before:
        run.asked_by = [*before, asker][-settings.ASKERS_PER_RUN :]
        if run.paused_for_budget:
            run.not_before, run.paused_for_budget = None, False
        run.save(update_fields=["asked_by", "not_before", "paused_for_budget"])
    return run


def _published_just_now(query: CatalogQuery) -> RefreshRun | None:
    """
    Return the last publish if it is younger than REFRESH_JOIN_MINUTES, of this filter, and was not held (RUN-8). One
    before it does not count: its members have been replaced since.
    """
    since = DatabaseNow() - timedelta(minutes=settings.REFRESH_JOIN_MINUTES)
    runs = RefreshRun.objects.filter(catalog_query=query.pk, state=RefreshRun.State.PUBLISHED, finished_at__gt=since)
    runs = runs.annotate(current_filter_hash=F("catalog_query__content_filter_hash"))
    last = runs.order_by("-finished_at").first()
    is_current = last is not None and last.held_since is None and last.filter_hash == last.current_filter_hash
    return last if is_current else None


def _locked_uuid(query: CatalogQuery) -> uuid.UUID:
    """Read and lock the query's uuid, which may have changed since the query was read. Raises QueryGone."""
    current = CatalogQuery.objects.select_for_update().filter(pk=query.pk).values_list("uuid", flat=True).first()
    if current is None:
        raise QueryGone
    return current
