"""
Paths of v2: the views of v1 whose answers depend on the restricted runs that a content filter allows, and catalogs.

Catalogs are only read here; v1 manages them (SURF-5).
"""

from enterprise_catalog.apps.api.v2 import views
from enterprise_catalog.apps.core.rest.routing import route

app_name = "v2"

urlpatterns = [
    route(
        "enterprise-catalogs/<str:uuid>/contains_content_items.<format:format>/",
        views.CatalogContainsView.as_view(),
        name="catalog-contains-as",
    ),
    route(
        "enterprise-catalogs/<str:uuid>/contains_content_items/",
        views.CatalogContainsView.as_view(),
        name="catalog-contains",
    ),
    route(
        "enterprise-catalogs/<str:uuid>/get_content_metadata/",
        views.ContentMetadataView.as_view(),
        name="catalog-content-metadata",
    ),
    route("enterprise-catalogs.<format:format>/", views.CatalogListView.as_view(), name="catalogs-as"),
    route("enterprise-catalogs/", views.CatalogListView.as_view(), name="catalogs"),
    route("enterprise-catalogs/<str:uuid>.<format:format>/", views.CatalogDetailView.as_view(), name="catalog-as"),
    route("enterprise-catalogs/<str:uuid>/", views.CatalogDetailView.as_view(), name="catalog"),
    route(
        "enterprise-customer/<str:uuid>/contains_content_items.<format:format>/",
        views.CustomerContainsView.as_view(),
        name="customer-contains-as",
    ),
    route(
        "enterprise-customer/<str:uuid>/contains_content_items/",
        views.CustomerContainsView.as_view(),
        name="customer-contains",
    ),
    route(
        "enterprise-customer/<str:uuid>/filter_content_items/",
        views.FilterContentItemsView.as_view(),
        name="customer-filter",
    ),
    route(
        "enterprise-customer/<str:uuid>/content-metadata/<path:identifier>/",
        views.CustomerContentView.as_view(),
        name="customer-content",
    ),
]
