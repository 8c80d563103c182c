"""Catalogs as they are sent and answered (CRUD-1, CRUD-2), and their change feed (CHG-1)."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from enterprise_catalog.apps.api.serializers.base import OutputSerializer
from enterprise_catalog.apps.api.serializers.envelopes import PlainEnvelopeSerializer
from enterprise_catalog.apps.api.serializers.fields import (
    ContentFilterField,
    CourseModesField,
    FlagField,
    StoredKeyField,
    StrictUUIDField,
    TextField,
    TitleField,
)
from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import CatalogContentChange, ContentMetadata, EnterpriseCatalog


class CatalogUpdateSerializer(serializers.Serializer):
    """
    The body of PUT, and with `partial` that of PATCH, as the fields of `CatalogValues`. Unknown keys are ignored
    (COM-15), as is a uuid, which never changes.
    """

    title = TextField()
    enterprise_customer = StrictUUIDField(source="enterprise_uuid")
    enterprise_customer_name = TextField(
        source="enterprise_name", help_text="For `utm_source` in links; never answered."
    )
    enabled_course_modes = CourseModesField(help_text="Never answered.")
    publish_audit_enrollment_urls = FlagField(help_text="Never answered.")
    content_filter = ContentFilterField(
        help_text="What discovery is asked for; 1 MiB and 10 levels at most. Never answered here. Which restricted "
        "runs it allows is for operators to say (V2-1)."
    )
    catalog_query_uuid = StrictUUIDField(
        source="query_uuid",
        required=False,
        allow_null=True,
        help_text="The query to attach, or the uuid of a new one (QRY-1 to QRY-5).",
    )
    query_title = TextField(required=False, allow_null=True, help_text="Of the query; unique.")


class CatalogCreateSerializer(CatalogUpdateSerializer):
    """The body of POST."""

    uuid = StrictUUIDField(required=False, help_text="Generated when absent.")


class ContentModifiedField(serializers.DateTimeField):
    """When a query's content was last modified; null if it has none."""

    def to_representation(self, value: Any) -> Any:
        return value.content_modified if value.member_count else None


class FreshnessField(serializers.ChoiceField):
    """How fresh a query's content is."""

    def to_representation(self, value: Any) -> str:
        return freshness(value.refreshed_at)


class CatalogSerializer(OutputSerializer):
    """The context's `titled` holds the ids of the queries whose titles this caller may know (CRUD-1)."""

    uuid = serializers.UUIDField()
    title = TitleField()
    enterprise_customer = serializers.UUIDField(source="enterprise_uuid")
    catalog_query_uuid = serializers.UUIDField(source="catalog_query.uuid")
    content_last_modified = ContentModifiedField(allow_null=True, source="catalog_query")
    catalog_modified = serializers.DateTimeField(source="modified")
    query_title = TitleField(allow_null=True, source="catalog_query.title")
    content_refreshed_at = serializers.DateTimeField(allow_null=True, source="catalog_query.refreshed_at")
    content_freshness = FreshnessField(choices=["never", "fresh", "stale"], source="catalog_query")

    def to_representation(self, instance: EnterpriseCatalog) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return shown if instance.catalog_query_id in self.context["titled"] else shown | {"query_title": None}


class CatalogsSerializer(PlainEnvelopeSerializer):
    results = CatalogSerializer(many=True)


class ChangeSerializer(OutputSerializer):
    content_key = StoredKeyField()
    content_type = serializers.ChoiceField(choices=ContentMetadata.ContentType.choices)
    change = serializers.ChoiceField(choices=CatalogContentChange.Change.choices)
    changed_at = serializers.DateTimeField()
    refresh_run = serializers.UUIDField(allow_null=True, source="refresh_run_uuid")


class ChangesSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    cursor = serializers.CharField(max_length=settings.SINCE_MAX_CHARACTERS)
    results = ChangeSerializer(many=True)
