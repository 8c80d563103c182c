"""Views of v1 that also show the restricted runs that a content filter allows (V2-3), and read catalogs (SURF-5)."""

from enterprise_catalog.apps.api.v1 import catalog_content, catalogs, containment, customers
from enterprise_catalog.apps.catalog.api_versions import V2


class CatalogListView(catalogs.CatalogListView):
    api_version = V2


class CatalogDetailView(catalogs.CatalogDetailView):
    api_version = V2


class ContentMetadataView(catalog_content.ContentMetadataView):
    api_version = V2


class CatalogContainsView(containment.CatalogContainsView):
    api_version = V2


class CustomerContainsView(containment.CustomerContainsView):
    api_version = V2


class FilterContentItemsView(customers.FilterContentItemsView):
    api_version = V2


class CustomerContentView(customers.CustomerContentView):
    api_version = V2
