"""Catalog queries (CQ-1), and which catalogs share one (CQ-5)."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from enterprise_catalog.apps.api.serializers.base import OutputSerializer
from enterprise_catalog.apps.api.serializers.envelopes import FullEnvelopeSerializer
from enterprise_catalog.apps.api.serializers.fields import CatalogsByQueryField, StoredFilterField, TitleField
from enterprise_catalog.apps.catalog.models import CatalogQuery


class QuerySerializer(OutputSerializer):
    """The context's `titled` holds the ids of the queries whose titles this caller may know (CRUD-1)."""

    id = serializers.IntegerField(min_value=1)
    uuid = serializers.UUIDField()
    content_filter = StoredFilterField()
    content_filter_hash = serializers.RegexField("^[0-9a-f]{32}$", max_length=32)
    title = TitleField(allow_null=True)

    def to_representation(self, instance: CatalogQuery) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return shown if instance.pk in self.context["titled"] else shown | {"title": None}


class QueriesSerializer(FullEnvelopeSerializer):
    results = QuerySerializer(many=True)


class CatalogUuidsSerializer(serializers.Serializer):
    enterprise_catalog_uuids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_null=True, max_length=settings.DISTINCT_CATALOGS_LIMIT
    )


class DistinctQueriesSerializer(serializers.Serializer):
    num_distinct_query_ids = serializers.IntegerField(min_value=0)
    catalog_uuids_by_catalog_query_id = CatalogsByQueryField()
