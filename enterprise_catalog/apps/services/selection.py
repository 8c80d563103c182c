"""
Which queries an operator means: by catalog, by query, or by what is due.

Reads only; asking for their refresh is `services.refreshes`.
"""

from collections.abc import Collection
from uuid import UUID

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.scheduling.tick import due_queries, queries_in_use
from enterprise_catalog.apps.services.errors import OperationError


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
