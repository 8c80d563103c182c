"""
Paths of v1.

Only the paths that COM-4 lists may end with a format: other last segments may be keys, which hold dots.
"""

from enterprise_catalog.apps.api.v1 import (
    catalog_changes,
    catalog_content,
    catalog_diff,
    catalog_exports,
    catalog_queries,
    catalogs,
    containment,
    content,
    content_explanations,
    customers,
    refresh_runs,
)
from enterprise_catalog.apps.core.rest.routing import route

app_name = "v1"

urlpatterns = [
    # Django tries paths in this order, so the most frequent ones come first.
    route(
        "enterprise-catalogs/<str:uuid>/contains_content_items/",
        containment.CatalogContainsView.as_view(),
        name="catalog-contains",
    ),
    route(
        "enterprise-catalogs/<str:uuid>/get_content_metadata/",
        catalog_content.ContentMetadataView.as_view(),
        name="catalog-content-metadata",
    ),
    route(
        "enterprise-customer/<str:uuid>/contains_content_items/",
        containment.CustomerContainsView.as_view(),
        name="customer-contains",
    ),
    route("enterprise-catalogs.<format:format>/", catalogs.CatalogsView.as_view(), name="catalogs-as"),
    route("enterprise-catalogs/", catalogs.CatalogsView.as_view(), name="catalogs"),
    route("enterprise-catalogs/<str:uuid>.<format:format>/", catalogs.CatalogView.as_view(), name="catalog-as"),
    route("enterprise-catalogs/<str:uuid>/", catalogs.CatalogView.as_view(), name="catalog"),
    route(
        "enterprise-catalogs/<str:uuid>/contains_content_items.<format:format>/",
        containment.CatalogContainsView.as_view(),
        name="catalog-contains-as",
    ),
    route(
        "enterprise-catalogs/<str:uuid>/generate_diff/", catalog_diff.GenerateDiffView.as_view(), name="catalog-diff"
    ),
    route("enterprise-catalogs/<str:uuid>/changes/", catalog_changes.ChangesView.as_view(), name="catalog-changes"),
    route("enterprise-catalogs/<str:uuid>/export.csv/", catalog_exports.CsvView.as_view(), name="catalog-export-csv"),
    route(
        "enterprise-catalogs/<str:uuid>/export.xlsx/", catalog_exports.XlsxView.as_view(), name="catalog-export-xlsx"
    ),
    route(
        "enterprise-catalogs/<str:uuid>/refresh_metadata/",
        catalogs.RefreshMetadataView.as_view(),
        name="catalog-refresh-metadata",
    ),
    route(
        "enterprise-customer/<str:uuid>/contains_content_items.<format:format>/",
        containment.CustomerContainsView.as_view(),
        name="customer-contains-as",
    ),
    route(
        "enterprise-customer/<str:uuid>/filter_content_items/",
        customers.FilterContentItemsView.as_view(),
        name="customer-filter",
    ),
    route("catalog-queries/", catalog_queries.CatalogQueriesView.as_view(), name="catalog-queries"),
    route(
        "catalog-queries/get_query_by_hash/", catalog_queries.QueryByHashView.as_view(), name="catalog-query-by-hash"
    ),
    route(
        "catalog-queries/get_content_filter_hash/",
        catalog_queries.ContentFilterHashView.as_view(),
        name="content-filter-hash",
    ),
    route("catalog-queries/<str:identifier>/", catalog_queries.CatalogQueryView.as_view(), name="catalog-query"),
    route(
        "distinct-catalog-queries/",
        catalog_queries.DistinctCatalogQueriesView.as_view(),
        name="distinct-catalog-queries",
    ),
    route("refresh-runs/<str:uuid>/", refresh_runs.RefreshRunView.as_view(), name="refresh-run"),
    route("refresh-runs/<str:uuid>/approve/", refresh_runs.ApproveRunView.as_view(), name="approve-run"),
    route("refresh-runs/<str:uuid>/reject/", refresh_runs.RejectRunView.as_view(), name="reject-run"),
    route("content-explanations/", content_explanations.ContentExplanationsView.as_view(), name="content-explanations"),
    # Keys of old courses hold slashes.
    route(
        "enterprise-customer/<str:uuid>/content-metadata/<path:identifier>/",
        customers.CustomerContentView.as_view(),
        name="customer-content",
    ),
    route("content-metadata/", content.ContentsView.as_view(), name="contents"),
    route("content-metadata/<path:identifier>/", content.ContentView.as_view(), name="content"),
]
