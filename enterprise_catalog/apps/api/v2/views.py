"""Views of v1 that also show the restricted runs that a content filter allows (V2-3)."""

from enterprise_catalog.apps.api.v1 import catalog_content, containment, customers
from enterprise_catalog.apps.catalog.api_versions import V2


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
