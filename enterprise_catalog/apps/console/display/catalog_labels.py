"""Who sees what queries find: their catalogs, in words that fit a table's cell. Two statements for any number."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, Min

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.console.display.html import NOTHING, link, list_url, object_link
from enterprise_catalog.apps.console.display.sentences import plural


class CatalogLabels:
    """The catalog of each of these queries, or how many there are."""

    def __init__(self, query_ids: Collection[int | None]) -> None:
        rows = EnterpriseCatalog.objects.filter(catalog_query__in=[pk for pk in query_ids if pk]).order_by()
        counted = rows.values_list("catalog_query").annotate(Count("pk"), Min("pk"))
        self._counted = {query: (count, first) for query, count, first in counted}
        # Of those with more, the first one says enough to know which search it is.
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
