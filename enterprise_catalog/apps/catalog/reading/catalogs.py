"""Look up one catalog: with its query alone, or with everything that is needed to serve its content."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from enterprise_catalog.apps.catalog.api_versions import V1, V2
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering.cache_validators import CacheValidators, catalog_validators
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller
from enterprise_catalog.apps.core.db.row_lookup import ModelColumns, RowLookup
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.customers.selectors import SERVED


@dataclass(frozen=True)
class ServedCatalog:
    """A catalog with its query, with what fills its item templates, and with the validators of everything it lists."""

    catalog: EnterpriseCatalog
    fill: TemplateFiller
    validators: CacheValidators

    @property
    def enterprise_uuid(self) -> UUID:
        return self.catalog.enterprise_uuid

    @property
    def query(self) -> CatalogQuery:
        return self.catalog.catalog_query


def catalogs_with_queries() -> QuerySet[EnterpriseCatalog]:
    """All catalogs with their queries, whose filters are deferred: a filter may be a megabyte."""
    return EnterpriseCatalog.objects.select_related("catalog_query").defer("catalog_query__content_filter")


def get_catalog_with_query(uuid: UUID) -> EnterpriseCatalog | None:
    """The catalog with its query, whose filter is deferred; None without such a catalog."""
    return _catalog_with_query(uuid.hex)


def get_served_catalog(uuid: UUID) -> ServedCatalog | None:
    """The catalog with what serving its content takes, in one statement; None without such a catalog."""
    return _served_catalog(uuid.hex)


def _with_query(catalog: EnterpriseCatalog, query: CatalogQuery) -> EnterpriseCatalog:
    EnterpriseCatalog._meta.get_field("catalog_query").set_cached_value(catalog, query)
    return catalog


def _served(catalog: EnterpriseCatalog, query: CatalogQuery, customer: EnterpriseCustomer | None) -> ServedCatalog:
    catalog, fill = _with_query(catalog, query), TemplateFiller(catalog=catalog, customer=customer)
    return ServedCatalog(catalog, fill, catalog_validators(catalog=catalog, fill=fill))


_catalog_with_query: RowLookup[EnterpriseCatalog] = RowLookup(
    "{catalog} JOIN {query} ON {query}.id = {catalog}.catalog_query_id WHERE {catalog}.uuid = %s",
    _with_query,
    catalog=ModelColumns(EnterpriseCatalog),
    query=ModelColumns(CatalogQuery, without=["content_filter"]),
)
# Only the columns that serving content needs: reading all of them takes twice as long.
_served_catalog: RowLookup[ServedCatalog] = RowLookup(
    """
    {catalog} JOIN {query} ON {query}.id = {catalog}.catalog_query_id
    LEFT JOIN {customer} ON {customer}.uuid = {catalog}.enterprise_uuid
    WHERE {catalog}.uuid = %s
    """,
    _served,
    catalog=ModelColumns(
        EnterpriseCatalog,
        *("title", "enterprise_uuid", "enterprise_name", "catalog_query", "publish_audit_enrollment_urls", "modified"),
    ),
    query=ModelColumns(
        CatalogQuery,
        *("refreshed_at", "generation", "items_version", "content_modified", "member_count", V1.count, V2.count),
    ),
    customer=SERVED,
)
