"""
Describe what all operations share in the OpenAPI document, so that a new view is described correctly (SURF-4).

Which errors an operation has follows from its view: whether it is protected, reads a body or is throttled, and its
formats. A view states its own parameters, bodies, answers and errors. `shared.yaml` has what is the same whatever the
views are: the manual, the bodies and headers of errors, and the paths outside of the API.
"""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.urls import Resolver404, resolve
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAuthenticated

from enterprise_catalog.apps.api.common.conditional import MAY_BE_KEPT
from enterprise_catalog.apps.api.openapi.bounds import beyond
from enterprise_catalog.apps.catalog.api_versions import LEGACY, V2, ApiVersion
from enterprise_catalog.apps.core.middleware.response_headers import NO_STORE
from enterprise_catalog.apps.core.text import CUT

# Parts of the document, as `shared.yaml` states them.
SHARED: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("shared.yaml").read_text()
    % {
        "freshness_hours": settings.FRESHNESS_HOURS,
        "may_be_kept": MAY_BE_KEPT,
        # A message may repeat a part of what was sent, but never all of it.
        "message_characters": settings.ERROR_TEXT_MAX_CHARACTERS + len(CUT),
        "no_store": NO_STORE,
    }
)

_JSON, _XML = "application/json", "application/xml"

_DETAIL, FIELD_ERRORS = "Detail", "FieldErrors"
# The bodies of most 400s.
BAD_REQUEST = (FIELD_ERRORS, _DETAIL)
# An array instead of an object, on which clients depend (ERR-3).
MISSING_PARAMETER = "MissingParameter"

_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "The `ETag` of the answer that is held already.",
    "schema": beyond(
        {"type": "string", "maxLength": settings.IF_NONE_MATCH_MAX_CHARACTERS}, "counts as another answer's tag"
    ),
}

# What a uuid in a path identifies, by the segment before it.
_NAMED_BY_UUID = {
    "enterprise-catalogs": "The catalog.",
    "enterprise_catalogs": "The catalog.",
    "enterprise-customer": "The enterprise customer.",
    "refresh-runs": "The refresh run.",
}


class ErrorResponse(OpenApiResponse):
    """An error that only one operation has, with one of these bodies."""

    def __init__(self, description: str, *schemas: str) -> None:
        super().__init__(_one_of(schemas or (_DETAIL,)), description)


class ApiSchema(AutoSchema):
    """REST framework's DEFAULT_SCHEMA_CLASS."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for parameter in operation.get("parameters", []):
            self._describe(parameter)
        if "304" in operation["responses"]:
            operation["parameters"].append(_IF_NONE_MATCH)
        if self._api_version is V2:
            operation["operationId"] += "_v2"
        operation["responses"] = self._completed(operation["responses"], has_body="requestBody" in operation)
        return operation

    def _get_request_body(self, direction: Any = "request") -> dict[str, Any] | None:
        body: dict[str, Any] | None = super()._get_request_body(direction)
        # Every field of a PATCH is optional, except the uuid of the row if the path has none.
        if body and self.method == "PATCH" and "{" not in self.path:
            body["required"] = True
        return body

    def get_auth(self) -> list[dict[str, Any]]:
        """Return no schemes for public operations; the library returns one empty scheme."""
        return [scheme for scheme in super().get_auth() if scheme]

    def get_tags(self) -> list[str]:
        return ["legacy"] if self._api_version is LEGACY else self._tokenize_path()[:1]

    def _get_format_parameters(self) -> list[dict[str, Any]]:
        """Return none for the legacy API, which ignores `format` (COM-4)."""
        return [] if self._api_version is LEGACY else super()._get_format_parameters()

    @property
    def _api_version(self) -> ApiVersion | None:
        return getattr(self.view, "api_version", None)

    def _completed(self, answers: dict[str, Any], *, has_body: bool) -> dict[str, Any]:
        """Complete the answers that the view states, and add the errors that follow from the view."""
        for status, answer in answers.items():
            answer["description"] = answer["description"] or HTTPStatus(int(status)).phrase
            # A caller who may get 304 has got the ETag before.
            conditional = ["ETag", "Last-Modified"] if "304" in answers and status in ("200", "304") else []
            headers = _headers("X-Request-ID", *conditional)
            if self._api_version is not None:
                headers |= _who_may_keep("Cache-Control-of-kept" if conditional else "Cache-Control")
            answer.setdefault("headers", {}).update(headers)
            if _XML in answer.get("content", {}):
                answer["content"][_XML] = {"schema": _schema("XML")}
        with_xml = _XML in self.map_renderers("media_type")
        for refusal in self._refusals(has_body=has_body):
            name = _name(refusal, with_xml=with_xml)
            answers.setdefault(str(refusal), {"$ref": f"#/components/responses/{name}"})
        return dict(sorted(answers.items()))

    def _refusals(self, *, has_body: bool) -> Iterator[int]:
        yield from (400, 404)
        if isinstance(self.view.get_content_negotiator(), DefaultContentNegotiation):
            yield 406
        if any(isinstance(permission, IsAuthenticated) for permission in self.view.get_permissions()):
            yield from (401, 503)
            if getattr(self.view, "asks_for_role", True) or self.method != "GET":
                yield 403
        if has_body:
            yield from (411, 413, 415)
        if self.view.get_throttles():
            yield 429

    def _describe(self, parameter: dict[str, Any]) -> None:
        where, name = parameter["in"], parameter["name"]
        if (where, name) == ("path", "uuid"):
            segments = self.path.split("/")
            parameter["schema"] = {"type": "string", "format": "uuid"}
            parameter["description"] = _NAMED_BY_UUID[segments[segments.index("{uuid}") - 1]]
        elif (where, name) == ("query", "format"):
            parameter["description"] = "Instead of `Accept`."
            if is_named_with_suffix(self.path):
                parameter["description"] += " So does a suffix of the path, `.json` or `.xml` (COM-4)."


def is_named_with_suffix(path: str) -> bool:
    """Whether the path may end with a suffix for its format."""
    try:
        return "format" in resolve(f"{path.rstrip('/')}.xml").kwargs
    except Resolver404:
        return False


def add_shared_parts(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the parts that no view states, and the errors that operations refer to; a hook of the generator."""
    result["info"]["description"] = SHARED["description"]
    result["tags"] = SHARED["tags"]
    result["paths"] |= SHARED["paths"]
    components = result["components"]
    components["schemas"] |= SHARED["schemas"]
    components["headers"] = SHARED["headers"]
    components["responses"] = {
        _name(status, with_xml=with_xml): {
            "description": refusal["description"],
            "headers": _headers("X-Request-ID", *refusal.get("headers", ())) | _who_may_keep("Cache-Control"),
            "content": {_JSON: {"schema": _one_of(refusal.get("schemas", [_DETAIL]))}}
            | ({_XML: {"schema": _schema("XML")}} if with_xml else {}),
        }
        for status, refusal in SHARED["refusals"].items()
        for with_xml in (True, False)
    }
    return result


def _name(status: int, *, with_xml: bool) -> str:
    name = SHARED["refusals"][status]["name"]
    return name if with_xml else f"{name}AsJson"


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _who_may_keep(component: str) -> dict[str, Any]:
    return {"Cache-Control": {"$ref": f"#/components/headers/{component}"}} | _headers("Vary")


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _one_of(names: Sequence[str]) -> dict[str, Any]:
    return _schema(names[0]) if len(names) == 1 else {"anyOf": [_schema(name) for name in names]}
