"""
Delete rows by age: ended runs with what they quarantined (RUN-5), and changes that no cursor can need (CHG-3, CHG-4).

Also cached answers that no fetch went on with (`refresh.rate_limit.fetch_session`), previews, expired sessions and
counts of sign-in failures (SEC-2), and the history of deleted catalogs and queries.

Rows are deleted in chunks by primary key. Each chunk is a short transaction, and their number is limited: the next job
deletes the rest. A run that waits, runs or is held is never deleted, nor the last one that published a query.

`CatalogAttachment` rows stay: they are few, have no date, and are deleted with their catalog.
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
    """How many rows were deleted, or would be, and whether there are more."""

    runs: int
    documents: int
    changes: int
    more: bool = False


def prune_if_due() -> bool:
    """Prune if the job is due and no other worker does it; return whether it did."""
    if not claim_job("pruning", every=timedelta(minutes=settings.PRUNING_INTERVAL_MINUTES)):
        return False
    prune()
    return True


def prune() -> Pruned:
    """Delete what is too old, at most PRUNING_CHUNKS chunks of each kind. Several processes may do so at once."""
    now = database_now()
    runs, documents = _prune_runs(prunable_runs(now))
    changes = _prune(prunable_changes(now))
    for rows in _outdated_rows(now):
        _prune(rows)
    _prune_histories(now)
    more = prunable_runs(now).exists() or prunable_changes(now).exists()
    pruned = Pruned(runs=runs, documents=documents, changes=changes, more=more)
    log.info("pruned", runs=runs, documents=documents, changes=changes, more=more)
    return pruned


def prunable() -> Pruned:
    """Count what is too old now. Reads only."""
    now = database_now()
    runs = prunable_runs(now)
    documents = QuarantinedDocument.objects.filter(refresh_run__in=runs.values("pk"))
    return Pruned(runs=runs.count(), documents=documents.count(), changes=prunable_changes(now).count())


def prunable_runs(now: datetime) -> QuerySet[RefreshRun]:
    """Select runs that ended before the retention, but not the last published run of a query that exists."""
    before = now - timedelta(days=settings.RUNS_RETENTION_DAYS)
    published_later = RefreshRun.objects.filter(
        catalog_query=OuterRef("catalog_query"),
        state=RefreshRun.State.PUBLISHED,
        finished_at__gt=OuterRef("finished_at"),
    )
    # A run ends after it was requested, so the condition on `requested_at` is implied; it is there for its index.
    ended = RefreshRun.objects.filter(
        state__in=[RefreshRun.State.PUBLISHED, RefreshRun.State.FAILED], requested_at__lt=before, finished_at__lt=before
    )
    # Without an order: the index yields the oldest of each state first, and sorting a backlog per chunk is slow.
    return ended.filter(Q(state=RefreshRun.State.FAILED) | Q(catalog_query=None) | Exists(published_later)).order_by()


def prunable_changes(now: datetime) -> QuerySet[CatalogContentChange]:
    """Select changes that no cursor can need any more."""
    return CatalogContentChange.objects.filter(changed_at__lt=prune_changes_before(now)).order_by("changed_at", "pk")


def _prune_runs(runs: QuerySet[RefreshRun]) -> tuple[int, int]:
    """Delete runs; return how many, and how many of their documents."""
    pruned = documents = 0
    for uuids in _chunks(runs):
        # Their documents go first, since there may be far more of them.
        quarantined = QuarantinedDocument.objects.filter(refresh_run__in=uuids)
        if ids := list(quarantined.values_list("pk", flat=True)[: settings.PRUNING_ROWS]):
            documents += _delete(QuarantinedDocument, ids)
        else:
            pruned += _delete(RefreshRun, uuids)
    return pruned, documents


def _outdated_rows(now: datetime) -> list[QuerySet[Any]]:
    """Select what is deleted by its age alone."""
    return [
        # Of fetches that no run went on with, because the query was deleted or its filter changed.
        KeptAnswer.objects.filter(answered_at__lt=now - timedelta(hours=settings.CACHED_ANSWERS_HOURS)),
        # In any state: a worker that still runs one finds its lease lost.
        FilterPreview.objects.filter(requested_at__lt=now - timedelta(hours=settings.FILTER_PREVIEWS_HOURS)),
        # Django keeps expired sessions.
        Session.objects.filter(expire_date__lt=now),
        # They lock nobody any more, and hold names and addresses.
        AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).order_by("pk"),
    ]


def _prune_histories(now: datetime) -> None:
    """Delete the history of catalogs and queries that were deleted."""
    before = now - timedelta(days=settings.HISTORY_OF_DELETED_DAYS)
    for model in (EnterpriseCatalog, CatalogQuery):
        key = model._meta.pk.attname
        existing = model._default_manager.filter(pk=OuterRef(key))
        for ids in _chunks(model.history.filter(~Exists(existing), history_date__lt=before).order_by()):
            _delete_of_history(model, ids)


def _prune(rows: QuerySet[Any]) -> int:
    return sum(_delete(rows.model, keys) for keys in _chunks(rows))


def _chunks(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield primary keys of remaining rows, at most PRUNING_CHUNKS times."""
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
    """Delete rows; return how many of them were deleted here and not by another process."""
    _, deleted = model._default_manager.filter(pk__in=keys).delete()
    return deleted.get(model._meta.label, 0)
