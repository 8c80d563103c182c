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


def test_catalogs_are_attached_to_another_query(admin_browser, catalogs):
    admin_browser.sign_in()
    admin_browser.open(LIST)
    admin_browser.click("#action-toggle")
    admin_browser.select("action", "Attach to another query ...")
    admin_browser.press("Go")
    assert admin_browser.reads("The content of 2 catalogs will be")
    assert admin_browser.obstacles() == []
    admin_browser.choose("catalog_query", "All courses")
    admin_browser.press("Attach")
    assert admin_browser.reads("2 catalogs are on All courses now")
    assert set(EnterpriseCatalog.objects.values_list("catalog_query__title", flat=True)) == {"All courses"}
    assert admin_browser.complaints() == []


@pytest.mark.parametrize(("label", "begins"), [("EXPORT CSV", b"\xef\xbb\xbfcontent_key,"), ("EXPORT XLSX", b"PK")])
def test_a_catalogs_content_is_taken_away(admin_browser, catalogs, tmp_path, label, begins):  # EXP-1
    catalog = EnterpriseCatalogFactory.create(catalog_query=CatalogQuery.objects.get(title="All courses"))
    admin_browser.sign_in()
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    assert admin_browser.download(label, directory=tmp_path).read_bytes().startswith(begins)


@pytest.mark.parametrize("shown", ["wide", "narrow"])
def test_a_catalogs_page_can_be_read_by_everybody(admin_browser, catalogs, shown):
    all_courses = EnterpriseCatalogFactory.create(catalog_query=CatalogQuery.objects.get(title="All courses"))
    admin_browser.sign_in()
    if shown == "narrow":
        admin_browser.narrow()
    admin_browser.open(page(EnterpriseCatalog, "change", all_courses.pk))
    assert admin_browser.reads("Export CSV".upper())
    assert admin_browser.obstacles() == []
    assert not admin_browser.overflows()
