"""
The intent to refresh a query: write the one waiting run, or join it; or find that one published just now (RUN-8).

Joining counts the request in the waiting row and so holds its lock until the caller's transaction ends. A worker
cannot claim the run before that, and so reads the filter the caller wrote: the run that is returned really serves
this request (REFR-1, REFR-3).
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

# Each round lost means that somebody else made progress; a few are plenty.
_ROUNDS = 10


def enqueue_run(
    *, query: CatalogQuery, trigger: str, asked_by: str = request_budget.OPERATORS, forced: bool = False
) -> RefreshRun:
    """
    The run that serves this request: waiting, new or joined, or published just now. Inside the caller's transaction,
    whose end makes it visible. Raises QueryGone when there is no such query any more.

    `asked_by` is who it counts for (`refresh.rate_limit.request_budget`): a customer's uuid, or who else asks; nobody,
    where the schedule does. `forced` asks for the full record of every member again; joining never takes that back.
    """
    if trigger != RefreshRun.Trigger.SCHEDULE and asked_by != request_budget.OPERATORS:
        published = _published_just_now(query)
        if published is not None:
            return _told(published, joined=True)
    now = database_now()
    changes: dict[str, Any] = {"forced": True} if forced else {}
    asker = "" if trigger == RefreshRun.Trigger.SCHEDULE else asked_by
    if asker:
        changes["asked_at"] = now
    with transaction.atomic():
        for _ in range(_ROUNDS):
            if _join(query, changes):
                return _told(_count_for(asker, RefreshRun.objects.get(queued_for=query.pk)), joined=True)
            try:
                with transaction.atomic():
                    run = RefreshRun.objects.create(
                        uuid=uuid.uuid4(),
                        catalog_query=query,
                        catalog_query_uuid=_uuid_now(query),
                        trigger=trigger,
                        queued_for=query.pk,
                        requested_at=now,
                        asked_by=[asker] if asker else None,
                        **changes,
                    )
                return _told(run, joined=False)
            except IntegrityError:
                # Another process got there first: join its run, unless a worker claims it meanwhile.
                continue
    raise RuntimeError(f"query {query.uuid} has no waiting run after {_ROUNDS} rounds")


def _told(run: RefreshRun, *, joined: bool) -> RefreshRun:
    """In the log, which leads from a request to the run that serves it, and so to what discovery was asked for it."""
    facts = {"run": str(run.pk), "query": run.catalog_query_id, "trigger": run.trigger, "joined": joined}
    transaction.on_commit(partial(log.info, "refresh_requested", **facts), robust=True)
    return run


def _join(query: CatalogQuery, changes: dict[str, Any]) -> bool:
    return RefreshRun.objects.filter(queued_for=query.pk).update(requests=F("requests") + 1, **changes) == 1


def _count_for(asker: str, run: RefreshRun) -> RefreshRun:
    """
    Note who joined, under the lock that joining took. Somebody new may have the budget that the others have used up, so
    that the run need not wait for theirs any longer.
    """
    before = run.asked_by or []
    if asker and asker not in before:
        run.asked_by = [*before, asker][-settings.ASKERS_PER_RUN :]
        if run.paused_for_budget:
            run.not_before, run.paused_for_budget = None, False
        run.save(update_fields=["asked_by", "not_before", "paused_for_budget"])
    return run


def _published_just_now(query: CatalogQuery) -> RefreshRun | None:
    """
    The run that published what this query asks for now, a moment ago (RUN-8). One that was held first fetched earlier.
    """
    since = DatabaseNow() - timedelta(minutes=settings.REFRESH_JOIN_MINUTES)
    published = RefreshRun.objects.filter(
        catalog_query=query.pk,
        state=RefreshRun.State.PUBLISHED,
        finished_at__gt=since,
        held_since=None,
        filter_hash=F("catalog_query__content_filter_hash"),
    )
    return published.order_by("-finished_at").first()


def _uuid_now(query: CatalogQuery) -> uuid.UUID:
    """Since it was looked up it may have got another one, or be gone; from here on it stays."""
    current = CatalogQuery.objects.select_for_update().filter(pk=query.pk).values_list("uuid", flat=True).first()
    if current is None:
        raise QueryGone
    return current
