"""
Serve the OpenAPI document and a page that shows it (SURF-4), from this host and to everybody (PERM-18).

The extensions tell drf-spectacular which security scheme a class of `access.authentication` is.
"""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.api.openapi.schema import SHARED

_AUTHENTICATION = "enterprise_catalog.apps.access.authentication"


@extend_schema_view(
    get=extend_schema(
        operation_id="get_schema",
        tags=["service"],
        exclude=False,
        summary="This document",
        description="JSON, or YAML (SURF-4).",
        parameters=[],
        responses=OpenApiResponse({"type": "object"}, "OpenAPI 3.1."),
    )
)
class SchemaView(SpectacularAPIView):
    # The first one, plain `application/json`, serves clients without a preference.
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ignore parameters: the library would write `version` and `lang` into the document and a header."""
        response: Response = self._get_schema_response(request)
        response["Cache-Control"] = f"public, max-age={settings.SCHEMA_MAX_AGE_SECONDS}"
        return response

    def _get_version_parameter(self, request: Request) -> None:
        return None


class DocumentationView(SpectacularSwaggerSplitView):
    """Serve the page, and with `?script` the script that starts it."""

    url_name = "schema"
    template_name = "api/documentation.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ignore parameters: the library would repeat them in the URL of the script."""
        response: Response = super().get(request, *args, **kwargs)
        if "script_url" in response.data:
            response.data["script_url"] = f"{reverse('docs')}?script="
        return response

    def _get_schema_url(self, request: Request) -> str:
        """Return the URL without parameters, which the library would repeat."""
        return reverse("schema")


class _SharedScheme(OpenApiAuthenticationExtension):
    """Take the definition of a security scheme, or of several that are required together, from `shared.yaml`."""

    def get_security_definition(self, auto_schema: Any) -> Any:
        if isinstance(self.name, str):
            return SHARED["security_schemes"][self.name]
        return [SHARED["security_schemes"][name] for name in self.name]


class JwtHeaderScheme(_SharedScheme):
    target_class = f"{_AUTHENTICATION}.JwtHeaderAuthentication"
    name = "JWT"


class BearerScheme(_SharedScheme):
    target_class = f"{_AUTHENTICATION}.BearerJwtAuthentication"
    name = "Bearer"


class JwtCookieScheme(_SharedScheme):
    target_class = f"{_AUTHENTICATION}.JwtCookieAuthentication"
    name = ["JWT-cookie-payload", "JWT-cookie-signature"]


class SessionScheme(_SharedScheme):
    target_class = f"{_AUTHENTICATION}.ActiveSessionAuthentication"
    name = "session"
