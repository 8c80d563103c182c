"""Actions on many catalogs: another query, a refresh; and export files of a catalog (EXP-1, QRY-1, CHG-2)."""

import csv
import io
from zipfile import ZipFile

import pytest

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
)
from enterprise_catalog.apps.console.admin import catalogs as catalog_pages
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.catalog_queries import save_query
from enterprise_catalog.testing.admin_clients import page, signed_in, texts
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory, publish_members
from enterprise_catalog.testing.runs import store_keys

pytestmark = pytest.mark.django_db

LIST = "/admin/catalog/enterprisecatalog/"


@pytest.fixture
def catalogs():
    """Two of two customers, on a query each."""
    return EnterpriseCatalogFactory.create_batch(2)


@pytest.fixture
def target():
    """A query that published two courses."""
    query = CatalogQueryFactory.create(title="Advanced courses", content_filter={"level_type": "Advanced"})
    store_keys(["edX+A", "edX+B"])
    publish_members(query, *ContentMetadata.objects.all())
    CatalogQuery.objects.filter(pk=query.pk).update(refreshed_at=database_now())
    return query


def attach(client, catalogs, **fields):
    chosen = {"action": "attach_to_query", "_selected_action": [str(catalog.pk) for catalog in catalogs]}
    return client.post(LIST, chosen | fields, follow=True)


def queries_of(catalogs) -> set[int]:
    return set(
        EnterpriseCatalog.objects.filter(pk__in=[it.pk for it in catalogs]).values_list("catalog_query", flat=True)
    )


def test_the_action_asks_for_the_query_first(admin, catalogs, target):
    before = queries_of(catalogs)
    shown = attach(admin, catalogs).content.decode()
    assert all(catalog.title in shown for catalog in catalogs)
    assert 'name="catalog_query"' in shown
    assert queries_of(catalogs) == before


def test_all_are_attached_and_one_refresh_follows(admin, catalogs, target):  # REFR-3
    response = attach(admin, catalogs, catalog_query=target.pk)
    assert queries_of(catalogs) == {target.pk}
    run = RefreshRun.objects.get(catalog_query=target)
    assert any(str(run.pk) in text for text in texts(response))
    assert "2 catalogs are on Advanced courses now." in texts(response)


def test_what_joins_stands_in_each_catalogs_changes(admin, catalogs, target):  # CHG-2
    attach(admin, catalogs, catalog_query=target.pk)
    changes = CatalogContentChange.objects.filter(enterprise_catalog=catalogs[0])
    assert set(changes.values_list("content_key", "change")) == {("edX+A", "added"), ("edX+B", "added")}
    shown = admin.get(page(EnterpriseCatalog, "change", catalogs[0].pk)).content.decode()
    assert "edX+A" in shown.partition("changes")[2]


def test_the_query_and_its_other_catalogs_stay_as_they_are(admin, catalogs, target):  # QRY-1, P8
    other = EnterpriseCatalogFactory.create(catalog_query=catalogs[0].catalog_query)
    before = CatalogQuery.objects.values().get(pk=target.pk)
    attach(admin, catalogs, catalog_query=target.pk)
    assert CatalogQuery.objects.values().get(pk=target.pk) == before
    assert queries_of([other]) == {catalogs[0].catalog_query_id}


def test_those_that_are_there_already_are_counted_apart(admin, catalogs, target):
    attach(admin, catalogs[:1], catalog_query=target.pk)
    assert "1 catalog is on Advanced courses now, 1 of the chosen were before." in texts(
        attach(admin, catalogs, catalog_query=target.pk)
    )


@pytest.mark.parametrize("chosen", ["", "999999", "no number"])
def test_no_query_or_one_that_is_not_there_is_refused(admin, catalogs, chosen):
    before = queries_of(catalogs)
    assert attach(admin, catalogs, catalog_query=chosen).context["form"].errors["catalog_query"]
    assert queries_of(catalogs) == before


def test_too_many_at_once_are_refused(admin, catalogs, target, settings):  # COM-21
    settings.BULK_LIMIT = 1
    before = queries_of(catalogs)
    assert "At most 1 rows at once; select fewer." in texts(attach(admin, catalogs, catalog_query=target.pk))
    assert queries_of(catalogs) == before


def test_a_query_that_changes_while_it_is_chosen_is_not_taken_for_another(
    admin, catalogs, target, monkeypatch
):  # COM-21
    """Between the form and the transaction somebody edits its filter."""
    really = catalog_pages.attach_catalogs

    def edited_meanwhile(**chosen):
        save_query(
            query=target,
            content_filter={"level_type": "Advanced", "org": "edX"},
            title=None,
            grants=Grants(is_superuser=True),
        )
        return really(**chosen)

    monkeypatch.setattr(catalog_pages, "attach_catalogs", edited_meanwhile)
    before = queries_of(catalogs)
    assert "Somebody else deleted or moved it meanwhile." in texts(attach(admin, catalogs, catalog_query=target.pk))
    assert queries_of(catalogs) == before


def test_too_many_changes_at_once_are_refused(admin, catalogs, target, settings):  # COM-21
    settings.BULK_CHANGES_LIMIT = 3
    before = queries_of(catalogs)
    said = texts(attach(admin, catalogs, catalog_query=target.pk))
    assert "Up to 4 items would join and leave these catalogs, 3 can at once. Select fewer catalogs." in said
    assert queries_of(catalogs) == before


def test_too_many_refreshes_at_once_are_refused(admin, catalogs, settings):
    settings.BULK_LIMIT = 1
    chosen = {"action": "refresh_now", "_selected_action": [str(catalog.pk) for catalog in catalogs]}
    assert "At most 1 rows at once; select fewer." in texts(admin.post(LIST, chosen, follow=True))
    assert not RefreshRun.objects.exists()


def test_who_may_only_look_cannot(catalogs, target):
    client = signed_in("ann", "catalog.view_enterprisecatalog", "catalog.view_catalogquery")
    before = queries_of(catalogs)
    attach(client, catalogs, catalog_query=target.pk)
    assert queries_of(catalogs) == before


@pytest.fixture
def listed(target):
    return EnterpriseCatalogFactory.create(catalog_query=target)


def export(client, catalog, kind):
    return client.get(f"{LIST}{catalog.pk}/export.{kind}")


def test_a_catalog_is_exported_as_csv(admin, listed):  # EXP-1
    response = export(admin, listed, "csv")
    assert response["Content-Disposition"] == f'attachment; filename="catalog-{listed.pk}.csv"'
    rows = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
    assert [row["content_key"] for row in rows] == ["edX+A", "edX+B"]


def test_a_catalog_is_exported_as_xlsx(admin, listed):  # EXP-1
    workbook = ZipFile(io.BytesIO(b"".join(export(admin, listed, "xlsx").streaming_content)))
    assert "xl/worksheets/sheet1.xml" in workbook.namelist()


def test_the_page_of_a_catalog_leads_to_its_files(admin, listed):
    shown = admin.get(page(EnterpriseCatalog, "change", listed.pk)).content.decode()
    assert all(f"{LIST}{listed.pk}/export.{kind}" in shown for kind in ("csv", "xlsx"))


def test_only_who_may_look_at_catalogs_gets_files(listed):  # P8
    assert export(signed_in("ann", "catalog.view_enterprisecatalog"), listed, "csv").status_code == 200
    assert export(signed_in("bob", "catalog.view_catalogquery"), listed, "csv").status_code == 403


@pytest.mark.parametrize("path", ["6ae013d4-c5c4-474d-8da9-0e559b2448e2/export.csv", "x/export.csv"])
def test_there_is_no_file_of_nothing(admin, path):
    assert admin.get(LIST + path).status_code == 404
