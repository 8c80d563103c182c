"""The admin in a real browser: on a live server, the real database, and a discovery that answers."""

import pytest

from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
)
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.services.refreshes import request_refresh
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.factories import (
    CatalogQueryFactory,
    ContentMetadataFactory,
    EnterpriseCatalogFactory,
    publish_members,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CUSTOMER = "6c1e0f0a-51a4-4f0f-9a53-0d5a1b6e0001"


def work() -> None:
    """What a worker does."""
    refresh(RefreshRun.objects.get(state="queued").pk)


@pytest.fixture
def catalog(sandbox) -> EnterpriseCatalog:
    query = CatalogQueryFactory.create(content_filter={"content_type": "course"}, title="All courses", named=True)
    return EnterpriseCatalogFactory.create(title="Engineering", enterprise_name="Umbrella", catalog_query=query)


def test_a_catalog_is_made_with_a_filter_and_seen_to_be_refreshed(desk, sandbox):
    desk.sign_in()
    desk.open("/admin/catalog/enterprisecatalog/add/")
    desk.type("title", "Engineering")
    desk.type("enterprise_uuid", CUSTOMER)
    desk.type("enterprise_name", "Umbrella")
    desk.type("enabled_course_modes", "verified, audit")
    desk.type("content_filter", '{"content_type": "course", "aggregation__key": "course:edX+DemoX"}')
    desk.press("Save and continue editing")
    assert desk.reads("was added successfully")
    assert desk.reads("discovery does not know “aggregation__key”")
    work()
    desk.follow(str(RefreshRun.objects.get().pk))
    assert desk.reads("published")
    desk.open(page(EnterpriseCatalog, "change", EnterpriseCatalog.objects.get().pk))
    assert desk.reads(f"{CatalogQuery.objects.get().count_v1} listed")
    assert desk.complaints() == []


def test_a_filter_with_a_mistake_is_shown_again(desk):
    desk.sign_in()
    desk.open("/admin/catalog/catalogquery/add/")
    desk.type("content_filter", '{"content_type": }')
    desk.press("Save")
    assert desk.reads("This is no JSON")
    assert desk.reads("Please correct the error below")


def test_refresh_now_leads_to_a_run_that_ends(desk, catalog):
    desk.sign_in()
    desk.open(page(EnterpriseCatalog, "change", catalog.pk))
    desk.press("Refresh now")
    assert desk.reads("A refresh is on its way")
    work()
    desk.follow(str(RefreshRun.objects.get().pk))
    assert desk.reads("published")


def test_the_history_shows_an_edit(desk, catalog):
    desk.sign_in()
    desk.open(page(EnterpriseCatalog, "change", catalog.pk))
    desk.type("title", "Mathematics")
    desk.press("Save and continue editing")
    desk.follow("HISTORY")
    assert desk.reads("Mathematics")
    assert desk.reads("olga")
    desk.follow("Engineering")
    assert desk.reads("View Engineering")


def test_a_catalog_is_searched_by_its_customers_name(desk, catalog):
    EnterpriseCatalogFactory.create(title="Somebody else's", enterprise_name="Globex")
    desk.sign_in()
    desk.open(page(EnterpriseCatalog, "changelist"))
    desk.type("q", "umbrella")
    desk.press("Search")
    assert desk.reads("Engineering")
    assert not desk.reads("Somebody else's")


def test_a_catalog_is_put_on_another_query(desk, catalog):
    query = CatalogQueryFactory.create(title="Only some courses")
    desk.sign_in()
    desk.open(page(EnterpriseCatalog, "change", catalog.pk))
    desk.choose("catalog_query", "Only some")
    desk.press("Save and continue editing")
    assert desk.reads("Only some courses")
    catalog.refresh_from_db()
    assert catalog.catalog_query == query


def test_a_course_and_its_documents_are_read(desk, catalog):
    refresh(request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.OPERATOR).pk)
    key = ContentMetadata.objects.order_by("pk")[0].pk
    desk.sign_in()
    desk.open(page(ContentMetadata, "changelist"))
    desk.follow(key)
    desk.unfold("search_document")
    assert desk.reads(f'"aggregation_key": "course:{key}"')
    desk.open(page(CatalogContentChange, "changelist"))
    assert desk.reads(key)
    desk.open(page(RefreshRun, "changelist"))
    assert desk.reads("All courses")


def test_a_held_run_is_approved(desk, catalog):
    contents = ContentMetadataFactory.create_batch(12)
    publish_members(catalog.catalog_query, *contents)
    run = request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.OPERATOR)
    work()
    desk.sign_in()
    desk.open(page(RefreshRun, "change", run.pk))
    assert desk.reads("would leave")
    desk.press("Approve")
    assert desk.reads("will show this result at once")
    assert desk.obstacles() == []
    desk.press("Publish it")
    assert desk.reads("Approved: the held set is published.")
