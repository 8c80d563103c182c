"""
Which queries in use are late, since when, and what their last run says about why (P3, ADD-4).

By the database's clock and from rows alone, so that it tells also while no worker and no beat runs. It never asks for a
refresh, and never calls another service.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Count, IntegerField, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from more_itertools import chunked

from enterprise_catalog.apps.catalog.freshness import queries_in_use
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun

log = structlog.get_logger(__name__)

_RUNS_PER_STATEMENT = 1000


@dataclass(frozen=True)
class Overview:
    """How the queries in use stand; the others never count."""

    in_use: int
    late: int
    held: int
    oldest_published_at: datetime | None


@dataclass(frozen=True)
class LateQuery:
    """A query in use whose readers have waited for more than a day."""

    query: CatalogQuery
    late_since: datetime
    catalogs: int
    # The newest one, however it stands; none when nobody ever asked for one.
    last_run: RefreshRun | None


def freshness_overview() -> Overview:
    """Counts only, for everybody to see (ADD-4)."""
    found = _counted().aggregate(
        in_use=Count("pk"), late=Count("pk", filter=_is_late(database_now())), oldest=Min("refreshed_at")
    )
    held = RefreshRun.objects.filter(state=RefreshRun.State.HELD, catalog_query__in=queries_in_use().values("pk"))
    return Overview(
        in_use=found["in_use"],
        late=found["late"],
        held=held.aggregate(queries=Count("catalog_query", distinct=True))["queries"],
        oldest_published_at=found["oldest"],
    )


def older_than(*hours: int) -> dict[int, int]:
    """How many queries in use were published longer ago than that, or wait for their first time since then."""
    now = database_now()
    older = {f"older_{age}": Count("pk", filter=Q(counted_from__lt=now - timedelta(hours=age))) for age in hours}
    counts = _counted().aggregate(**older)
    return {age: counts[f"older_{age}"] for age in hours}


def late_queries(*, limit: int | None = None) -> list[LateQuery]:
    """Each with what there is to say about it, the latest first; a few statements for any number of them."""
    newest = _runs_of_query().order_by("-requested_at").values("pk")[:1]
    users = EnterpriseCatalog.objects.filter(catalog_query=OuterRef("pk")).order_by().values("catalog_query")
    rows = list(
        _late()
        .defer("content_filter")
        .annotate(
            newest_run=Subquery(newest),
            catalog_count=Subquery(users.annotate(count=Count("pk")).values("count"), output_field=IntegerField()),
        )[:limit]
    )
    runs = _runs([row.newest_run for row in rows if row.newest_run])
    return [
        LateQuery(
            query=row,
            late_since=row.counted_from + _promised(),
            catalogs=row.catalog_count,
            last_run=runs.get(row.newest_run),
        )
        for row in rows
    ]


def list_late_uuids() -> list[UUID]:
    """Return the uuids of all late queries."""
    return list(_late().values_list("uuid", flat=True))


def _late() -> QuerySet[Any]:
    return _counted().filter(_is_late(database_now())).order_by("counted_from", "pk")


def _counted() -> QuerySet[Any]:
    """
    Queries in use, and from when their day counts: the last publish, or when one that never published was first
    attached. Attaching writes a query's first run at once; the row's own age is for when that run was pruned.
    """
    first = _runs_of_query().order_by("requested_at").values("requested_at")[:1]
    return queries_in_use().order_by().annotate(counted_from=Coalesce("refreshed_at", Subquery(first), "created"))


def _runs_of_query() -> QuerySet[RefreshRun]:
    return RefreshRun.objects.filter(catalog_query=OuterRef("pk"))


def _is_late(now: datetime) -> Q:
    return Q(counted_from__lt=now - _promised())


def _promised() -> timedelta:
    return timedelta(hours=settings.FRESHNESS_HOURS)


def _runs(uuids: list[UUID]) -> dict[UUID, RefreshRun]:
    chunks = chunked(uuids, _RUNS_PER_STATEMENT)
    return {run.pk: run for chunk in chunks for run in RefreshRun.objects.defer("held_keys").filter(pk__in=chunk)}
