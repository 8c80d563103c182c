"""
Shapes of v1's answers, bodies and parameters, for the OpenAPI document only: `representations` and the views make the
answers, `params` and `serializers` read what is sent.
"""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from enterprise_catalog.apps.api.common.bounds import (
    KEY,
    NAMING_HEADER,
    CatalogsByQueryField,
    ContentFilterShape,
    KeyField,
    StoredKeyField,
    TitleField,
    beyond,
    keys_of_body,
)
from enterprise_catalog.apps.catalog.models import CatalogContentChange, ContentMetadata
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.text import CUT
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.content_explanations.reasons import Code, Rule

# --- Parameters ------------------------------------------------------------------------------------------------------


def flag_parameter(name: str, description: str) -> OpenApiParameter:
    """COM-11."""
    return OpenApiParameter(
        name,
        {"type": "boolean", "default": False},
        description=f"{description} Also `1`, `yes`, `on`, `t`, `y` and their opposites, in any case.",
    )


def keys_parameter(name: str, description: str, *, limit: int, required: bool = False) -> OpenApiParameter:
    """A repeatable parameter (COM-12)."""
    return OpenApiParameter(
        name,
        keys_of_body(limit),
        required=required,
        description=f"{description} Repeatable, {limit} at most.",
    )


def page_size_parameter(*, default: int, most: int) -> OpenApiParameter:
    return OpenApiParameter(
        "page_size",
        beyond({"type": "integer", "minimum": 1, "default": default}, f"counts as {most}"),
        description=f"A larger one counts as {most}, and what is none as {default} (COM-8).",
    )


PAGE_PARAMETERS = [
    OpenApiParameter(
        "page",
        {
            "type": "string",
            "pattern": "^(0*[1-9][0-9]{0,8}|last)?$",
            "maxLength": settings.PAGE_MAX_CHARACTERS,
            "default": "1",
        },
        description="From 1, or `last` (COM-7).",
    ),
    page_size_parameter(default=settings.PAGE_SIZE_DEFAULT, most=settings.PAGE_SIZE_MAX),
]

IDENTIFIER = OpenApiParameter(
    "identifier", KEY, OpenApiParameter.PATH, description="Content key or uuid; keys may hold slashes."
)

# --- Headers ---------------------------------------------------------------------------------------------------------


def header(name: str, schema: Any, description: str, *, on: list[int], required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, schema, "header", required=required, description=description, response=on)


SAVE_HEADERS = [
    header(
        "X-Refresh-Run",
        {"type": "string", "format": "uuid"},
        "The refresh that this started or joined, if any (CRUD-10).",
        on=[200, 201],
    ),
    header(
        "X-Catalog-Filter-Warning",
        NAMING_HEADER,
        "What looks wrong with the filter, as `code:key`, with commas between (QRY-8).",
        on=[200, 201],
    ),
]

STATE_HEADERS = [
    header(
        "X-Catalog-Generation",
        {"type": "string", "minLength": 1},
        "Opaque: another one means that what is listed has changed, and a walk over pages should begin anew (ADD-2).",
        on=[200, 304],
        required=True,
    ),
    header(
        "X-Catalog-Refreshed-At",
        {"type": "string", "format": "date-time"},
        "The last published refresh; absent before the first (ADD-2).",
        on=[200, 304],
    ),
]

# --- Answers ---------------------------------------------------------------------------------------------------------

HASH = OpenApiResponse({"type": "string", "pattern": "^[0-9a-f]{32}$"})

NOT_MODIFIED = OpenApiResponse(description="The caller holds this answer already (COM-18).")


class NormalizedShape(serializers.Serializer):
    """META-30."""

    start_date = serializers.CharField(allow_null=True)
    end_date = serializers.CharField(allow_null=True)
    enroll_by_date = serializers.CharField(allow_null=True)
    enroll_start_date = serializers.CharField(allow_null=True)
    content_price = serializers.FloatField()


class ItemShape(serializers.Serializer):
    """What the service says of an item beside what discovery does (META-10 to META-19); much depends on its type."""

    content_type = serializers.ChoiceField(choices=ContentMetadata.ContentType.choices)
    key = StoredKeyField(required=False, help_text="Of all but programs.")
    uuid = serializers.CharField(required=False, help_text="Of programs, always.")
    parent_content_key = StoredKeyField(allow_null=True, help_text="Of a run, the key of its course.")
    content_last_modified = serializers.DateTimeField()
    marketing_url = serializers.CharField(required=False, allow_null=True)
    enrollment_url = serializers.CharField(required=False, allow_null=True)
    xapi_activity_id = serializers.CharField(required=False)
    active = serializers.BooleanField(required=False, help_text="Of courses: some run can be enrolled in (META-20).")
    normalized_metadata = NormalizedShape(required=False)
    normalized_metadata_by_run = serializers.DictField(child=NormalizedShape(), required=False)
    reviews_count = serializers.IntegerField(required=False)
    avg_course_rating = serializers.FloatField(required=False)


class CatalogShape(serializers.Serializer):
    uuid = serializers.UUIDField()
    title = TitleField()
    enterprise_customer = serializers.UUIDField()
    catalog_query_uuid = serializers.UUIDField()
    content_last_modified = serializers.DateTimeField(allow_null=True)
    catalog_modified = serializers.DateTimeField()
    query_title = TitleField(allow_null=True)
    content_refreshed_at = serializers.DateTimeField(allow_null=True)
    content_freshness = serializers.ChoiceField(choices=["never", "fresh", "stale"])


class PlainEnvelopeShape(serializers.Serializer):
    """COM-6."""

    count = serializers.IntegerField(min_value=0)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


_OF_PAGES = "Not with `traverse_pagination`."


class FullEnvelopeShape(serializers.Serializer):
    """COM-6."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(min_value=0)
    num_pages = serializers.IntegerField(min_value=1)
    current_page = serializers.IntegerField(min_value=1)
    start = serializers.IntegerField(min_value=0)


class CatalogsShape(PlainEnvelopeShape):
    results = CatalogShape(many=True)


class QueryShape(serializers.Serializer):
    uuid = serializers.UUIDField()
    content_filter = ContentFilterShape()
    content_filter_hash = serializers.RegexField("^[0-9a-f]{32}$", max_length=32)
    title = TitleField(allow_null=True)


class QueriesShape(FullEnvelopeShape):
    results = QueryShape(many=True)


class CatalogUuidsShape(serializers.Serializer):
    enterprise_catalog_uuids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_null=True, max_length=settings.DISTINCT_CATALOGS_LIMIT
    )


class DistinctQueriesShape(serializers.Serializer):
    num_distinct_query_ids = serializers.IntegerField(min_value=0)
    catalog_uuids_by_catalog_query_id = CatalogsByQueryField()


class ContentKeysShape(serializers.Serializer):
    content_keys = serializers.ListField(child=KeyField(), max_length=settings.CONTENT_KEYS_LIMIT_POST)


# Without a body nothing is held (DIFF-3), which the framework cannot say of a serializer.
DIFF_KEYS = {
    "application/json": {
        "type": "object",
        "properties": {
            "content_keys": keys_of_body(settings.DIFF_KEYS_LIMIT_POST),
        },
        "required": ["content_keys"],
    }
}


class FilterKeysShape(serializers.Serializer):
    content_keys = serializers.ListField(child=KeyField(), required=False, max_length=settings.FILTER_KEYS_LIMIT)
    catalog_uuids = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        max_length=settings.FILTER_KEYS_LIMIT,
        help_text="All catalogs of the customer when absent or empty.",
    )


class FilteredKeysShape(serializers.Serializer):
    filtered_content_keys = serializers.ListField(child=StoredKeyField(), max_length=settings.FILTER_KEYS_LIMIT)


class AskedKeyShape(serializers.Serializer):
    """As it was sent, of any length that the body had room for."""

    content_key = serializers.CharField(max_length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class DiffKeyShape(serializers.Serializer):
    content_key = StoredKeyField()


class DiffItemShape(DiffKeyShape):
    date_updated = serializers.DateTimeField()


class DiffShape(serializers.Serializer):
    items_not_found = serializers.ListField(child=AskedKeyShape(), max_length=settings.DIFF_KEYS_LIMIT_POST)
    items_not_included = DiffKeyShape(many=True)
    items_found = serializers.ListField(child=DiffItemShape(), max_length=settings.DIFF_KEYS_LIMIT_POST)


class ContentIdsShape(serializers.Serializer):
    """At least one of the two (ERR-3), which a schema of fields cannot say."""

    course_run_ids = serializers.ListField(child=KeyField(), required=False, max_length=settings.CONTAINS_IDS_LIMIT)
    program_uuids = serializers.ListField(child=KeyField(), required=False, max_length=settings.CONTAINS_IDS_LIMIT)


class CatalogContainsShape(serializers.Serializer):
    contains_content_items = serializers.BooleanField()


class CustomerContainsShape(CatalogContainsShape):
    catalog_list = serializers.ListField(child=serializers.UUIDField(), required=False)


class ContentMetadataShape(FullEnvelopeShape):
    """META-2, META-3."""

    num_pages = serializers.IntegerField(min_value=1, required=False, help_text=_OF_PAGES)
    current_page = serializers.IntegerField(min_value=1, required=False, help_text=_OF_PAGES)
    start = serializers.IntegerField(min_value=0, required=False, help_text=_OF_PAGES)
    results = ItemShape(many=True)
    uuid = serializers.UUIDField()
    title = TitleField()
    enterprise_customer = serializers.UUIDField()


class ContentsShape(PlainEnvelopeShape):
    results = ItemShape(many=True)


class ChangeShape(serializers.Serializer):
    content_key = StoredKeyField()
    content_type = serializers.ChoiceField(choices=ContentMetadata.ContentType.choices)
    change = serializers.ChoiceField(choices=CatalogContentChange.Change.choices)
    changed_at = serializers.DateTimeField()
    refresh_run = serializers.UUIDField(allow_null=True)


class ChangesShape(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    cursor = serializers.CharField(max_length=settings.SINCE_MAX_CHARACTERS)
    results = ChangeShape(many=True)


class RefreshShape(serializers.Serializer):
    async_task_id = serializers.UUIDField(help_text="The refresh run that will serve this request.")


class CountsShape(serializers.Serializer):
    fetched = serializers.IntegerField()
    skipped = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    total = serializers.IntegerField()


class ReasonShape(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class RunShape(serializers.Serializer):
    id = serializers.UUIDField()
    catalog_query_uuid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RefreshRun.State.choices)
    trigger = serializers.ChoiceField(choices=RefreshRun.Trigger.choices)
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    counts = CountsShape(allow_null=True)
    reason = ReasonShape(allow_null=True)
    attempts = serializers.IntegerField(min_value=0)


class SetAsideShape(serializers.Serializer):
    refresh_run = serializers.UUIDField()
    catalog_query_uuid = serializers.UUIDField()
    at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class ContentFactsShape(serializers.Serializer):
    """ADD-5."""

    content_key = serializers.CharField(
        max_length=CONTENT_KEY_MAX_LENGTH + len(CUT), help_text="As asked; what is too long for a key is cut."
    )
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
    quarantined = SetAsideShape(many=True, help_text="The last times that its document could not be used.")


class ExplainedReasonShape(serializers.Serializer):
    code = serializers.ChoiceField(choices=[code.value for code in Code])
    detail = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="When it came to be so, where known.")
    refresh_run = serializers.UUIDField(allow_null=True)


class ExplanationShape(serializers.Serializer):
    """ADD-5."""

    enterprise_catalog = serializers.UUIDField()
    title = TitleField()
    enterprise_customer = serializers.UUIDField()
    catalog_query_uuid = serializers.UUIDField()
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
    reasons = ExplainedReasonShape(many=True)


class ExplanationsShape(FullEnvelopeShape):
    results = ExplanationShape(many=True)
    content = ContentFactsShape()
