"""
What v1 accepts (CRUD-2), turned into the values the desk works with. Types and lengths only: every rule about catalogs
is the desk's.
"""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_catalog.apps.catalog.filters import UnusableFilter, check_content_filter
from enterprise_catalog.apps.core.parsers import parse_json
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.operations.catalogs import ABSENT, CatalogValues


class StrictUUIDField(serializers.UUIDField):
    """Text only; the framework's own field takes numbers and `urn:` forms, too."""

    def to_internal_value(self, data: Any) -> UUID:
        uuid = parse_uuid(data)
        if uuid is None:
            self.fail("invalid")
        return uuid


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class CourseModesField(serializers.Field):
    """A list of strings, or the same as JSON text, which today's client sends."""

    default_error_messages = dict.fromkeys(["invalid", "null"], "Expected a list of course modes.")

    def to_internal_value(self, data: Any) -> list[str]:
        if isinstance(data, str):
            try:
                data = parse_json(data)
            except ValueError:
                self.fail("invalid")
        if not isinstance(data, list) or not all(isinstance(mode, str) for mode in data):
            self.fail("invalid")
        return data


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ContentFilterField(serializers.Field):
    default_error_messages = {"null": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            return check_content_filter(data)
        except UnusableFilter as error:
            raise serializers.ValidationError(str(error)) from error


class CatalogChange(serializers.Serializer):
    """The body of PUT and (partially) PATCH; unknown keys are ignored (COM-15), a uuid too, since it never changes."""

    title = serializers.CharField(max_length=255)
    enterprise_customer = StrictUUIDField()
    enterprise_customer_name = serializers.CharField(max_length=255)
    enabled_course_modes = CourseModesField()
    publish_audit_enrollment_urls = serializers.BooleanField()
    content_filter = ContentFilterField()
    catalog_query_uuid = StrictUUIDField(required=False, allow_null=True)
    query_title = serializers.CharField(required=False, allow_null=True, max_length=255)

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
