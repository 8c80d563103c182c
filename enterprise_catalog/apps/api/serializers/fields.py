"""
Fields of bodies and answers. They check types and lengths only (CRUD-2): every rule about catalogs is the services'.
"""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.serializers import BooleanField

from enterprise_catalog.apps.api.common.params import is_row_id
from enterprise_catalog.apps.api.openapi.bounds import CONTENT_FILTER, KEY, ROW_ID, TITLE_MAX_LENGTH
from enterprise_catalog.apps.catalog.content_filters.validation import check_content_filter
from enterprise_catalog.apps.catalog.course_modes import UnusableCourseModes, check_course_modes
from enterprise_catalog.apps.catalog.exceptions import UnusableFilter
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.rest.parsers import parse_json
from enterprise_catalog.apps.core.rest.renderers import RawJson
from enterprise_catalog.apps.core.uuids import parse_uuid

# --- What callers send -----------------------------------------------------------------------------------------------


class StrictUUIDField(serializers.UUIDField):
    """A uuid as text; the framework's own field takes numbers and `urn:` forms, too."""

    def to_internal_value(self, data: Any) -> UUID:
        uuid = parse_uuid(data)
        if uuid is None:
            self.fail("invalid")
        return uuid


# A text with at least one character that is not blank, and none that a database column refuses.
TEXT = {
    "type": "string",
    "minLength": 1,
    "maxLength": TITLE_MAX_LENGTH,
    "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$",
}


@extend_schema_field(TEXT)
class TextField(serializers.CharField):
    """1 to 255 characters, without the blanks around them. The framework's own field takes numbers, too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TITLE_MAX_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def _or_json_text(schema: dict[str, Any]) -> dict[str, Any]:
    """
    Also allow JSON text with a value of this schema, which today's client sends (CRUD-2). The text has no bound of its
    own but that of the body.
    """
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {"anyOf": [schema, text | {"maxLength": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}]}


COURSE_MODES = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": settings.COURSE_MODE_MAX_LENGTH},
    "maxItems": settings.COURSE_MODES_LIMIT,
}


@extend_schema_field(_or_json_text(COURSE_MODES))
class CourseModesField(serializers.Field):
    """A list of strings, or the same as JSON text, which today's client sends."""

    default_error_messages = dict.fromkeys(["invalid", "null"], "Expected a list of course modes.")

    def to_internal_value(self, data: Any) -> list[str]:
        if isinstance(data, str):
            try:
                data = parse_json(data)
            except ValueError:
                self.fail("invalid")
        try:
            return check_course_modes(data)
        except UnusableCourseModes as error:
            raise serializers.ValidationError(str(error)) from error


@extend_schema_field(_or_json_text(CONTENT_FILTER))
class ContentFilterField(serializers.Field):
    """A content filter as an object or as JSON text."""

    default_error_messages = {"null": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            return check_content_filter(data)
        except UnusableFilter as error:
            raise serializers.ValidationError(str(error)) from error


_FLAG_TEXTS = sorted(it for it in BooleanField.TRUE_VALUES | BooleanField.FALSE_VALUES if isinstance(it, str))


@extend_schema_field({"anyOf": [{"type": "boolean"}, {"enum": [0, 1, *_FLAG_TEXTS]}]})
class FlagField(BooleanField):
    """A boolean. Today's client sends text when it creates a catalog, and a boolean when it changes one (CRUD-2)."""


@extend_schema_field(ROW_ID)
class QueryIdField(serializers.IntegerField):
    """The id of a query. An id that no row can have is refused with the same words as an unknown one."""

    def to_internal_value(self, data: Any) -> int:
        query_id: int = super().to_internal_value(data)
        if not is_row_id(str(query_id)):
            raise serializers.ValidationError(f'Invalid pk "{query_id}" - object does not exist.')
        return query_id


@extend_schema_field(KEY)
class KeyField(serializers.CharField):
    """A content key that a caller asks about."""


# --- What answers hold -----------------------------------------------------------------------------------------------


class StoredKeyField(serializers.CharField):
    """A content key that fits its column."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=CONTENT_KEY_MAX_LENGTH, **options)


class TitleField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TITLE_MAX_LENGTH, **options)


@extend_schema_field(CONTENT_FILTER)
class StoredFilterField(serializers.DictField):
    """
    A content filter as it was sent. Written by Python's JSON, from which the hash was made, since orjson knows no
    numbers beyond 64 bits.
    """

    def to_representation(self, value: Any) -> Any:
        return RawJson(json.dumps(value).encode())


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
    """Uuids of catalogs by the id of their query."""
