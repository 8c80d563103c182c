"""Label queries by their catalogs, for table cells, in two statements for any number of queries."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, Min

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.console.display.html import NOTHING, link, list_url, object_link
from enterprise_catalog.apps.console.display.sentences import plural


class CatalogLabels:
    """Load the first catalog and the number of catalogs of each query."""

    def __init__(self, query_ids: Collection[int | None]) -> None:
        rows = EnterpriseCatalog.objects.filter(catalog_query__in=[pk for pk in query_ids if pk]).order_by()
        counted = rows.values_list("catalog_query").annotate(Count("pk"), Min("pk"))
        self._counted = {query: (count, first) for query, count, first in counted}
        # The first catalog is enough to recognise a query that has many.
        self._first = EnterpriseCatalog.objects.in_bulk([first for _, first in self._counted.values()])

    def of(self, query_id: int | None) -> Any:
        count, first = self._counted.get(query_id, (0, None))
        catalog = self._first.get(first)
        if catalog is None:
            return NOTHING
        name = f"{catalog.title} ({catalog.enterprise_name})"
        if count == 1:
            return object_link(catalog, name)
        everything = list_url(EnterpriseCatalog, catalog_query__id__exact=query_id)
        return link(everything, f"{name} and {plural(count - 1, 'other')}")
