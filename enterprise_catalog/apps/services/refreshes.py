"""
Ask for refreshes: a row first, and after commit a nudge that may get lost (P5, P6).

Nothing here fetches, waits for a worker or needs the broker.
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
from enterprise_catalog.apps.refresh.queue.claims import supersede
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.rate_limit.request_budget import OPERATORS
from enterprise_catalog.apps.refresh.scheduling.tick import due_queries
from enterprise_catalog.apps.services.errors import OperationError
from enterprise_catalog.apps.services.worker_notifications import notify_workers_after_commit


def asker(*, grants: Grants, customer: UUID) -> str:
    """
    Who a request of this caller about a catalog of this customer counts for (RUN-7): operators for themselves, since
    they must get at the catalogs of a customer who has used up its part; everybody else for the customer.
    """
    return OPERATORS if grants.is_operator else str(customer)


@retry_lost_locks
@transaction.atomic
def request_refresh(
    *, query: CatalogQuery, trigger: str, asked_by: str = OPERATORS, forced: bool = False
) -> RefreshRun:
    """
    The run that serves this request: waiting, new or joined (REFR-1, REFR-3), or published a moment ago (RUN-8).
    `asked_by` is an `asker`; `forced` asks for every member's full record, also those that are fresh. Raises QueryGone.
    """
    run = enqueue_run(query=query, trigger=trigger, asked_by=asked_by, forced=forced)
    notify_workers_after_commit(run=run)
    return run


@retry_lost_locks
@transaction.atomic
def request_refreshes(*, queries: Iterable[CatalogQuery], trigger: str) -> list[RefreshRun]:
    """The same of many, in one transaction. Queries that are gone are left out."""
    runs = []
    # In one order, so that two people who do this at once wait for each other.
    for query in sorted(queries, key=lambda query: query.pk):
        with suppress(QueryGone):
            runs.append(enqueue_run(query=query, trigger=trigger))
    notify_workers_after_commit(runs=runs)
    return runs


def end_runs_of_replaced_query(*, replacement: CatalogQuery) -> None:
    """
    End what waits, or is held, for a query whose place and uuid another one took (RUN-5). A running one finds out when
    it wants to publish.
    """
    orphans = RefreshRun.objects.filter(catalog_query=None, catalog_query_uuid=replacement.uuid)
    supersede(orphans, "Another catalog query with the same content filter took the place of its query.")


def update_query_uuid_on_runs(query: CatalogQuery) -> None:
    """A query that goes by another uuid now takes its runs along: nobody knows it by the old one any more (RUN-1)."""
    RefreshRun.objects.filter(catalog_query=query).update(catalog_query_uuid=query.uuid)


class UnknownUuids(OperationError):
    """No catalog, or no query, has these uuids; each is said with what was looked for."""

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(f"Unknown: {', '.join(unknown)}.")


def named_queries(*, catalogs: Collection[UUID], queries: Collection[UUID]) -> list[CatalogQuery]:
    """The queries of these catalogs and these queries, each once. Raises UnknownUuids before anything happens."""
    query_of = dict(EnterpriseCatalog.objects.filter(pk__in=catalogs).values_list("uuid", "catalog_query_id"))
    id_of = dict(CatalogQuery.objects.filter(uuid__in=queries).values_list("uuid", "pk"))
    unknown = [f"catalog {uuid}" for uuid in sorted(set(catalogs) - query_of.keys())]
    unknown += [f"query {uuid}" for uuid in sorted(set(queries) - id_of.keys())]
    if unknown:
        raise UnknownUuids(unknown)
    wanted = CatalogQuery.objects.filter(pk__in={*query_of.values(), *id_of.values()})
    return list(wanted.defer("content_filter").order_by("pk"))


def queries_to_keep_fresh(*, due_only: bool) -> list[CatalogQuery]:
    """All queries that some catalog uses, or those of them that the schedule would refresh by now."""
    wanted = due_queries() if due_only else queries_in_use()
    return list(wanted.defer("content_filter"))
