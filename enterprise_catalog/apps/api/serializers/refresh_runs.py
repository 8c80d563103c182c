"""Refresh runs (RUN-1), and what asking for one answers (REFR-1)."""

from typing import Any

from rest_framework import serializers

from enterprise_catalog.apps.api.serializers.base import OutputSerializer
from enterprise_catalog.apps.refresh.models import RefreshRun


class RefreshSerializer(OutputSerializer):
    async_task_id = serializers.UUIDField(source="uuid", help_text="The refresh run that will serve this request.")


class CountsSerializer(serializers.Serializer):
    """The counts that a run has, in the contract's order: MySQL keeps the keys of JSON in its own (COM-14)."""

    fetched = serializers.IntegerField()
    skipped = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    total = serializers.IntegerField()

    def to_representation(self, instance: dict[str, int]) -> Any:
        return {name: instance[name] for name, _ in self.fields.items() if name in instance} if instance else None


class ReasonSerializer(OutputSerializer):
    """Why a run failed, or is held; null for other runs."""

    code = serializers.CharField(source="reason_code")
    detail = serializers.CharField(source="reason_detail")

    def to_representation(self, instance: RefreshRun) -> Any:
        return super().to_representation(instance) if instance.reason_code else None


class RunSerializer(OutputSerializer):
    id = serializers.UUIDField(source="uuid")
    catalog_query_uuid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RefreshRun.State.choices)
    trigger = serializers.ChoiceField(choices=RefreshRun.Trigger.choices)
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    counts = CountsSerializer(allow_null=True)
    reason = ReasonSerializer(allow_null=True, source="*")
    attempts = serializers.IntegerField(min_value=0)
