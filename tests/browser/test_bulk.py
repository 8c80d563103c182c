"""Actions on many catalogs, and the page of a catalog, in a real browser."""

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import requested

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/admin/catalog/enterprisecatalog/"


@pytest.fixture
def catalogs(sandbox):
    query = CatalogQueryFactory.create(content_filter={"content_type": "course"}, title="All courses", named=True)
    refresh(requested(query).pk)
    return EnterpriseCatalogFactory.create_batch(2)


def test_catalogs_are_attached_to_another_query(chrome, catalogs):
    chrome.sign_in()
    chrome.open(LIST)
    chrome.click("#action-toggle")
    chrome.select("action", "Attach to another query ...")
    chrome.press("Go")
    assert chrome.reads("The content of 2 catalogs will be")
    assert chrome.obstacles() == []
    chrome.choose("catalog_query", "All courses")
    chrome.press("Attach")
    assert chrome.reads("2 catalogs are on All courses now")
    assert set(EnterpriseCatalog.objects.values_list("catalog_query__title", flat=True)) == {"All courses"}
    assert chrome.complaints() == []


@pytest.mark.parametrize(("label", "begins"), [("EXPORT CSV", b"\xef\xbb\xbfcontent_key,"), ("EXPORT XLSX", b"PK")])
def test_a_catalogs_content_is_taken_away(chrome, catalogs, tmp_path, label, begins):  # EXP-1
    catalog = EnterpriseCatalogFactory.create(catalog_query=CatalogQuery.objects.get(title="All courses"))
    chrome.sign_in()
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    assert chrome.download(label, directory=tmp_path).read_bytes().startswith(begins)


@pytest.mark.parametrize("shown", ["wide", "narrow"])
def test_a_catalogs_page_can_be_read_by_everybody(chrome, catalogs, shown):
    all_courses = EnterpriseCatalogFactory.create(catalog_query=CatalogQuery.objects.get(title="All courses"))
    chrome.sign_in()
    if shown == "narrow":
        chrome.narrow()
    chrome.open(page(EnterpriseCatalog, "change", all_courses.pk))
    assert chrome.reads("Export CSV".upper())
    assert chrome.obstacles() == []
    assert not chrome.overflows()
