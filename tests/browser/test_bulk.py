"""Many catalogs at once, and a catalog's page, in a real browser."""

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


def test_catalogs_are_attached_to_another_query(desk, catalogs):
    desk.sign_in()
    desk.open(LIST)
    desk.click("#action-toggle")
    desk.select("action", "Attach to another query ...")
    desk.press("Go")
    assert desk.reads("The content of 2 catalogs will be")
    assert desk.obstacles() == []
    desk.choose("catalog_query", "All courses")
    desk.press("Attach")
    assert desk.reads("2 catalogs are on All courses now")
    assert set(EnterpriseCatalog.objects.values_list("catalog_query__title", flat=True)) == {"All courses"}
    assert desk.complaints() == []


@pytest.mark.parametrize(("label", "begins"), [("EXPORT CSV", b"\xef\xbb\xbfcontent_key,"), ("EXPORT XLSX", b"PK")])
def test_a_catalogs_content_is_taken_away(desk, catalogs, tmp_path, label, begins):  # EXP-1
    catalog = EnterpriseCatalogFactory.create(catalog_query=CatalogQuery.objects.get(title="All courses"))
    desk.sign_in()
    desk.open(page(EnterpriseCatalog, "change", catalog.pk))
    assert desk.download(label, directory=tmp_path).read_bytes().startswith(begins)


@pytest.mark.parametrize("shown", ["wide", "narrow"])
def test_a_catalogs_page_can_be_read_by_everybody(desk, catalogs, shown):
    all_courses = EnterpriseCatalogFactory.create(catalog_query=CatalogQuery.objects.get(title="All courses"))
    desk.sign_in()
    if shown == "narrow":
        desk.narrow()
    desk.open(page(EnterpriseCatalog, "change", all_courses.pk))
    assert desk.reads("Export CSV".upper())
    assert desk.obstacles() == []
    assert not desk.overflows()
