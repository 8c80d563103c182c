"""The views of v1 as v2 shows content: with the restricted runs that a content filter allows (V2-3)."""

from drf_spectacular.utils import extend_schema, extend_schema_view

from enterprise_catalog.apps.api.v1 import containment, content_metadata, customer_content, filtering
from enterprise_catalog.apps.catalog.surfaces import V2


@extend_schema_view(
    get=extend_schema(operation_id="get_content_metadata_v2"),
    post=extend_schema(operation_id="get_content_metadata_of_keys_v2"),
)
class ContentMetadataView(content_metadata.ContentMetadataView):
    surface = V2


@extend_schema_view(
    get=extend_schema(operation_id="catalog_contains_v2"), post=extend_schema(operation_id="catalog_contains_post_v2")
)
class CatalogContainsView(containment.CatalogContainsView):
    surface = V2


@extend_schema_view(
    get=extend_schema(operation_id="customer_contains_v2"),
    post=extend_schema(operation_id="customer_contains_post_v2"),
)
class CustomerContainsView(containment.CustomerContainsView):
    surface = V2


@extend_schema_view(post=extend_schema(operation_id="filter_content_items_v2"))
class FilterContentItemsView(filtering.FilterContentItemsView):
    surface = V2


@extend_schema_view(get=extend_schema(operation_id="retrieve_customer_content_v2"))
class CustomerContentView(customer_content.CustomerContentView):
    surface = V2
