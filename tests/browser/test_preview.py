"""Previewing a filter in a real browser: errors while typing, a preview, and saving its filter."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.previews.preview_runner import preview_next
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.factories import (
    CatalogQueryFactory,
    ContentMetadataFactory,
    EnterpriseCatalogFactory,
    publish_members,
)
from enterprise_catalog.testing.runs import members

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A page takes well below a second, and longer on a busy machine.
PATIENCE_SECONDS = 30


@pytest.fixture
def catalog(sandbox, settings) -> EnterpriseCatalog:
    """A catalog with one course that discovery does not return any more; it returns twelve on three pages."""
    settings.DISCOVERY_PAGE_SIZE = 5
    query = CatalogQueryFactory.create(title="All courses", named=True)
    publish_members(query, ContentMetadataFactory.create())
    return EnterpriseCatalogFactory.create(title="Engineering", enterprise_name="Umbrella", catalog_query=query)


def box_of(browser):
    return browser.find_element(By.NAME, "content_filter")


def cut_off(browser) -> list[str]:
    """Return elements that extend beyond the width of the page."""
    parts = "input, textarea, button, progress, pre, table, p"
    return browser.execute_script(
        """
        const parts = [...document.querySelectorAll("#content " + arguments[0])];
        return parts.filter(it => it.getBoundingClientRect().right > window.innerWidth).map(it => it.outerHTML);
        """,
        parts.replace(", ", ", #content "),
    )


def test_a_mistake_is_named_while_it_is_typed(admin_browser, browser, catalog):  # QRY-8
    admin_browser.sign_in()
    admin_browser.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    admin_browser.type("content_filter", '{"content_type": "course",\n "aggregation__key": }')
    assert admin_browser.reads_soon("This is no JSON: Expecting value: line 2 column 22")
    assert box_of(browser).get_attribute("aria-invalid") == "true"
    admin_browser.type("content_filter", '{"content_type": "course", "aggregation__key": "course:edX+DemoX"}')
    assert admin_browser.reads_soon("discovery does not know “aggregation__key”")
    assert not admin_browser.reads("This is no JSON")
    admin_browser.click(".console-tidy")
    assert box_of(browser).get_attribute("aria-invalid") == "false"
    assert catalog.catalog_query.content_filter == CatalogQuery.objects.get().content_filter
    assert admin_browser.complaints() == []


def test_it_is_tidied_up_and_left_by_the_keyboard(admin_browser, browser):
    admin_browser.sign_in()
    admin_browser.open(page(CatalogQuery, "add"))
    admin_browser.type("content_filter", '{"b":1.0,"a":["x"]}')
    admin_browser.click(".console-tidy")
    WebDriverWait(browser, PATIENCE_SECONDS).until(lambda _: "\n" in box_of(browser).get_property("value"))
    assert box_of(browser).get_property("value") == '{\n  "b": 1.0,\n  "a": [\n    "x"\n  ]\n}'
    box_of(browser).send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Preview"


def test_the_enter_key_saves_as_ever(admin_browser, browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    admin_browser.type("title", "Some courses" + Keys.ENTER)
    assert admin_browser.reads_soon("was changed successfully")
    assert (CatalogQuery.objects.get().title, FilterPreview.objects.exists()) == ("Some courses", False)


def test_a_preview_is_waited_for_confirmed_and_published(admin_browser, browser, catalog, sandbox):
    """The filter is saved when confirmed, and the refresh publishes what was shown (P6)."""
    # Long enough to be seen on a busy machine.
    sandbox.add_fault(endpoint="search", page=2, delay=6)
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    admin_browser.type("content_filter", '{"content_type": "course"}')
    admin_browser.press("Preview")
    assert admin_browser.reads("It waits for a worker.")
    with ThreadPoolExecutor(1) as watcher:
        seen = watcher.submit(admin_browser.reads_soon, "of 3 requests to discovery are answered.")
        preview_next()
        assert seen.result()
    assert admin_browser.reads_soon("12 items found", "Against the 1 member now", "would leave")
    assert admin_browser.reads("Using it changes this catalog only")
    assert EnterpriseCatalog.objects.get().catalog_query == catalog.catalog_query
    sandbox.clear_faults()
    admin_browser.press("Use this filter")
    assert admin_browser.reads("A refresh is on its way")
    refresh_next()
    query = EnterpriseCatalog.objects.get().catalog_query
    assert (query.content_filter, members(query)) == ({"content_type": "course"}, sandbox.dataset.course_keys())
    assert admin_browser.complaints() == []


def test_back_to_editing_keeps_what_was_typed(admin_browser, browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    admin_browser.type("title", "Mathematics")
    admin_browser.type("content_filter", '{"content_type": "program"}')
    admin_browser.press("Preview")
    preview_next()
    assert admin_browser.reads_soon("2 items found", "Also typed, and not saved with the filter: title")
    admin_browser.follow("Back to editing")
    assert admin_browser.reads("It is not saved yet.")
    assert '"content_type": "program"' in box_of(browser).get_property("value")
    admin_browser.press("Save and continue editing")
    saved = EnterpriseCatalog.objects.get()
    assert (saved.title, saved.catalog_query.content_filter) == ("Mathematics", {"content_type": "program"})


def test_a_failure_is_shown_with_its_reason(admin_browser, browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    admin_browser.type("content_filter", '{"first_enrollable_paid_seat_price__lte": "cheap"}')
    admin_browser.press("Preview")
    preview_next()
    assert admin_browser.reads_soon("There is no result. discovery_rejected")


def test_on_a_telephone_nothing_is_cut_off(admin_browser, browser, catalog):
    admin_browser.narrow()
    admin_browser.sign_in()
    admin_browser.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    admin_browser.type("content_filter", '{"content_type": "course", "aggregation__key": "course:edX+DemoX"}')
    assert admin_browser.reads_soon("discovery does not know “aggregation__key”")
    assert cut_off(browser) == []
    admin_browser.press("Preview")
    assert cut_off(browser) == []
    preview_next()
    assert admin_browser.reads_soon("items found")
    assert cut_off(browser) == []
