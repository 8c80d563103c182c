"""
Describe what all operations share in the OpenAPI document, so that a new view is described correctly (SURF-4).

Which errors an operation has follows from its view: whether it is protected, reads a body or is throttled, and its
formats. A view states its own parameters, bodies, answers and errors.
"""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.urls import Resolver404, resolve
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAuthenticated

from enterprise_catalog.apps.api.common.conditional import MAY_BE_KEPT
from enterprise_catalog.apps.api.openapi.bounds import MESSAGE, beyond
from enterprise_catalog.apps.catalog.api_versions import LEGACY, V2, ApiVersion
from enterprise_catalog.apps.core.middleware.response_headers import NO_STORE

_JSON, _XML = "application/json", "application/xml"

_DETAIL, FIELD_ERRORS = "Detail", "FieldErrors"
# The bodies of most 400s.
BAD_REQUEST = (FIELD_ERRORS, _DETAIL)
# An array instead of an object, on which clients depend (ERR-3).
MISSING_PARAMETER = "MissingParameter"
SCHEMAS: dict[str, Any] = {
    _DETAIL: {
        "description": "One message (ERR-1).",
        "type": "object",
        "properties": {"detail": MESSAGE},
        "required": ["detail"],
        "additionalProperties": False,
    },
    FIELD_ERRORS: {
        "description": "What is wrong with each field or parameter; `non_field_errors` with several at once (ERR-2).",
        "type": "object",
        "additionalProperties": {"type": "array", "items": MESSAGE, "minItems": 1},
        "minProperties": 1,
    },
    MISSING_PARAMETER: {
        "description": "A parameter is missing (ERR-3).",
        "type": "array",
        "items": MESSAGE,
        "minItems": 1,
        "maxItems": 1,
    },
    "XML": {
        "description": "The JSON answer under `<root>`: elements of lists are `<list-item>`, null is an empty element, "
        'and a key that is no XML name is `<item key="...">` (COM-5).',
        "type": "string",
    },
}

HEADERS: dict[str, Any] = {
    "X-Request-ID": {
        "description": "The id that the request came with, or a new one; the log names it, too (COM-20).",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "WWW-Authenticate": {
        "description": "How to say who asks (AUTH-3).",
        "required": True,
        "schema": {"type": "string", "const": 'JWT realm="api"'},
    },
    "Retry-After": {
        "description": "Seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "Cache-Control": {
        "description": "Nobody keeps the answer: it depends on who asks, and on the moment (COM-18).",
        "required": True,
        "schema": {"type": "string", "const": NO_STORE},
    },
    "Cache-Control-of-kept": {
        "description": "The caller may keep the answer, and has to ask each time whether it still holds (COM-18).",
        "required": True,
        "schema": {"type": "string", "const": MAY_BE_KEPT},
    },
    "Vary": {
        "description": "Names `Authorization` and `Cookie`, and whatever else the answer depends on (COM-18).",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "ETag": {
        "description": "Changes whenever anything in the body could (COM-18).",
        "required": True,
        "schema": {"type": "string", "pattern": '^W/".+"$'},
    },
    "Last-Modified": {
        "description": "The latest modification that shows in the body; for people, since removals do not move it.",
        "required": True,
        "schema": {"type": "string"},
    },
}

# By status: name, description, schemas of the body, headers.
_REFUSALS: dict[int, tuple[str, str, Sequence[str], list[str]]] = {
    400: ("BadRequest", "Something that was sent cannot be read, or used.", BAD_REQUEST, []),
    401: ("NotAuthenticated", "No credentials, or bad ones (AUTH-3).", [_DETAIL], ["WWW-Authenticate"]),
    403: ("Forbidden", "Not for this caller (ROLE-7), or cookies without a CSRF token (AUTH-8).", [_DETAIL], []),
    404: ("NotFound", "No such object, page or `format` (COM-3, COM-4, COM-7).", [_DETAIL], []),
    406: ("NotAcceptable", "None of the formats is in `Accept` (COM-4).", [_DETAIL], []),
    411: ("LengthRequired", "The body comes in chunks, without `Content-Length`.", [_DETAIL], []),
    413: ("TooLarge", "The body has more than 5 MiB (COM-16).", [_DETAIL], []),
    415: ("UnsupportedMediaType", "The body is in no format that is read here.", [_DETAIL], []),
    429: ("Throttled", "Too many requests (ERR-6).", [_DETAIL], ["Retry-After"]),
    503: ("Unavailable", "The database is away for a moment (ERR-7).", [_DETAIL], ["Retry-After"]),
}

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
    """Add the components to which operations refer; a hook of the generator."""
    components = result["components"]
    components["schemas"] |= SCHEMAS
    components["headers"] = HEADERS
    components["responses"] = {
        _name(status, with_xml=with_xml): {
            "description": description,
            "headers": _headers("X-Request-ID", *headers) | _who_may_keep("Cache-Control"),
            "content": {_JSON: {"schema": _one_of(schemas)}} | ({_XML: {"schema": _schema("XML")}} if with_xml else {}),
        }
        for status, (_, description, schemas, headers) in _REFUSALS.items()
        for with_xml in (True, False)
    }
    return result


def _name(status: int, *, with_xml: bool) -> str:
    name = _REFUSALS[status][0]
    return name if with_xml else f"{name}AsJson"


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _who_may_keep(component: str) -> dict[str, Any]:
    return {"Cache-Control": {"$ref": f"#/components/headers/{component}"}} | _headers("Vary")


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _one_of(names: Sequence[str]) -> dict[str, Any]:
    return _schema(names[0]) if len(names) == 1 else {"anyOf": [_schema(name) for name in names]}
