"""Shapes of the legacy surface's answers, for the OpenAPI document only: the views make the answers."""

from rest_framework import serializers

from enterprise_catalog.apps.api.v1.shapes import FullEnvelopeShape, PlainEnvelopeShape


class CustomerCatalogShape(serializers.Serializer):
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField()
    enterprise_catalog_query = serializers.IntegerField()

    class Meta:
        ref_name = "LegacyCustomerCatalog"


class CatalogShape(CustomerCatalogShape):
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class CatalogsShape(FullEnvelopeShape):
    results = CatalogShape(many=True)


class ContentShape(CatalogShape):
    count = serializers.IntegerField()
    previous = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class QueryShape(serializers.Serializer):
    id = serializers.IntegerField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    title = serializers.CharField(allow_null=True)
    content_filter = serializers.DictField()
    uuid = serializers.UUIDField()
    include_exec_ed_2u_courses = serializers.BooleanField()


class QueriesShape(PlainEnvelopeShape):
    results = QueryShape(many=True)
