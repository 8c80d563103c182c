"""
How much of everything callers may send and get back, as the OpenAPI document says it (COM-16): schemas of the document,
and fields that have them. What holds requests to it are `params`, the serializers and the functions they call.
"""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.text import CUT

# Of all texts in bodies; those of queries are no longer.
TITLE_MAX_LENGTH = EnterpriseCatalog._meta.get_field("title").max_length
LARGEST_ID = 2**63 - 1


def beyond(schema: dict[str, Any], outcome: str) -> dict[str, Any]:
    """
    A schema whose bound may be passed: `x-beyond` says what becomes of a value that does, where it is no error. Ids
    that are too long for any row match nothing (COM-16), and sizes that are too large are cut (COM-8).
    """
    return schema | {"x-beyond": outcome}


ROW_ID = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
# A uuid, or an id.
QUERY_NAME = beyond({"type": "string", "maxLength": 36}, "names nothing")
# COM-16: what is cut ends with three dots.
NAMING_HEADER = {"type": "string", "maxLength": settings.HEADER_MAX_CHARACTERS + len(CUT)}
# It may repeat what was sent, and not all of it.
MESSAGE = {"type": "string", "maxLength": settings.ERROR_TEXT_MAX_CHARACTERS + len(CUT)}
# What JSON Schema has no words for: the filter as JSON in UTF-8, and lists and objects within one another.
CONTENT_FILTER = {
    "type": "object",
    "x-max-bytes": settings.CONTENT_FILTER_MAX_BYTES,
    "x-max-levels": settings.CONTENT_FILTER_MAX_LEVELS,
}
KEY = beyond({"type": "string", "maxLength": CONTENT_KEY_MAX_LENGTH}, "matches nothing")


def keys_of_body(limit: int) -> dict[str, Any]:
    return {"type": "array", "items": KEY, "maxItems": limit}


@extend_schema_field(KEY)
class KeyField(serializers.CharField):
    """One that a caller asks about."""


class StoredKeyField(serializers.CharField):
    """One that fits its column."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=CONTENT_KEY_MAX_LENGTH, **options)


class TitleField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TITLE_MAX_LENGTH, **options)


@extend_schema_field(CONTENT_FILTER)
class ContentFilterShape(serializers.DictField):
    """As it was sent."""


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "type": "array",
            "items": {"type": "string", "format": "uuid"},
            "maxItems": settings.DISTINCT_CATALOGS_LIMIT,
        },
        "maxProperties": settings.DISTINCT_CATALOGS_LIMIT,
    }
)
class CatalogsByQueryField(serializers.DictField):
    """Of the catalogs that were asked about."""
