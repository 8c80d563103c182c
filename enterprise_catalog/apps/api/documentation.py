"""
The OpenAPI document and a page to read and try it on (SURF-4), both from our own host and for everybody (PERM-18).
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

_AUTHENTICATION = "enterprise_catalog.apps.access.authentication"


class SchemaView(SpectacularAPIView):
    # Plain `application/json` first: what a client gets that asks for nothing in particular.
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]


class DocumentationView(SpectacularSwaggerView):
    url_name = "schema"


class JwtHeaderScheme(OpenApiAuthenticationExtension):
    target_class = f"{_AUTHENTICATION}.JwtHeaderAuthentication"
    name = "JWT"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`JWT <token>`"}


class JwtCookieScheme(OpenApiAuthenticationExtension):
    target_class = f"{_AUTHENTICATION}.JwtCookieAuthentication"
    name = "JWT cookies"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "edx-jwt-cookie-header-payload"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = f"{_AUTHENTICATION}.ActiveSessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
