"""Items, containment, diffs and the bodies that ask for them."""

from django.conf import settings
from rest_framework import serializers

from enterprise_catalog.apps.api.serializers.base import OutputSerializer
from enterprise_catalog.apps.api.serializers.envelopes import FullEnvelopeSerializer, PlainEnvelopeSerializer
from enterprise_catalog.apps.api.serializers.fields import KeyField, StoredKeyField, TitleField
from enterprise_catalog.apps.catalog.models import ContentMetadata

# --- Items -----------------------------------------------------------------------------------------------------------


class NormalizedSerializer(serializers.Serializer):
    """Dates and price of a course or a run (META-30)."""

    start_date = serializers.CharField(allow_null=True)
    end_date = serializers.CharField(allow_null=True)
    enroll_by_date = serializers.CharField(allow_null=True)
    enroll_start_date = serializers.CharField(allow_null=True)
    content_price = serializers.FloatField(allow_null=True)


class ItemSerializer(serializers.Serializer):
    """
    Describe the fields of an item that discovery's documents do not have (META-10 to META-19); many depend on the
    item's type. Items are served as stored bytes, so this class never makes one.
    """

    content_type = serializers.ChoiceField(choices=ContentMetadata.ContentType.choices)
    key = StoredKeyField(required=False, help_text="Of all but programs.")
    uuid = serializers.CharField(required=False, help_text="Of programs, always.")
    parent_content_key = StoredKeyField(allow_null=True, help_text="Of a run, the key of its course.")
    content_last_modified = serializers.DateTimeField()
    marketing_url = serializers.CharField(required=False, allow_null=True)
    enrollment_url = serializers.CharField(required=False, allow_null=True)
    xapi_activity_id = serializers.CharField(required=False)
    active = serializers.BooleanField(required=False, help_text="Of courses: some run can be enrolled in (META-20).")
    normalized_metadata = NormalizedSerializer(required=False)
    normalized_metadata_by_run = serializers.DictField(child=NormalizedSerializer(), required=False)
    reviews_count = serializers.IntegerField(required=False)
    avg_course_rating = serializers.FloatField(required=False)


_OF_PAGES = "Not with `traverse_pagination`."


class ContentMetadataSerializer(FullEnvelopeSerializer):
    """A page of a catalog's items, or all of them (META-2, META-3)."""

    num_pages = serializers.IntegerField(min_value=1, required=False, help_text=_OF_PAGES)
    current_page = serializers.IntegerField(min_value=1, required=False, help_text=_OF_PAGES)
    start = serializers.IntegerField(min_value=0, required=False, help_text=_OF_PAGES)
    results = ItemSerializer(many=True)
    uuid = serializers.UUIDField()
    title = TitleField()
    enterprise_customer = serializers.UUIDField()


class ContentsSerializer(PlainEnvelopeSerializer):
    results = ItemSerializer(many=True)


class ContentKeysSerializer(serializers.Serializer):
    content_keys = serializers.ListField(child=KeyField(), max_length=settings.CONTENT_KEYS_LIMIT_POST)


# --- Containment -----------------------------------------------------------------------------------------------------


class ContentIdsSerializer(serializers.Serializer):
    """At least one of the two has to be sent (ERR-3), which a schema of fields cannot say."""

    course_run_ids = serializers.ListField(child=KeyField(), required=False, max_length=settings.CONTAINS_IDS_LIMIT)
    program_uuids = serializers.ListField(child=KeyField(), required=False, max_length=settings.CONTAINS_IDS_LIMIT)


class CatalogContainsSerializer(serializers.Serializer):
    contains_content_items = serializers.BooleanField()


class CustomerContainsSerializer(CatalogContainsSerializer):
    catalog_list = serializers.ListField(child=serializers.UUIDField(), required=False)


class FilterKeysSerializer(serializers.Serializer):
    content_keys = serializers.ListField(child=KeyField(), required=False, max_length=settings.FILTER_KEYS_LIMIT)
    catalog_uuids = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        max_length=settings.FILTER_KEYS_LIMIT,
        help_text="All catalogs of the customer when absent or empty.",
    )


class FilteredKeysSerializer(serializers.Serializer):
    filtered_content_keys = serializers.ListField(child=StoredKeyField(), max_length=settings.FILTER_KEYS_LIMIT)


# --- Diffs -----------------------------------------------------------------------------------------------------------


class DiffKeySerializer(OutputSerializer):
    content_key = StoredKeyField(source="*")


class AskedKeySerializer(OutputSerializer):
    """A key as it was sent, of any length that fits into a body."""

    content_key = serializers.CharField(source="*", max_length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class DiffItemSerializer(OutputSerializer):
    content_key = StoredKeyField()
    date_updated = serializers.DateTimeField(source="modified")


class DiffSerializer(OutputSerializer):
    """What an exporter must delete, create and update (DIFF-1), of a `MemberDiff`."""

    items_not_found = serializers.ListField(
        source="not_found", child=AskedKeySerializer(), max_length=settings.DIFF_KEYS_LIMIT_POST
    )
    items_not_included = DiffKeySerializer(many=True, source="not_included")
    items_found = serializers.ListField(
        source="found", child=DiffItemSerializer(), max_length=settings.DIFF_KEYS_LIMIT_POST
    )
