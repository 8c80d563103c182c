"""Shapes of the legacy surface's answers, for the OpenAPI document only: the views make the answers."""

from rest_framework import serializers

from enterprise_catalog.apps.api.common.bounds import ContentFilterShape, TitleField
from enterprise_catalog.apps.api.serializers.shapes import FullEnvelopeShape, PlainEnvelopeShape


class LegacyCustomerCatalogShape(serializers.Serializer):
    uuid = serializers.UUIDField()
    title = TitleField()
    enterprise_customer = serializers.UUIDField()
    enterprise_catalog_query = serializers.IntegerField()


class LegacyCatalogShape(LegacyCustomerCatalogShape):
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class LegacyCatalogsShape(FullEnvelopeShape):
    results = LegacyCatalogShape(many=True)


class LegacyContentShape(LegacyCatalogShape):
    count = serializers.IntegerField()
    previous = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class LegacyQueryShape(serializers.Serializer):
    id = serializers.IntegerField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    title = TitleField(allow_null=True)
    content_filter = ContentFilterShape()
    uuid = serializers.UUIDField()
    include_exec_ed_2u_courses = serializers.BooleanField()


class LegacyQueriesShape(PlainEnvelopeShape):
    results = LegacyQueryShape(many=True)
