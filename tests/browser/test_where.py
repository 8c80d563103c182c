"""The page "Where is this content?" in a real browser, as support uses it (ADD-5)."""

import pytest
from selenium.webdriver.common.keys import Keys

from enterprise_catalog.apps.catalog.models import ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.catalogs import make_catalog, publish
from enterprise_catalog.testing.documents import course_document

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATH = "/admin/where-is-this-content/"


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """Two catalogs: a course is in that of one customer, and has left that of another."""
    make_catalog("edX+DemoX", "edX+Other", title="Engineering", enterprise_name="Umbrella")
    left = make_catalog("edX+DemoX", "edX+Other", title="Mathematics", enterprise_name="Globex")
    publish(left.catalog_query, course_document("edX+Other"))
    return left


def test_why_does_this_customer_not_see_this_course(chrome, catalog):
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    chrome.follow("WHY (NOT) A COURSE?")
    chrome.type("content_key", "edX+DemoX")
    chrome.press("Look")
    assert chrome.reads("search does not return it any more")
    chrome.follow("see the run")
    assert chrome.reads(str(RefreshRun.objects.latest("requested_at").pk))
    assert chrome.complaints() == []


def test_a_content_leads_to_its_catalogs(chrome, catalog):
    chrome.sign_in()
    chrome.open(page(ContentMetadata, "change", "edX_2BDemoX"))
    chrome.follow("WHERE IS THIS CONTENT?")
    assert chrome.reads("yes, as itself, listed")
    assert chrome.reads("Engineering")
    assert not chrome.reads("Mathematics")


def test_a_customer_is_found_by_name_with_keys_alone(chrome, browser, catalog):
    chrome.sign_in()
    chrome.open(PATH)
    # The first field has the focus.
    browser.switch_to.active_element.send_keys("edX+DemoX", Keys.TAB, "globex", Keys.ENTER)
    chrome.look("answer")
    assert chrome.reads("Mathematics")
    assert "content_key=edX%2BDemoX&catalog=globex" in browser.current_url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_fits_a_telephone(chrome, catalog, scheme):
    chrome.sign_in()
    chrome.narrow()
    if scheme == "dark":
        chrome.dark()
    chrome.open(f"{PATH}?content_key=edX%2BDemoX&catalog=globex")
    chrome.look(f"telephone {scheme}")
    assert chrome.reads("Mathematics")
    assert chrome.reads("Contained: no")
    assert not chrome.overflows()
