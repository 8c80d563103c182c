"""
Find the queries in use that are late, since when, and what their last run says about why (P3, ADD-4).

Everything is read from rows and by the database's clock, so it is true also while no worker and no beat runs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, IntegerField, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from more_itertools import chunked

from enterprise_catalog.apps.catalog.freshness import promised_age, queries_in_use, stale_before
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import DatabaseNow, database_now
from enterprise_catalog.apps.refresh.models import RefreshRun

_RUNS_PER_STATEMENT = 1000


@dataclass(frozen=True)
class Overview:
    """Counts of the queries in use; other queries are never counted."""

    in_use: int
    late: int
    held: int
    oldest_published_at: datetime | None


@dataclass(frozen=True)
class LateQuery:
    """A query in use that was not published for longer than promised."""

    query: CatalogQuery
    late_since: datetime
    catalogs: int
    # The newest run in any state; None if there is none.
    last_run: RefreshRun | None


def freshness_overview() -> Overview:
    """Count queries in use, late ones and held ones (ADD-4)."""
    found = _with_last_publish().aggregate(
        in_use=Count("pk"), late=Count("pk", filter=_is_late()), oldest=Min("refreshed_at")
    )
    held = RefreshRun.objects.filter(state=RefreshRun.State.HELD, catalog_query__in=queries_in_use().values("pk"))
    return Overview(
        in_use=found["in_use"],
        late=found["late"],
        held=held.aggregate(queries=Count("catalog_query", distinct=True))["queries"],
        oldest_published_at=found["oldest"],
    )


def older_than(*hours: int) -> dict[int, int]:
    """Count, by hours, the queries in use whose last publish, or wait for the first one, began longer ago."""
    now = database_now()
    older = {f"older_{age}": Count("pk", filter=Q(counted_from__lt=now - timedelta(hours=age))) for age in hours}
    counts = _with_last_publish().aggregate(**older)
    return {age: counts[f"older_{age}"] for age in hours}


def late_queries(*, limit: int | None = None) -> list[LateQuery]:
    """Return late queries, the longest late first; two statements for any number of them."""
    newest = _runs_of_query().order_by("-requested_at").values("pk")[:1]
    catalogs = EnterpriseCatalog.objects.filter(catalog_query=OuterRef("pk")).order_by().values("catalog_query")
    rows = list(
        _late()
        .defer("content_filter")
        .annotate(
            newest_run=Subquery(newest),
            catalog_count=Subquery(catalogs.annotate(count=Count("pk")).values("count"), output_field=IntegerField()),
        )[:limit]
    )
    runs = _runs([row.newest_run for row in rows if row.newest_run])
    return [
        LateQuery(
            query=row,
            late_since=row.counted_from + promised_age(),
            catalogs=row.catalog_count,
            last_run=runs.get(row.newest_run),
        )
        for row in rows
    ]


def list_late_uuids() -> list[UUID]:
    """Return the uuids of all late queries."""
    return list(_late().values_list("uuid", flat=True))


def _late() -> QuerySet[Any]:
    return _with_last_publish().filter(_is_late()).order_by("counted_from", "pk")


def _with_last_publish() -> QuerySet[Any]:
    """
    Annotate queries in use with `counted_from`: the last publish, or the first run of a query without one.

    Attaching a query writes its first run at once. The query's own age counts when that run was pruned.
    """
    first = _runs_of_query().order_by("requested_at").values("requested_at")[:1]
    return queries_in_use().order_by().annotate(counted_from=Coalesce("refreshed_at", Subquery(first), "created"))


def _runs_of_query() -> QuerySet[RefreshRun]:
    return RefreshRun.objects.filter(catalog_query=OuterRef("pk"))


def _is_late() -> Q:
    return Q(counted_from__lt=stale_before(DatabaseNow()))


def _runs(uuids: list[UUID]) -> dict[UUID, RefreshRun]:
    chunks = chunked(uuids, _RUNS_PER_STATEMENT)
    return {run.pk: run for chunk in chunks for run in RefreshRun.objects.defer("held_keys").filter(pk__in=chunk)}
