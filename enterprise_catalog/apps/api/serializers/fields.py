"""
What v1 accepts (CRUD-2), turned into the values the desk works with. Types and lengths only: every rule about catalogs
is the desk's.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.serializers import BooleanField

from enterprise_catalog.apps.api.common.bounds import CONTENT_FILTER, TITLE_MAX_LENGTH
from enterprise_catalog.apps.catalog.content_filters.validation import check_content_filter
from enterprise_catalog.apps.catalog.course_modes import UnusableCourseModes, check_course_modes
from enterprise_catalog.apps.catalog.exceptions import UnusableFilter
from enterprise_catalog.apps.core.rest.parsers import parse_json
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.services.catalogs import ABSENT, CatalogValues


class StrictUUIDField(serializers.UUIDField):
    """Text only; the framework's own field takes numbers and `urn:` forms, too."""

    def to_internal_value(self, data: Any) -> UUID:
        uuid = parse_uuid(data)
        if uuid is None:
            self.fail("invalid")
        return uuid


# A text with anything but blanks, and nothing that a database column refuses.
TEXT = {
    "type": "string",
    "minLength": 1,
    "maxLength": TITLE_MAX_LENGTH,
    "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$",
}


@extend_schema_field(TEXT)
class TextField(serializers.CharField):
    """1 to 255 characters, without the blanks around them. Text only; the framework's own field takes numbers, too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TITLE_MAX_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def _or_json_text(schema: dict[str, Any]) -> dict[str, Any]:
    """
    What today's client sends as the text of the JSON that it means (CRUD-2). What bounds the text is the body, which
    is a text itself.
    """
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {"anyOf": [schema, text | {"maxLength": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}]}


COURSE_MODES = {
    "type": "array",
    "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": settings.COURSE_MODE_MAX_LENGTH,
    },
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
    default_error_messages = {"null": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            return check_content_filter(data)
        except UnusableFilter as error:
            raise serializers.ValidationError(str(error)) from error


_FLAG_TEXTS = sorted(it for it in BooleanField.TRUE_VALUES | BooleanField.FALSE_VALUES if isinstance(it, str))


@extend_schema_field({"anyOf": [{"type": "boolean"}, {"enum": [0, 1, *_FLAG_TEXTS]}]})
class FlagField(BooleanField):
    """Today's client sends it as text when it creates a catalog, and as a boolean when it changes one (CRUD-2)."""


class CatalogChange(serializers.Serializer):
    """The body of PUT and (partially) PATCH; unknown keys are ignored (COM-15), a uuid too, since it never changes."""

    title = TextField()
    enterprise_customer = StrictUUIDField()
    enterprise_customer_name = TextField(help_text="For `utm_source` in links; never answered.")
    enabled_course_modes = CourseModesField(help_text="Never answered.")
    publish_audit_enrollment_urls = FlagField(help_text="Never answered.")
    content_filter = ContentFilterField(
        help_text="What discovery is asked for; 1 MiB and 10 levels at most. Never answered here. Which restricted "
        "runs it allows is for operators to say (V2-1)."
    )
    catalog_query_uuid = StrictUUIDField(
        required=False, allow_null=True, help_text="The query to attach, or the uuid of a new one (QRY-1 to QRY-5)."
    )
    query_title = TextField(required=False, allow_null=True, help_text="Of the query; unique.")

    def values(self) -> CatalogValues:
        sent = self.validated_data
        return CatalogValues(
            uuid=sent.get("uuid", ABSENT),
            title=sent.get("title", ABSENT),
            enterprise_uuid=sent.get("enterprise_customer", ABSENT),
            enterprise_name=sent.get("enterprise_customer_name", ABSENT),
            enabled_course_modes=sent.get("enabled_course_modes", ABSENT),
            publish_audit_enrollment_urls=sent.get("publish_audit_enrollment_urls", ABSENT),
            content_filter=sent.get("content_filter", ABSENT),
            query_uuid=sent.get("catalog_query_uuid", ABSENT),
            query_title=sent.get("query_title", ABSENT),
        )


class CatalogInput(CatalogChange):
    """The body of POST."""

    uuid = StrictUUIDField(required=False, help_text="Generated when absent.")
