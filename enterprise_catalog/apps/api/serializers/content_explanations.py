"""Serialize what is known of a content, and why catalogs contain it or not (ADD-5)."""

from typing import Any

from rest_framework import serializers

from enterprise_catalog.apps.api.serializers.base import OutputSerializer
from enterprise_catalog.apps.api.serializers.envelopes import FullEnvelopeSerializer
from enterprise_catalog.apps.api.serializers.fields import StoredKeyField, TitleField
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.text import CUT, shortened
from enterprise_catalog.apps.services.content_explanations.reasons import Code, Rule


class AskedContentKeyField(serializers.CharField):
    """A content key as it was asked for; what is too long for a key is cut."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=CONTENT_KEY_MAX_LENGTH + len(CUT), **options)

    def to_representation(self, value: str) -> str:
        return shortened(value, CONTENT_KEY_MAX_LENGTH)


class QuarantinedSerializer(OutputSerializer):
    refresh_run = serializers.UUIDField(source="refresh_run.uuid")
    catalog_query_uuid = serializers.UUIDField(source="refresh_run.catalog_query_uuid")
    at = serializers.DateTimeField(allow_null=True, source="refresh_run.finished_at")
    reason = serializers.CharField()


class ContentFactsSerializer(OutputSerializer):
    content_key = AskedContentKeyField(help_text="As asked; what is too long for a key is cut.")
    content_type = serializers.ChoiceField(
        choices=ContentMetadata.ContentType.choices, allow_null=True, help_text="Null when nobody knows the key."
    )
    title = serializers.CharField(allow_null=True)
    parent_content_key = StoredKeyField(allow_null=True, help_text="Of a run, the key of its course.")
    active = serializers.BooleanField(allow_null=True, help_text="Of courses (META-20).")
    inactive_because = serializers.CharField(allow_null=True)
    restricted = serializers.BooleanField(help_text="A run that v1 shows to nobody (V2-2).")
    queries = serializers.IntegerField(min_value=0, help_text="How many contain it.")
    catalogs = serializers.IntegerField(min_value=0, help_text="How many contain it.")
    last_seen = serializers.DateTimeField(allow_null=True, help_text="The last publish of a query that contains it.")
    left_at = serializers.DateTimeField(allow_null=True, help_text="When it last left a query.")
    hint = serializers.CharField(allow_null=True, help_text="What to try when nobody knows the key.")
    quarantined = QuarantinedSerializer(many=True, help_text="The last times that its document could not be used.")


class ExplainedReasonSerializer(OutputSerializer):
    code = serializers.ChoiceField(choices=[code.value for code in Code])
    detail = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="When it came to be so, where known.")
    refresh_run = serializers.UUIDField(allow_null=True, source="run_uuid")


class ExplanationSerializer(OutputSerializer):
    enterprise_catalog = serializers.UUIDField(source="catalog.uuid")
    title = TitleField(source="catalog.title")
    enterprise_customer = serializers.UUIDField(source="catalog.enterprise_uuid")
    catalog_query_uuid = serializers.UUIDField(source="catalog.catalog_query.uuid")
    contains = serializers.BooleanField(help_text="What v1 answers (CONT-1).")
    contains_in_v2 = serializers.BooleanField()
    listed = serializers.BooleanField(help_text="Whether v1 lists the member for who only browses (META-4).")
    rule = serializers.ChoiceField(
        choices=[rule.value for rule in Rule],
        allow_null=True,
        help_text="It is a member itself, a run of a member course, or the course of a member run.",
    )
    member = StoredKeyField(allow_null=True, help_text="The member by which the key is contained.")
    since = serializers.DateTimeField(
        allow_null=True, help_text="When the member joined this catalog; null when that is longer ago than is kept."
    )
    since_run = serializers.UUIDField(allow_null=True)
    last_seen = serializers.DateTimeField(allow_null=True, help_text="The last publish that found the member.")
    reasons = ExplainedReasonSerializer(many=True)


class ExplanationsSerializer(FullEnvelopeSerializer):
    results = ExplanationSerializer(many=True)
    content = ContentFactsSerializer()
