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


def test_a_mistake_is_named_while_it_is_typed(chrome, browser, catalog):  # QRY-8
    chrome.sign_in()
    chrome.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    chrome.type("content_filter", '{"content_type": "course",\n "aggregation__key": }')
    assert chrome.reads_soon("This is no JSON: Expecting value: line 2 column 22")
    assert box_of(browser).get_attribute("aria-invalid") == "true"
    chrome.type("content_filter", '{"content_type": "course", "aggregation__key": "course:edX+DemoX"}')
    assert chrome.reads_soon("discovery does not know “aggregation__key”")
    assert not chrome.reads("This is no JSON")
    chrome.click(".console-tidy")
    assert box_of(browser).get_attribute("aria-invalid") == "false"
    assert catalog.catalog_query.content_filter == CatalogQuery.objects.get().content_filter
    assert chrome.complaints() == []


def test_it_is_tidied_up_and_left_by_the_keyboard(chrome, browser):
    chrome.sign_in()
    chrome.open(page(CatalogQuery, "add"))
    chrome.type("content_filter", '{"b":1.0,"a":["x"]}')
    chrome.click(".console-tidy")
    WebDriverWait(browser, PATIENCE_SECONDS).until(lambda _: "\n" in box_of(browser).get_property("value"))
    assert box_of(browser).get_property("value") == '{\n  "b": 1.0,\n  "a": [\n    "x"\n  ]\n}'
    box_of(browser).send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Preview"


def test_the_enter_key_saves_as_ever(chrome, browser, catalog):
    chrome.sign_in()
    chrome.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    chrome.type("title", "Some courses" + Keys.ENTER)
    assert chrome.reads_soon("was changed successfully")
    assert (CatalogQuery.objects.get().title, FilterPreview.objects.exists()) == ("Some courses", False)


def test_a_preview_is_waited_for_confirmed_and_published(chrome, browser, catalog, sandbox):
    """The filter is saved when confirmed, and the refresh publishes what was shown (P6)."""
    # Long enough to be seen on a busy machine.
    sandbox.add_fault(endpoint="search", page=2, delay=6)
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    chrome.type("content_filter", '{"content_type": "course"}')
    chrome.press("Preview")
    assert chrome.reads("It waits for a worker.")
    with ThreadPoolExecutor(1) as watcher:
        seen = watcher.submit(chrome.reads_soon, "of 3 requests to discovery are answered.")
        preview_next()
        assert seen.result()
    assert chrome.reads_soon("12 items found", "Against the 1 member now", "would leave")
    assert chrome.reads("Using it changes this catalog only")
    assert EnterpriseCatalog.objects.get().catalog_query == catalog.catalog_query
    sandbox.clear_faults()
    chrome.press("Use this filter")
    assert chrome.reads("A refresh is on its way")
    refresh_next()
    query = EnterpriseCatalog.objects.get().catalog_query
    assert (query.content_filter, members(query)) == ({"content_type": "course"}, sandbox.dataset.course_keys())
    assert chrome.complaints() == []


def test_back_to_editing_keeps_what_was_typed(chrome, browser, catalog):
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    chrome.type("title", "Mathematics")
    chrome.type("content_filter", '{"content_type": "program"}')
    chrome.press("Preview")
    preview_next()
    assert chrome.reads_soon("2 items found", "Also typed, and not saved with the filter: title")
    chrome.follow("Back to editing")
    assert chrome.reads("It is not saved yet.")
    assert '"content_type": "program"' in box_of(browser).get_property("value")
    chrome.press("Save and continue editing")
    saved = EnterpriseCatalog.objects.get()
    assert (saved.title, saved.catalog_query.content_filter) == ("Mathematics", {"content_type": "program"})


def test_a_failure_is_shown_with_its_reason(chrome, browser, catalog):
    chrome.sign_in()
    chrome.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    chrome.type("content_filter", '{"first_enrollable_paid_seat_price__lte": "cheap"}')
    chrome.press("Preview")
    preview_next()
    assert chrome.reads_soon("There is no result. discovery_rejected")


def test_on_a_telephone_nothing_is_cut_off(chrome, browser, catalog):
    chrome.narrow()
    chrome.sign_in()
    chrome.open(page(CatalogQuery, "change", catalog.catalog_query_id))
    chrome.type("content_filter", '{"content_type": "course", "aggregation__key": "course:edX+DemoX"}')
    assert chrome.reads_soon("discovery does not know “aggregation__key”")
    assert cut_off(browser) == []
    chrome.press("Preview")
    assert cut_off(browser) == []
    preview_next()
    assert chrome.reads_soon("items found")
    assert cut_off(browser) == []
