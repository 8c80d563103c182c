"""The admin in a real browser, on a live server with a real database and a discovery that answers."""

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
    """Do a worker's work."""
    refresh(RefreshRun.objects.get(state="queued").pk)


@pytest.fixture
def catalog(sandbox) -> EnterpriseCatalog:
    query = CatalogQueryFactory.create(content_filter={"content_type": "course"}, title="All courses", named=True)
    return EnterpriseCatalogFactory.create(title="Engineering", enterprise_name="Umbrella", catalog_query=query)


def test_a_catalog_is_made_with_a_filter_and_seen_to_be_refreshed(admin_browser, sandbox):
    admin_browser.sign_in()
    admin_browser.open("/admin/catalog/enterprisecatalog/add/")
    admin_browser.type("title", "Engineering")
    admin_browser.type("enterprise_uuid", CUSTOMER)
    admin_browser.type("enterprise_name", "Umbrella")
    admin_browser.type("enabled_course_modes", "verified, audit")
    admin_browser.type("content_filter", '{"content_type": "course", "aggregation__key": "course:edX+DemoX"}')
    admin_browser.press("Save and continue editing")
    assert admin_browser.reads("was added successfully")
    assert admin_browser.reads("discovery does not know “aggregation__key”")
    work()
    admin_browser.follow(str(RefreshRun.objects.get().pk))
    assert admin_browser.reads("published")
    admin_browser.open(page(EnterpriseCatalog, "change", EnterpriseCatalog.objects.get().pk))
    assert admin_browser.reads(f"{CatalogQuery.objects.get().count_v1} listed")
    assert admin_browser.complaints() == []


def test_a_filter_with_a_mistake_is_shown_again(admin_browser):
    admin_browser.sign_in()
    admin_browser.open("/admin/catalog/catalogquery/add/")
    admin_browser.type("content_filter", '{"content_type": }')
    admin_browser.press("Save")
    assert admin_browser.reads("This is no JSON")
    assert admin_browser.reads("Please correct the error below")


def test_refresh_now_leads_to_a_run_that_ends(admin_browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    admin_browser.press("Refresh now")
    assert admin_browser.reads("A refresh is on its way")
    work()
    admin_browser.follow(str(RefreshRun.objects.get().pk))
    assert admin_browser.reads("published")


def test_the_history_shows_an_edit(admin_browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    admin_browser.type("title", "Mathematics")
    admin_browser.press("Save and continue editing")
    admin_browser.follow("HISTORY")
    assert admin_browser.reads("Mathematics")
    assert admin_browser.reads("olga")
    admin_browser.follow("Engineering")
    assert admin_browser.reads("View Engineering")


def test_a_catalog_is_searched_by_its_customers_name(admin_browser, catalog):
    EnterpriseCatalogFactory.create(title="Somebody else's", enterprise_name="Globex")
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "changelist"))
    admin_browser.type("q", "umbrella")
    admin_browser.press("Search")
    assert admin_browser.reads("Engineering")
    assert not admin_browser.reads("Somebody else's")


def test_a_catalog_is_put_on_another_query(admin_browser, catalog):
    query = CatalogQueryFactory.create(title="Only some courses")
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    admin_browser.choose("catalog_query", "Only some")
    admin_browser.press("Save and continue editing")
    assert admin_browser.reads("Only some courses")
    catalog.refresh_from_db()
    assert catalog.catalog_query == query


def test_a_course_and_its_documents_are_read(admin_browser, catalog):
    refresh(request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.OPERATOR).pk)
    key = ContentMetadata.objects.order_by("pk")[0].pk
    admin_browser.sign_in()
    admin_browser.open(page(ContentMetadata, "changelist"))
    admin_browser.follow(key)
    admin_browser.unfold("search_document")
    assert admin_browser.reads(f'"aggregation_key": "course:{key}"')
    admin_browser.open(page(CatalogContentChange, "changelist"))
    assert admin_browser.reads(key)
    admin_browser.open(page(RefreshRun, "changelist"))
    assert admin_browser.reads("All courses")


def test_a_held_run_is_approved(admin_browser, catalog):
    contents = ContentMetadataFactory.create_batch(12)
    publish_members(catalog.catalog_query, *contents)
    run = request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.OPERATOR)
    work()
    admin_browser.sign_in()
    admin_browser.open(page(RefreshRun, "change", run.pk))
    assert admin_browser.reads("would leave")
    admin_browser.press("Approve")
    assert admin_browser.reads("will show this result at once")
    assert admin_browser.obstacles() == []
    admin_browser.press("Publish it")
    assert admin_browser.reads("Approved: the held set is published.")
