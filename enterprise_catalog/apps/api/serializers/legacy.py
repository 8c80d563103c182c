"""Catalogs and queries of the legacy API (LEG-3, LEG-18 to LEG-20)."""

from typing import Any

from rest_framework import serializers

from enterprise_catalog.apps.api.openapi.bounds import ROW_ID
from enterprise_catalog.apps.api.serializers.base import OutputSerializer
from enterprise_catalog.apps.api.serializers.envelopes import FullEnvelopeSerializer, PlainEnvelopeSerializer
from enterprise_catalog.apps.api.serializers.fields import (
    TEXT,
    QueryIdField,
    StoredFilterField,
    StrictUUIDField,
    TextField,
    TitleField,
)


class CustomerCatalogCreateSerializer(serializers.Serializer):
    title = TextField()
    enterprise_customer = StrictUUIDField()
    enterprise_catalog_query = QueryIdField(required=False, allow_null=True)
    uuid = StrictUUIDField(required=False)


class CustomerCatalogUpdateSerializer(serializers.Serializer):
    uuid = StrictUUIDField()
    title = TextField(required=False)
    enterprise_catalog_query = QueryIdField(required=False)


# The body of `CustomerCatalogUpdateSerializer`, since drf-spectacular takes every field of a PATCH for optional.
CUSTOMER_CATALOG_UPDATE = {
    "type": "object",
    "properties": {
        "uuid": {"type": "string", "format": "uuid"},
        "title": TEXT,
        "enterprise_catalog_query": ROW_ID,
    },
    "required": ["uuid"],
}


class LegacyCustomerCatalogSerializer(OutputSerializer):
    uuid = serializers.UUIDField()
    title = TitleField()
    enterprise_customer = serializers.UUIDField(source="enterprise_uuid")
    enterprise_catalog_query = serializers.IntegerField(source="catalog_query_id")


class LegacyCatalogSerializer(LegacyCustomerCatalogSerializer):
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class LegacyCatalogsSerializer(FullEnvelopeSerializer):
    results = LegacyCatalogSerializer(many=True)


class LegacyContentSerializer(LegacyCatalogSerializer):
    """Describe a catalog with a page of its items (LEG-4)."""

    count = serializers.IntegerField()
    previous = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class FalseField(serializers.BooleanField):
    def to_representation(self, value: Any) -> bool:
        return False


class LegacyQuerySerializer(OutputSerializer):
    id = serializers.IntegerField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    title = TitleField(allow_null=True)
    content_filter = StoredFilterField()
    uuid = serializers.UUIDField()
    include_exec_ed_2u_courses = FalseField(source="*")


class LegacyQueriesSerializer(PlainEnvelopeSerializer):
    results = LegacyQuerySerializer(many=True)
