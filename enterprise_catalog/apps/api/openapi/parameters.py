"""Parameters, headers and shared answers of operations, as the OpenAPI document describes them."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from enterprise_catalog.apps.api.openapi.bounds import FILTER_HASH, KEY, NAMING_HEADER, beyond, keys_of_body


def flag_parameter(name: str, description: str) -> OpenApiParameter:
    """A boolean parameter (COM-11)."""
    return OpenApiParameter(
        name,
        {"type": "boolean", "default": False},
        description=f"{description} Also `1`, `yes`, `on`, `t`, `y` and their opposites, in any case.",
    )


def keys_parameter(name: str, description: str, *, limit: int, required: bool = False) -> OpenApiParameter:
    """A repeatable parameter (COM-12)."""
    return OpenApiParameter(
        name, keys_of_body(limit), required=required, description=f"{description} Repeatable, {limit} at most."
    )


def page_parameter(*, numbers: str, description: str) -> OpenApiParameter:
    """The number of a page; `numbers` is a regular expression of those that exist, apart from the empty text."""
    return OpenApiParameter(
        "page",
        {"type": "string", "pattern": f"^({numbers})?$", "maxLength": settings.PAGE_MAX_CHARACTERS, "default": "1"},
        description=description,
    )


def page_size_parameter(*, default: int, most: int) -> OpenApiParameter:
    return OpenApiParameter(
        "page_size",
        beyond({"type": "integer", "minimum": 1, "default": default}, f"counts as {most}"),
        description=f"A larger one counts as {most}, and what is none as {default} (COM-8).",
    )


PAGE_NUMBER = "0*[1-9][0-9]{0,8}"
PAGE_PARAMETERS = [
    page_parameter(numbers=f"{PAGE_NUMBER}|last", description="From 1, or `last` (COM-7)."),
    page_size_parameter(default=settings.PAGE_SIZE_DEFAULT, most=settings.PAGE_SIZE_MAX),
]

IDENTIFIER = OpenApiParameter(
    "identifier", KEY, OpenApiParameter.PATH, description="Content key or uuid; keys may hold slashes."
)


def header(name: str, schema: Any, description: str, *, on: list[int], required: bool = False) -> OpenApiParameter:
    """A header of the answers with one of the statuses `on`."""
    return OpenApiParameter(name, schema, "header", required=required, description=description, response=on)


SAVE_HEADERS = [
    header(
        "X-Refresh-Run",
        {"type": "string", "format": "uuid"},
        "The refresh that this started or joined, if any (CRUD-10).",
        on=[200, 201],
    ),
    header(
        "X-Catalog-Filter-Warning",
        NAMING_HEADER,
        "What looks wrong with the filter, as `code:key`, with commas between (QRY-8).",
        on=[200, 201],
    ),
]

STATE_HEADERS = [
    header(
        "X-Catalog-Generation",
        {"type": "string", "minLength": 1},
        "Opaque: another one means that what is listed has changed, and a walk over pages should begin anew (ADD-2).",
        on=[200, 304],
        required=True,
    ),
    header(
        "X-Catalog-Refreshed-At",
        {"type": "string", "format": "date-time"},
        "The last published refresh; absent before the first (ADD-2).",
        on=[200, 304],
    ),
]

HASH = OpenApiResponse(FILTER_HASH)

NOT_MODIFIED = OpenApiResponse(description="The caller holds this answer already (COM-18).")

# The keys are required only if there is a body (DIFF-3), which REST framework cannot say of a serializer.
DIFF_KEYS = {
    "application/json": {
        "type": "object",
        "properties": {"content_keys": keys_of_body(settings.DIFF_KEYS_LIMIT_POST)},
        "required": ["content_keys"],
    }
}
