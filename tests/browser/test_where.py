"""ADD-5: "Where is this content?" in a real browser, as somebody at support asks."""

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
    """A course is in the catalog of one customer, and has left that of another."""
    make_catalog("edX+DemoX", "edX+Other", title="Engineering", enterprise_name="Umbrella")
    left = make_catalog("edX+DemoX", "edX+Other", title="Mathematics", enterprise_name="Globex")
    publish(left.catalog_query, course_document("edX+Other"))
    return left


def test_why_does_this_customer_not_see_this_course(desk, catalog):
    desk.sign_in()
    desk.open(page(EnterpriseCatalog, "change", catalog.pk))
    desk.follow("WHY (NOT) A COURSE?")
    desk.type("content_key", "edX+DemoX")
    desk.press("Look")
    assert desk.reads("search does not return it any more")
    desk.follow("see the run")
    assert desk.reads(str(RefreshRun.objects.latest("requested_at").pk))
    assert desk.complaints() == []


def test_a_content_leads_to_its_catalogs(desk, catalog):
    desk.sign_in()
    desk.open(page(ContentMetadata, "change", "edX_2BDemoX"))
    desk.follow("WHERE IS THIS CONTENT?")
    assert desk.reads("yes, as itself, listed")
    assert desk.reads("Engineering")
    assert not desk.reads("Mathematics")


def test_a_customer_is_found_by_name_with_keys_alone(desk, browser, catalog):
    desk.sign_in()
    desk.open(PATH)
    # The cursor stands where one types first.
    browser.switch_to.active_element.send_keys("edX+DemoX", Keys.TAB, "globex", Keys.ENTER)
    desk.look("answer")
    assert desk.reads("Mathematics")
    assert "content_key=edX%2BDemoX&catalog=globex" in browser.current_url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_fits_a_telephone(desk, catalog, scheme):
    desk.sign_in()
    desk.narrow()
    if scheme == "dark":
        desk.dark()
    desk.open(f"{PATH}?content_key=edX%2BDemoX&catalog=globex")
    desk.look(f"telephone {scheme}")
    assert desk.reads("Mathematics")
    assert desk.reads("Contained: no")
    assert not desk.overflows()
