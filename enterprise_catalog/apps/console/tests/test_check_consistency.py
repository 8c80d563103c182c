"""
The command `check_consistency` finds what was broken on purpose in a store that a refresh filled, and nothing else.
"""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.apps.catalog.change_feed.recording import record_attachment
from enterprise_catalog.apps.catalog.models import (
    CatalogAttachment,
    CatalogContentKey,
    CatalogQuery,
    ContentDocuments,
    ContentMetadata,
    CourseReview,
    NestedRun,
    Visibility,
)
from enterprise_catalog.apps.catalog.storage.consistency import Violation
from enterprise_catalog.apps.core.packed_json import pack, pack_bytes, unpack
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.scheduling.course_reviews import refresh_reviews_if_due
from enterprise_catalog.apps.services.consistency import violations
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog(sandbox):
    """Courses, runs and programs, fetched, with reviews."""
    everything = {"content_type": ["course", "courserun", "program"]}
    catalog = EnterpriseCatalogFactory.create(catalog_query__content_filter=everything)
    EnterpriseCustomer.objects.create(uuid=catalog.enterprise_uuid)
    record_attachment(catalogs=[catalog.pk], query_id=catalog.catalog_query_id, previous_query_id=None)
    call_command("refresh_catalogs", "--here", stdout=StringIO())
    assert refresh_reviews_if_due()
    return catalog


def found(*, deep: bool = False) -> set[str]:
    return {violation.rule for violation in violations(deep=deep)}


def test_a_refreshed_store_has_no_violation(catalog):
    assert ContentMetadata.objects.count() > 12
    assert list(violations(deep=True)) == []


def test_the_command_says_so(catalog):
    out = StringIO()
    call_command("check_consistency", "--deep", stdout=out)
    assert "No violation found." in out.getvalue()


def test_the_command_prints_each_violation_and_exits_with_1(catalog):
    CatalogQuery.objects.update(count_v1=1000)
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("check_consistency", stdout=out)
    assert refusal.value.returncode == 1
    assert f"counts: query {catalog.catalog_query.uuid}" in out.getvalue()


@pytest.mark.parametrize(
    ("column", "rule"), [("content_filter_hash", "filter-hash"), ("equivalence_key", "equivalence-key")]
)
def test_a_hash_that_is_not_the_filters(catalog, column, rule):  # HASH-1, HASH-2
    CatalogQuery.objects.update(**{column: "0" * 32})
    assert found() == {rule}


@pytest.mark.parametrize("column", ["visibility_v1", "visibility_v2", "visibility_legacy"])
def test_a_standing_that_is_not_the_contents(catalog, column):  # META-4, LEG-5
    CatalogContentKey.objects.update(**{column: Visibility.CONTAINED})
    assert found() == {"visibility", "counts"}


@pytest.mark.parametrize("column", ["member_count", "count_v1", "count_v2", "count_legacy"])
def test_a_count_that_is_not_the_members(catalog, column):  # META-4, LEG-6
    CatalogQuery.objects.update(**{column: 1000})
    assert found() == {"counts"}


def test_content_without_documents(catalog):
    ContentDocuments.objects.all()[0].delete()
    assert found() == {"documents-missing"}


def test_a_catalog_without_a_customer_row(catalog):  # CUST-1
    EnterpriseCustomer.objects.all().delete()
    assert list(violations()) == [Violation("customer-missing", str(catalog.uuid), "no customer row")]


def test_a_nested_run_without_a_row(catalog):  # CONT-1
    NestedRun.objects.all().delete()
    assert found() == {"nested-run"}


@pytest.mark.parametrize("column", ["active", "listed_on_legacy"])
def test_a_flag_that_is_not_the_documents(catalog, column):  # META-20, LEG-5
    course = ContentMetadata.objects.filter(content_type="course", active=True)[0]
    ContentMetadata.objects.filter(pk=course.pk).update(**{column: False})
    assert "content-column" in found()


def test_a_document_that_nobody_stored(catalog):
    documents = ContentDocuments.objects.filter(content__content_type="course")[0]
    documents.search_document = pack(unpack(documents.search_document) | {"course_ends": "Forged"})
    documents.save()
    assert found() == {"content-column", "rendered"}


def test_a_rendered_item_that_is_not_fresh(catalog):
    ContentDocuments.objects.filter(pk=ContentDocuments.objects.all()[0].pk).update(rendered=pack_bytes(b"{}"))
    assert found(deep=True) == {"rendered", "rendered-digest"}


def test_a_review_that_was_not_rendered(catalog):  # META-19
    review = CourseReview.objects.filter(course_key__in=ContentMetadata.objects.values("pk"))[0]
    CourseReview.objects.filter(pk=review.pk).update(reviews_count=review.reviews_count + 1)
    assert found() == {"rendered"}


def test_bytes_that_cannot_be_unpacked(catalog):
    ContentDocuments.objects.filter(pk=ContentDocuments.objects.all()[0].pk).update(search_document=b"broken")
    assert found() == {"unreadable-documents"}


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"queued_for": 1}, "queued-for"),
        ({"state": "queued", "finished_at": None}, "queued-for"),
        ({"running_for": 1}, "running-for"),
        ({"finished_at": None}, "finished-at"),
        ({"held_keys": b""}, "held-keys"),
    ],
)
def test_a_run_whose_columns_contradict_its_state(catalog, columns, rule):  # P4
    RefreshRun.objects.update(**columns)
    assert rule in found()


def test_a_waiting_run_in_another_querys_place(catalog):  # P4
    RefreshRun.objects.update(state="queued", finished_at=None, queued_for=catalog.catalog_query_id + 1)
    assert found() == {"queued-for"}


@pytest.mark.parametrize("broken", [{"ends_with": 5}, {"catalog_query": 4711}])
def test_a_catalog_that_tells_no_changes_of_its_query(catalog, broken):  # CHG-2
    CatalogAttachment.objects.update(**broken)
    assert found() == {"attachment"}


def test_a_catalog_that_tells_changes_twice(catalog):  # CHG-2
    record_attachment(catalogs=[catalog.pk], query_id=catalog.catalog_query_id, previous_query_id=None)
    assert found() == {"attachment"}
