"""
The OpenAPI document and a page to read and try it on (SURF-4), both from our own host and for everybody (PERM-18).

What the document says of all operations is `openapi`'s; here is what it says of the service as a whole.
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

_AUTHENTICATION = "enterprise_catalog.apps.access.authentication"

_MANUAL = """
Answers which content is in the catalogs of enterprise customers, from its own store. Ids in brackets name the rules of
the contract.

* **Formats.** JSON, or XML where an operation offers it, by `Accept` or `?format=` (COM-4).
* **Paths** answer with and without their last slash, never by a redirect (COM-1). GET answers HEAD, too; any other
  method than those that are listed gets 405 and `Allow`.
* **Errors** have one message in `detail`, or lists of messages under the names of fields (ERR-1, ERR-2). An error of
  the service itself is 500 with a `detail` that says nothing; the log has it under the `X-Request-ID` (ERR-8).
* **Content keys** are those of courses (`edX+DemoX`) and runs (`course-v1:edX+DemoX+1T2026`), and uuids of programs and
  pathways. They hold no spaces: a `+` that was not encoded is repaired (COM-12).
* **Unknown** parameters and fields are ignored (COM-15).
* **v2** is v1 with the restricted runs that a content filter allows (V2-3).
* **The legacy surface** knows no `?format=`: its list and its catalogs have the suffixes `.json` and `.xml` (COM-4).
"""

_TAGS = {
    "enterprise-catalogs": "Catalogs, what is in them, and how they are kept up to date",
    "enterprise-customer": "Questions about all catalogs of a customer",
    "content-metadata": "Content by itself, for everybody who is known",
    "catalog-queries": "Stored content filters, which catalogs share",
    "distinct-catalog-queries": "How many queries some catalogs have",
    "refresh-runs": "What became of refreshes",
    "content-explanations": "Why a content is in a catalog, or is not",
    "legacy": "As edx-enterprise answered before this service: its clients swap only the host",
    "service": "Health and this documentation",
}


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
    # Plain `application/json` first: what a client gets that asks for nothing in particular.
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The same for everybody: the library would let `version` and `lang` into the document and a header."""
        response: Response = self._get_schema_response(request)
        response["Cache-Control"] = f"public, max-age={settings.SCHEMA_MAX_AGE_SECONDS}"
        return response

    def _get_version_parameter(self, request: Request) -> None:
        return None


class DocumentationView(SpectacularSwaggerSplitView):
    """The page, and with `?script` the script that starts it."""

    url_name = "schema"
    template_name = "api/documentation.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The same for everybody: the library would repeat the request's parameters in the address of the script."""
        response: Response = super().get(request, *args, **kwargs)
        if "script_url" in response.data:
            response.data["script_url"] = f"{reverse('docs')}?script="
        return response

    def _get_schema_url(self, request: Request) -> str:
        """Without parameters, which the library takes over."""
        return reverse("schema")


class JwtHeaderScheme(OpenApiAuthenticationExtension):
    target_class = f"{_AUTHENTICATION}.JwtHeaderAuthentication"
    name = "JWT"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`JWT <token>`"}


class BearerScheme(OpenApiAuthenticationExtension):
    """Where the legacy surface takes it (AUTH-2)."""

    target_class = f"{_AUTHENTICATION}.BearerJwtAuthentication"
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class JwtCookieScheme(OpenApiAuthenticationExtension):
    """Both cookies together."""

    target_class = f"{_AUTHENTICATION}.JwtCookieAuthentication"
    name = ["JWT-cookie-payload", "JWT-cookie-signature"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            _cookie("edx-jwt-cookie-header-payload", "The token up to its last dot."),
            _cookie("edx-jwt-cookie-signature", f"The rest of the token. {_CSRF}"),
        ]


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = f"{_AUTHENTICATION}.ActiveSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return _cookie("sessionid", f"Of who is signed in to the admin. {_CSRF}")


_CSRF = "Writing needs the header `X-CSRFToken`, too (AUTH-8)."


def _cookie(name: str, description: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "cookie", "name": name, "description": description}


def _health(*, description: str, **properties: Any) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": properties, "required": list(properties)},
            }
        },
    }


def _database_health(*, status: str, description: str) -> dict[str, Any]:
    verdict = {"type": "string", "const": status}
    details = {"type": "object", "properties": {"database_status": verdict}, "required": ["database_status"]}
    return _health(description=description, overall_status=verdict, detailed_status=details)


def _freshness_health(*, status: str, description: str, stale: dict[str, Any], held: list[str]) -> dict[str, Any]:
    return _health(
        description=description,
        overall_status={"type": "string", "const": status},
        stale_queries=stale,
        held_queries={"type": held, "minimum": 0},
        oldest_published_at={"type": ["string", "null"], "format": "date-time"},
    )


def _page() -> dict[str, Any]:
    return {
        "description": "HTML.",
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
        "content": {"text/html": {"schema": {"type": "string"}}},
    }


# Paths whose views are none of REST framework's, or speak HTML.
_OTHER_PATHS = {
    "/health/": {
        "get": {
            "operationId": "get_health",
            "summary": "Can this process serve?",
            "description": "No other service is asked (SURF-3).",
            "tags": ["service"],
            "responses": {
                "200": _database_health(status="OK", description="The database answers."),
                "503": _database_health(status="UNAVAILABLE", description="It does not."),
            },
        }
    },
    "/health/freshness/": {
        "get": {
            "operationId": "get_freshness",
            "summary": "Is all content as fresh as promised?",
            "description": (
                "Of the queries that catalogs use: how many were not published for "
                f"{settings.FRESHNESS_HOURS} hours, how many wait for a decision, and the "
                "oldest last publish. For monitors, not for load balancers (ADD-4)."
            ),
            "tags": ["service"],
            "responses": {
                "200": _freshness_health(
                    status="OK",
                    description="None is stale.",
                    stale={"type": "integer", "const": 0},
                    held=["integer"],
                ),
                "503": _freshness_health(
                    status="UNAVAILABLE",
                    description="Some are, or the database does not answer: then all else is null.",
                    stale={"type": ["integer", "null"], "minimum": 1},
                    held=["integer", "null"],
                ),
            },
        }
    },
    "/api/docs/": {
        "get": {
            "operationId": "get_documentation",
            "summary": "This page",
            "description": "Also at `/api-docs/` (SURF-4).",
            "tags": ["service"],
            "responses": {"200": _page(), "404": _page(), "406": _page()},
        }
    },
}


def describe_service(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of the generator: what the document says beside operations."""
    result["info"]["description"] = _MANUAL
    result["tags"] = [{"name": name, "description": description} for name, description in _TAGS.items()]
    result["paths"] |= _OTHER_PATHS
    return result
