"""
Paths of the legacy API: those of edx-enterprise, so that its clients change only the host (SURF-2, LEG-1).

Only the list and the catalogs take formats as suffixes (COM-4).
"""

from enterprise_catalog.apps.api.legacy import catalogs, containment, customer_catalogs, details, queries
from enterprise_catalog.apps.core.rest.routing import route

app_name = "legacy"

urlpatterns = [
    route("enterprise_catalogs.<format:format>/", catalogs.CatalogsView.as_view(), name="catalogs-as"),
    route("enterprise_catalogs/", catalogs.CatalogsView.as_view(), name="catalogs"),
    route("enterprise_catalogs/<str:uuid>.<format:format>/", catalogs.CatalogView.as_view(), name="catalog-as"),
    route("enterprise_catalogs/<str:uuid>/", catalogs.CatalogView.as_view(), name="catalog"),
    route(
        "enterprise_catalogs/<str:uuid>/contains_content_items/",
        containment.CatalogContainsView.as_view(),
        name="catalog-contains",
    ),
    # Keys of old courses hold slashes.
    route("enterprise_catalogs/<str:uuid>/courses/<path:course_key>/", details.CourseView.as_view(), name="course"),
    route("enterprise_catalogs/<str:uuid>/course_runs/<path:run_key>/", details.CourseRunView.as_view(), name="run"),
    route("enterprise_catalogs/<str:uuid>/programs/<str:program_uuid>/", details.ProgramView.as_view(), name="program"),
    route(
        "enterprise-customer/<str:uuid>/contains_content_items/",
        containment.CustomerContainsView.as_view(),
        name="customer-contains",
    ),
    route("enterprise_catalog_query/", queries.QueriesView.as_view(), name="catalog-queries"),
    route("enterprise_catalog_query/<str:identifier>/", queries.QueryView.as_view(), name="catalog-query"),
    route("enterprise_customer_catalog/", customer_catalogs.CustomerCatalogView.as_view(), name="customer-catalog"),
]
