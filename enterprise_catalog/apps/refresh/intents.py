"""
The intent to refresh a query: write the one waiting run, or join it.

Joining counts the request in the waiting row and so holds its lock until the caller's transaction ends. A worker
cannot claim the run before that, and so reads the filter the caller wrote: the run that is returned really serves
this request (REFR-1, REFR-3).
"""

import uuid
from functools import partial
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.catalog.query_changes import QueryGone
from enterprise_catalog.apps.core.db import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun

log = structlog.get_logger(__name__)

# Each round lost means that somebody else made progress; a few are plenty.
_ROUNDS = 10


def request_run(*, query: CatalogQuery, trigger: str, forced: bool = False) -> RefreshRun:
    """
    The waiting run that will serve this request, new or joined. Inside the caller's transaction, whose end makes it
    visible. Raises QueryGone when there is no such query any more.

    `forced` asks for the full record of every member again; joining never takes that back.
    """
    now = database_now()
    changes: dict[str, Any] = {"forced": True} if forced else {}
    if trigger != RefreshRun.Trigger.SCHEDULE:
        changes["asked_at"] = now
    with transaction.atomic():
        for _ in range(_ROUNDS):
            if _join(query, changes):
                return _told(RefreshRun.objects.get(queued_for=query.pk), joined=True)
            try:
                with transaction.atomic():
                    run = RefreshRun.objects.create(
                        uuid=uuid.uuid4(),
                        catalog_query=query,
                        catalog_query_uuid=_uuid_now(query),
                        trigger=trigger,
                        queued_for=query.pk,
                        requested_at=now,
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


def _uuid_now(query: CatalogQuery) -> uuid.UUID:
    """Since it was looked up it may have got another one, or be gone; from here on it stays."""
    current = CatalogQuery.objects.select_for_update().filter(pk=query.pk).values_list("uuid", flat=True).first()
    if current is None:
        raise QueryGone
    return current
