"""
Shapes of v1's answers and bodies, for the OpenAPI document only: `representations` and the views make the answers.
"""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from enterprise_catalog.apps.catalog.models import CatalogContentChange, ContentMetadata
from enterprise_catalog.apps.refresh.models import RefreshRun

PAGE_PARAMETERS = [
    OpenApiParameter("page", description="From 1, or `last`."),
    OpenApiParameter("page_size", int, description="10 unless given, 100 at most."),
]

NOT_MODIFIED = OpenApiResponse(description="The caller holds this answer already (`If-None-Match`).")


class CatalogShape(serializers.Serializer):
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField()
    catalog_query_uuid = serializers.UUIDField()
    content_last_modified = serializers.DateTimeField(allow_null=True)
    catalog_modified = serializers.DateTimeField()
    query_title = serializers.CharField(allow_null=True)
    content_refreshed_at = serializers.DateTimeField(allow_null=True)
    content_freshness = serializers.ChoiceField(choices=["never", "fresh", "stale"])


class CatalogsShape(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CatalogShape(many=True)


class QueryShape(serializers.Serializer):
    uuid = serializers.UUIDField()
    content_filter = serializers.DictField()
    content_filter_hash = serializers.CharField()
    title = serializers.CharField(allow_null=True)


class QueriesShape(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField()
    num_pages = serializers.IntegerField()
    current_page = serializers.IntegerField()
    start = serializers.IntegerField()
    results = QueryShape(many=True)


class CatalogUuidsShape(serializers.Serializer):
    enterprise_catalog_uuids = serializers.ListField(child=serializers.UUIDField(), required=False)


class DistinctQueriesShape(serializers.Serializer):
    num_distinct_query_ids = serializers.IntegerField()
    catalog_uuids_by_catalog_query_id = serializers.DictField(
        child=serializers.ListField(child=serializers.UUIDField())
    )


class ContentKeysShape(serializers.Serializer):
    content_keys = serializers.ListField(child=serializers.CharField())


class FilterKeysShape(serializers.Serializer):
    content_keys = serializers.ListField(child=serializers.CharField(), required=False)
    catalog_uuids = serializers.ListField(child=serializers.UUIDField(), required=False, allow_null=True)


class FilteredKeysShape(serializers.Serializer):
    filtered_content_keys = serializers.ListField(child=serializers.CharField())


class DiffKeyShape(serializers.Serializer):
    content_key = serializers.CharField()


class DiffItemShape(DiffKeyShape):
    date_updated = serializers.DateTimeField()


class DiffShape(serializers.Serializer):
    items_not_found = DiffKeyShape(many=True)
    items_not_included = DiffKeyShape(many=True)
    items_found = DiffItemShape(many=True)


class ContentIdsShape(serializers.Serializer):
    course_run_ids = serializers.ListField(child=serializers.CharField(), required=False)
    program_uuids = serializers.ListField(child=serializers.CharField(), required=False)


class CatalogContainsShape(serializers.Serializer):
    contains_content_items = serializers.BooleanField()


class CustomerContainsShape(CatalogContainsShape):
    catalog_list = serializers.ListField(child=serializers.UUIDField(), required=False)


class ContentPageShape(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField()
    num_pages = serializers.IntegerField()
    current_page = serializers.IntegerField()
    start = serializers.IntegerField()
    results = serializers.ListField(child=serializers.DictField())
    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_customer = serializers.UUIDField()


class ContentsShape(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class ChangeShape(serializers.Serializer):
    content_key = serializers.CharField()
    content_type = serializers.ChoiceField(choices=ContentMetadata.ContentType.choices)
    change = serializers.ChoiceField(choices=CatalogContentChange.Change.choices)
    changed_at = serializers.DateTimeField()
    refresh_run = serializers.UUIDField(allow_null=True)


class ChangesShape(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    cursor = serializers.CharField()
    results = ChangeShape(many=True)


class RefreshShape(serializers.Serializer):
    async_task_id = serializers.UUIDField()


class RunShape(serializers.Serializer):
    id = serializers.UUIDField()
    catalog_query_uuid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RefreshRun.State.choices)
    trigger = serializers.ChoiceField(choices=RefreshRun.Trigger.choices)
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField(), allow_null=True)
    reason = serializers.DictField(child=serializers.CharField(), allow_null=True)
    attempts = serializers.IntegerField()
