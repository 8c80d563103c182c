"""
What is deleted by age: runs that ended long ago, with the documents they set aside (RUN-5), and changes that nobody can
ask for any more (CHG-3, CHG-4); also answers of discovery that were kept for nobody
(`refresh.rate_limit.fetch_session`), previews that
were looked at, or were not, what is left of sign-ins (sessions that are over, and counts of failures, SEC-2), and the
history of what is gone.

In chunks by primary key, each a short transaction of its own, and so many at a time only: what is left comes next time.
It never touches a run that waits, runs or is held, nor the last one that published a query.

`CatalogAttachment` rows stay. They have no date, are few (one for each time a catalog is attached), go with their
catalog, and without changes to tell they tell none: deleting them would gain nothing worth a proof.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from enterprise_catalog.apps.catalog.change_feed.feed import prune_changes_before
from enterprise_catalog.apps.catalog.models import CatalogContentChange, CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.models.history import delete_rows
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import FilterPreview, KeptAnswer, QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.scheduling.periodic_jobs import claim_job

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pruned:
    """How many rows went, or would go; and whether there are more of them."""

    runs: int
    documents: int
    changes: int
    more: bool = False


def prune_if_due() -> bool:
    """Prune when the interval is over and nobody else does; returns whether it did."""
    if not claim_job("pruning", every=timedelta(minutes=settings.PRUNING_INTERVAL_MINUTES)):
        return False
    prune()
    return True


def prune() -> Pruned:
    """Delete what is too old, so many chunks of it at most. Any number of processes may do so at once."""
    now = database_now()
    runs, documents = _prune_runs(prunable_runs(now))
    changes = _prune_changes(prunable_changes(now))
    _prune_kept_answers(now)
    _prune_previews(now)
    _prune_sign_ins(now)
    _prune_histories(now)
    more = prunable_runs(now).exists() or prunable_changes(now).exists()
    pruned = Pruned(runs=runs, documents=documents, changes=changes, more=more)
    log.info("pruned", runs=runs, documents=documents, changes=changes, more=more)
    return pruned


def prunable() -> Pruned:
    """What is too old now. Reads only."""
    now = database_now()
    runs = prunable_runs(now)
    documents = QuarantinedDocument.objects.filter(refresh_run__in=runs.values("pk"))
    return Pruned(runs=runs.count(), documents=documents.count(), changes=prunable_changes(now).count())


def prunable_runs(now: datetime) -> QuerySet[RefreshRun]:
    """Ended before the retention; of a query that exists, its last published run is kept whatever its age."""
    before = now - timedelta(days=settings.RUNS_RETENTION_DAYS)
    published_later = RefreshRun.objects.filter(
        catalog_query=OuterRef("catalog_query"),
        state=RefreshRun.State.PUBLISHED,
        finished_at__gt=OuterRef("finished_at"),
    )
    # A run ends after it was requested, so that both conditions find what the last one does; the index has the first.
    ended = RefreshRun.objects.filter(
        state__in=[RefreshRun.State.PUBLISHED, RefreshRun.State.FAILED], requested_at__lt=before, finished_at__lt=before
    )
    # In no order: the index yields the oldest of each state first, and sorting a long backlog for each chunk is dear.
    return ended.filter(Q(state=RefreshRun.State.FAILED) | Q(catalog_query=None) | Exists(published_later)).order_by()


def prunable_changes(now: datetime) -> QuerySet[CatalogContentChange]:
    return CatalogContentChange.objects.filter(changed_at__lt=prune_changes_before(now)).order_by("changed_at", "pk")


def _prune_runs(runs: QuerySet[RefreshRun]) -> tuple[int, int]:
    """How many runs, and how many of their documents."""
    pruned = documents = 0
    for uuids in _chunks(runs):
        # First what they set aside, which may be far more than they are.
        quarantined = QuarantinedDocument.objects.filter(refresh_run__in=uuids)
        if ids := list(quarantined.values_list("pk", flat=True)[: settings.PRUNING_ROWS]):
            documents += _delete(QuarantinedDocument, ids)
        else:
            pruned += _delete(RefreshRun, uuids)
    return pruned, documents


def _prune_changes(changes: QuerySet[CatalogContentChange]) -> int:
    return sum(_delete(CatalogContentChange, ids) for ids in _chunks(changes))


def _prune_kept_answers(now: datetime) -> None:
    """Of fetches that nobody went on with: the query is gone, or the filter another one."""
    too_old = KeptAnswer.objects.filter(answered_at__lt=now - timedelta(hours=settings.CACHED_ANSWERS_HOURS))
    for ids in _chunks(too_old):
        _delete(KeptAnswer, ids)


def _prune_previews(now: datetime) -> None:
    """Whatever became of them: a worker that still does one finds that nobody wants it any more."""
    too_old = FilterPreview.objects.filter(requested_at__lt=now - timedelta(hours=settings.FILTER_PREVIEWS_HOURS))
    for uuids in _chunks(too_old):
        _delete(FilterPreview, uuids)


def _prune_sign_ins(now: datetime) -> None:
    """Failures that lock nothing any more hold names and addresses; Django itself deletes no session that expired."""
    for keys in _chunks(Session.objects.filter(expire_date__lt=now)):
        _delete(Session, keys)
    for keys in _chunks(AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).order_by("pk")):
        _delete(AccessAttempt, keys)


def _prune_histories(now: datetime) -> None:
    """Of catalogs and queries that are gone."""
    before = now - timedelta(days=settings.HISTORY_OF_DELETED_DAYS)
    for model in (EnterpriseCatalog, CatalogQuery):
        key = model._meta.pk.attname
        there = model._default_manager.filter(pk=OuterRef(key))
        for ids in _chunks(model.history.filter(~Exists(there), history_date__lt=before).order_by()):
            _delete_of_history(model, ids)


def _chunks(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Primary keys of what is there still, until nothing is or it has been enough."""
    for _ in range(settings.PRUNING_CHUNKS):
        keys = list(rows.values_list("pk", flat=True)[: settings.PRUNING_ROWS])
        if not keys:
            return
        yield keys


@retry_lost_locks
@transaction.atomic
def _delete_of_history(model: type[Model], ids: list[int]) -> None:
    delete_rows(model, ids)


@retry_lost_locks
@transaction.atomic
def _delete(model: type[Model], keys: list[Any]) -> int:
    """Of several who delete the same rows, each counts those that it deleted itself."""
    _, deleted = model._default_manager.filter(pk__in=keys).delete()
    return deleted.get(model._meta.label, 0)
