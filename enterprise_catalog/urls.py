"""All URL patterns of the service."""

from django.contrib import admin
from django.urls import include, path

from enterprise_catalog.apps.api.csrf import CsrfTokenView
from enterprise_catalog.apps.api.openapi.service import DocumentationView, SchemaView
from enterprise_catalog.apps.api.root import home
from enterprise_catalog.apps.console import lms_sign_in
from enterprise_catalog.apps.console.monitoring.freshness_health import freshness_health
from enterprise_catalog.apps.console.monitoring.metrics_endpoint import metrics
from enterprise_catalog.apps.core.observability.health import health, live, ready
from enterprise_catalog.apps.core.rest.routing import route

urlpatterns = [
    # Django tries them in order, so the most frequent come first.
    path("api/v1/", include("enterprise_catalog.apps.api.v1.urls")),
    path("api/v2/", include("enterprise_catalog.apps.api.v2.urls")),
    path("enterprise/api/v1/", include("enterprise_catalog.apps.api.legacy.urls")),
    path("", home, name="home"),
    route("health/", health, name="health"),
    route("health/live/", live, name="health-live"),
    route("health/ready/", ready, name="health-ready"),
    route("health/freshness/", freshness_health, name="health-freshness"),
    route("metrics/", metrics, name="metrics"),
    route("api/schema/", SchemaView.as_view(), name="schema"),
    route("api/docs/", DocumentationView.as_view(), name="docs"),
    # The path of the previous service.
    route("api-docs/", DocumentationView.as_view(), name="api-docs"),
    # The path of every Open edX service: frontends make it of this host's name (AUTH-10).
    route("csrf/api/v1/token/", CsrfTokenView.as_view(), name="csrf-token"),
    path("admin/", admin.site.urls),
    # The paths of every Open edX service, so that the LMS needs no other configuration.
    route("login/edx-oauth2/", lms_sign_in.begin, name="lms-sign-in"),
    route("complete/edx-oauth2/", lms_sign_in.complete, name="lms-signed-in"),
]

handler400 = "enterprise_catalog.apps.core.rest.exceptions.bad_request"
handler403 = "enterprise_catalog.apps.core.rest.exceptions.permission_denied"
handler404 = "enterprise_catalog.apps.core.rest.exceptions.not_found"
handler500 = "enterprise_catalog.apps.core.rest.exceptions.server_error"
