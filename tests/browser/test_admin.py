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


def test_a_catalog_is_made_with_a_filter_and_seen_to_be_refreshed(chrome, sandbox):
    chrome.sign_in()
    chrome.open("/admin/catalog/enterprisecatalog/add/")
    chrome.type("title", "Engineering")
    chrome.type("enterprise_uuid", CUSTOMER)
    chrome.type("enterprise_name", "Umbrella")
    chrome.type("enabled_course_modes", "verified, audit")
    chrome.type("content_filter", '{"content_type": "course", "aggregation__key": "course:edX+DemoX"}')
    chrome.press("Save and continue editing")
    assert chrome.reads("was added successfully")
    assert chrome.reads("discovery does not know “aggregation__key”")
    work()
    chrome.follow(str(RefreshRun.objects.get().pk))
    assert chrome.reads("published")
    chrome.open(page(EnterpriseCatalog, "change", EnterpriseCatalog.objects.get().pk))
    assert chrome.reads(f"{CatalogQuery.objects.get().count_v1} listed")
    assert chrome.complaints() == []


def test_a_filter_with_a_mistake_is_shown_again(chrome):
    chrome.sign_in()
    chrome.open("/admin/catalog/catalogquery/add/")
    chrome.type("content_filter", '{"content_type": }')
    chrome.press("Save")
    assert chrome.reads("This is no JSON")
    assert chrome.reads("Please correct the error below")


def test_refresh_now_leads_to_a_run_that_ends(chrome, catalog):
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    chrome.press("Refresh now")
    assert chrome.reads("A refresh is on its way")
    work()
    chrome.follow(str(RefreshRun.objects.get().pk))
    assert chrome.reads("published")


def test_the_history_shows_an_edit(chrome, catalog):
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    chrome.type("title", "Mathematics")
    chrome.press("Save and continue editing")
    chrome.follow("HISTORY")
    assert chrome.reads("Mathematics")
    assert chrome.reads("olga")
    chrome.follow("Engineering")
    assert chrome.reads("View Engineering")


def test_a_catalog_is_searched_by_its_customers_name(chrome, catalog):
    EnterpriseCatalogFactory.create(title="Somebody else's", enterprise_name="Globex")
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "changelist"))
    chrome.type("q", "umbrella")
    chrome.press("Search")
    assert chrome.reads("Engineering")
    assert not chrome.reads("Somebody else's")


def test_a_catalog_is_put_on_another_query(chrome, catalog):
    query = CatalogQueryFactory.create(title="Only some courses")
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    chrome.choose("catalog_query", "Only some")
    chrome.press("Save and continue editing")
    assert chrome.reads("Only some courses")
    catalog.refresh_from_db()
    assert catalog.catalog_query == query


def test_a_course_and_its_documents_are_read(chrome, catalog):
    refresh(request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.OPERATOR).pk)
    key = ContentMetadata.objects.order_by("pk")[0].pk
    chrome.sign_in()
    chrome.open(page(ContentMetadata, "changelist"))
    chrome.follow(key)
    chrome.unfold("search_document")
    assert chrome.reads(f'"aggregation_key": "course:{key}"')
    chrome.open(page(CatalogContentChange, "changelist"))
    assert chrome.reads(key)
    chrome.open(page(RefreshRun, "changelist"))
    assert chrome.reads("All courses")


def test_a_held_run_is_approved(chrome, catalog):
    contents = ContentMetadataFactory.create_batch(12)
    publish_members(catalog.catalog_query, *contents)
    run = request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.OPERATOR)
    work()
    chrome.sign_in()
    chrome.open(page(RefreshRun, "change", run.pk))
    assert chrome.reads("would leave")
    chrome.press("Approve")
    assert chrome.reads("will show this result at once")
    assert chrome.obstacles() == []
    chrome.press("Publish it")
    assert chrome.reads("Approved: the held set is published.")
