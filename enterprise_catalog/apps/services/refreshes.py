"""
Request refreshes, and find the queries to refresh.

A request is a row; the notification after the commit may get lost (P5, P6). Nothing here fetches, waits for a worker or
requires the broker.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from uuid import UUID

from django.db import transaction

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.freshness import queries_in_use
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.rate_limit.request_budget import OPERATORS
from enterprise_catalog.apps.refresh.scheduling.tick import due_queries
from enterprise_catalog.apps.services.errors import OperationError
from enterprise_catalog.apps.services.worker_notifications import notify_workers_after_commit


def asker(*, grants: Grants, customer: UUID) -> str:
    """
    Return whose part of the request budget a refresh counts for (RUN-7).

    Operators have a part of their own, so that they can refresh catalogs of a customer who has used up its part.
    Everybody else counts for the customer.
    """
    return OPERATORS if grants.is_operator else str(customer)


@retry_lost_locks
@transaction.atomic
def request_refresh(
    *, query: CatalogQuery, trigger: str, asked_by: str = OPERATORS, forced: bool = False
) -> RefreshRun:
    """
    Return the run that serves this request: a new one, the waiting one (REFR-1, REFR-3), or a recent publish (RUN-8).

    `asked_by` is the result of `asker`. `forced` fetches every member's full record, even if it is fresh. Raises
    QueryGone.
    """
    run = enqueue_run(query=query, trigger=trigger, asked_by=asked_by, forced=forced)
    notify_workers_after_commit(run)
    return run


@retry_lost_locks
@transaction.atomic
def request_refreshes(*, queries: Iterable[CatalogQuery], trigger: str) -> list[RefreshRun]:
    """Request refreshes of many queries in one transaction. Deleted queries are left out."""
    runs = []
    # Everybody locks in the same order, so that two such requests wait for each other.
    for query in sorted(queries, key=lambda query: query.pk):
        with suppress(QueryGone):
            runs.append(enqueue_run(query=query, trigger=trigger))
    notify_workers_after_commit(*runs)
    return runs


class UnknownUuids(OperationError):
    """No catalog or query has these uuids; the message lists them."""


def named_queries(*, catalogs: Collection[UUID], queries: Collection[UUID]) -> list[CatalogQuery]:
    """Return these queries and the queries of these catalogs, each once. Raises UnknownUuids."""
    query_of = dict(EnterpriseCatalog.objects.filter(pk__in=catalogs).values_list("uuid", "catalog_query_id"))
    id_of = dict(CatalogQuery.objects.filter(uuid__in=queries).values_list("uuid", "pk"))
    unknown = [f"catalog {uuid}" for uuid in sorted(set(catalogs) - query_of.keys())]
    unknown += [f"query {uuid}" for uuid in sorted(set(queries) - id_of.keys())]
    if unknown:
        raise UnknownUuids(f"Unknown: {', '.join(unknown)}.")
    wanted = CatalogQuery.objects.filter(pk__in={*query_of.values(), *id_of.values()})
    return list(wanted.defer("content_filter").order_by("pk"))


def queries_to_keep_fresh(*, due_only: bool) -> list[CatalogQuery]:
    """Return all queries in use, or only those that are due."""
    wanted = due_queries() if due_only else queries_in_use()
    return list(wanted.defer("content_filter"))
