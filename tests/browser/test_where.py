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


def test_why_does_this_customer_not_see_this_course(admin_browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    admin_browser.follow("WHY (NOT) A COURSE?")
    admin_browser.type("content_key", "edX+DemoX")
    admin_browser.press("Look")
    assert admin_browser.reads("search does not return it any more")
    admin_browser.follow("see the run")
    assert admin_browser.reads(str(RefreshRun.objects.latest("requested_at").pk))
    assert admin_browser.complaints() == []


def test_a_content_leads_to_its_catalogs(admin_browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(page(ContentMetadata, "change", "edX_2BDemoX"))
    admin_browser.follow("WHERE IS THIS CONTENT?")
    assert admin_browser.reads("yes, as itself, listed")
    assert admin_browser.reads("Engineering")
    assert not admin_browser.reads("Mathematics")


def test_a_customer_is_found_by_name_with_keys_alone(admin_browser, browser, catalog):
    admin_browser.sign_in()
    admin_browser.open(PATH)
    # The first field has the focus.
    browser.switch_to.active_element.send_keys("edX+DemoX", Keys.TAB, "globex", Keys.ENTER)
    admin_browser.look("answer")
    assert admin_browser.reads("Mathematics")
    assert "content_key=edX%2BDemoX&catalog=globex" in browser.current_url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_fits_a_telephone(admin_browser, catalog, scheme):
    admin_browser.sign_in()
    admin_browser.narrow()
    if scheme == "dark":
        admin_browser.dark()
    admin_browser.open(f"{PATH}?content_key=edX%2BDemoX&catalog=globex")
    admin_browser.look(f"telephone {scheme}")
    assert admin_browser.reads("Mathematics")
    assert admin_browser.reads("Contained: no")
    assert not admin_browser.overflows()
