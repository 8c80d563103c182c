"""The two envelopes of lists (COM-6). They describe only: `common.pagination` makes them."""

from rest_framework import serializers


class PlainEnvelopeSerializer(serializers.Serializer):
    count = serializers.IntegerField(min_value=0)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class FullEnvelopeSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(min_value=0)
    num_pages = serializers.IntegerField(min_value=1)
    current_page = serializers.IntegerField(min_value=1)
    start = serializers.IntegerField(min_value=0)
