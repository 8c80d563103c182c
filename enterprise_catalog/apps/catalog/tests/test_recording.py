"""What joins and leaves one catalog when it is attached to a query (CHG-2)."""

import pytest
from django.utils import timezone

from enterprise_catalog.apps.catalog.change_feed.recording import record_attachment
from enterprise_catalog.apps.catalog.models import CatalogAttachment, CatalogContentChange, ContentMetadata
from enterprise_catalog.testing.factories import (
    CatalogQueryFactory,
    ContentMetadataFactory,
    EnterpriseCatalogFactory,
    publish_members,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def recorded(catalog):
    return list(catalog.content_changes.values_list("change", "content_key"))


def test_a_new_catalog_lists_all_members_as_added_in_key_order():
    catalog = EnterpriseCatalogFactory.create()
    publish_members(catalog.catalog_query, "edX+B", "edX+A")
    record_attachment(catalogs=[catalog.pk], query_id=catalog.catalog_query_id, previous_query_id=None)
    assert recorded(catalog) == [("added", "edX+A"), ("added", "edX+B")]


def test_a_moved_catalog_lists_the_difference():
    previous, catalog = CatalogQueryFactory.create(), EnterpriseCatalogFactory.create()
    stays = ContentMetadataFactory.create()
    publish_members(previous, stays, "edX+Leaves")
    publish_members(catalog.catalog_query, stays, "edX+Joins")
    record_attachment(catalogs=[catalog.pk], query_id=catalog.catalog_query_id, previous_query_id=previous.pk)
    assert recorded(catalog) == [("removed", "edX+Leaves"), ("added", "edX+Joins")]


def test_a_change_says_what_and_when_and_names_no_run():
    catalog = EnterpriseCatalogFactory.create()
    program = ContentMetadataFactory.create(content_type=ContentMetadata.ContentType.PROGRAM)
    publish_members(catalog.catalog_query, program)
    record_attachment(catalogs=[catalog.pk], query_id=catalog.catalog_query_id, previous_query_id=None)
    change = CatalogContentChange.objects.get()
    assert (change.catalog_query_id, change.enterprise_catalog_id) == (catalog.catalog_query_id, catalog.pk)
    assert (change.content_type, change.refresh_run_uuid) == ("program", None)
    assert change.changed_at >= catalog.created


def test_inactive_courses_join_and_hidden_runs_do_not():
    """No change is recorded of what v1 hides from everybody (V2-3)."""
    catalog = EnterpriseCatalogFactory.create()
    inactive = ContentMetadataFactory.create(content_key="edX+Inactive", active=False)
    hidden = ContentMetadataFactory.create(content_type=ContentMetadata.ContentType.COURSE_RUN, restricted=True)
    publish_members(catalog.catalog_query, inactive, hidden)
    record_attachment(catalogs=[catalog.pk], query_id=catalog.catalog_query_id, previous_query_id=None)
    assert recorded(catalog) == [("added", "edX+Inactive")]


def test_statements_do_not_grow_with_catalogs_and_members(django_assert_max_num_queries):
    query = CatalogQueryFactory.create()
    publish_members(query, *[f"edX+{number}" for number in range(30)])
    catalogs = EnterpriseCatalogFactory.create_batch(20, catalog_query=query)
    with django_assert_max_num_queries(5):
        record_attachment(catalogs=[row.pk for row in catalogs], query_id=query.pk, previous_query_id=None)
    assert CatalogContentChange.objects.count() == 20 * 30


def periods(catalog):
    return list(catalog.attachments.values_list("catalog_query_id", "begins_after", "ends_with"))


def change_of(query, **fields):
    return CatalogContentChange.objects.create(
        catalog_query=query, content_key="edX+A", content_type="course", change="added", changed_at=NOW, **fields
    ).pk


def test_a_period_begins_with_what_the_query_tells_from_now_on():  # CHG-2
    catalog = EnterpriseCatalogFactory.create()
    query = catalog.catalog_query
    before = change_of(query)
    change_of(query, enterprise_catalog=EnterpriseCatalogFactory.create(catalog_query=query))
    record_attachment(catalogs=[catalog.pk], query_id=query.pk, previous_query_id=None)
    assert periods(catalog) == [(query.pk, before, None)]


def test_a_period_ends_where_the_next_one_begins():  # CHG-2
    catalog, other = EnterpriseCatalogFactory.create(), CatalogQueryFactory.create()
    query = catalog.catalog_query
    record_attachment(catalogs=[catalog.pk], query_id=query.pk, previous_query_id=None)
    last, elsewhere = change_of(query), change_of(other)
    record_attachment(catalogs=[catalog.pk], query_id=other.pk, previous_query_id=query.pk)
    assert periods(catalog) == [(query.pk, 0, last), (other.pk, elsewhere, None)]


def test_a_deleted_catalog_leaves_no_period():
    catalog = EnterpriseCatalogFactory.create()
    record_attachment(catalogs=[catalog.pk], query_id=catalog.catalog_query_id, previous_query_id=None)
    catalog.delete()
    assert not CatalogAttachment.objects.exists()
