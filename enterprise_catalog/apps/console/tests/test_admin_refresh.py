"""The button and the action "Refresh now"."""

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.admin_clients import page, signed_in, texts
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import requested

pytestmark = pytest.mark.django_db


def test_the_button_starts_a_run_and_leads_to_it(admin):  # REFR-1
    catalog = EnterpriseCatalogFactory.create()
    response = admin.post(page(EnterpriseCatalog, "refresh", catalog.pk), follow=True)
    run = RefreshRun.objects.get(trigger="operator")
    assert response.redirect_chain[-1][0] == page(EnterpriseCatalog, "change", catalog.pk)
    assert page(RefreshRun, "change", run.pk) in texts(response)[0]


def test_pressing_twice_joins_the_waiting_run(admin):  # REFR-3
    query = CatalogQueryFactory.create()
    for _ in range(2):
        admin.post(page(CatalogQuery, "refresh", query.pk))
    assert RefreshRun.objects.get().requests == 2


def test_the_button_stands_on_the_page(admin):
    catalog = EnterpriseCatalogFactory.create()
    for row in (catalog, catalog.catalog_query):
        content = admin.get(page(type(row), "change", row.pk)).content.decode()
        assert f'action="{page(type(row), "refresh", row.pk)}"' in content


@pytest.fixture
def held():
    """A result that waits for a decision, of the query of one catalog."""
    run = requested(EnterpriseCatalogFactory.create().catalog_query)
    RefreshRun.objects.filter(pk=run.pk).update(state="held", queued_for=None)
    return RefreshRun.objects.get(pk=run.pk)


def test_a_held_result_can_be_decided_where_it_is_missed(admin, held):  # RUN-6
    for row in (EnterpriseCatalog.objects.get(), held.catalog_query):
        shown = admin.get(page(type(row), "change", row.pk)).content.decode()
        assert all(f'action="{page(RefreshRun, decision, held.pk)}"' in shown for decision in ("approve", "reject"))


def test_who_may_not_decide_is_not_asked(held):
    looker = signed_in("lena", "catalog.view_enterprisecatalog", "refresh.view_refreshrun")
    shown = looker.get(page(EnterpriseCatalog, "change", EnterpriseCatalog.objects.get().pk)).content.decode()
    assert page(RefreshRun, "approve", held.pk) not in shown


def test_a_link_cannot_refresh(admin):
    catalog = EnterpriseCatalogFactory.create()
    assert admin.get(page(EnterpriseCatalog, "refresh", catalog.pk)).status_code == 405


def test_who_may_only_look_cannot_refresh(db):
    looker = signed_in("lena", "catalog.view_enterprisecatalog")
    catalog = EnterpriseCatalogFactory.create()
    assert "Refresh now" not in looker.get(page(EnterpriseCatalog, "change", catalog.pk)).content.decode()
    assert looker.post(page(EnterpriseCatalog, "refresh", catalog.pk)).status_code == 403
    assert not RefreshRun.objects.exists()


def test_what_does_not_exist_cannot_be_refreshed(admin):
    assert admin.post("/admin/catalog/enterprisecatalog/elephant/refresh/").status_code == 404


def test_the_action_asks_once_for_catalogs_that_share_a_query(admin):  # P4
    query = CatalogQueryFactory.create()
    catalogs = EnterpriseCatalogFactory.create_batch(2, catalog_query=query)
    data = {"action": "refresh_now", "_selected_action": [str(catalog.pk) for catalog in catalogs]}
    admin.post(page(EnterpriseCatalog, "changelist"), data)
    assert RefreshRun.objects.get().requests == 1


def test_the_action_on_several_queries_leads_to_the_runs(admin):
    queries = CatalogQueryFactory.create_batch(3)
    data = {"action": "refresh_now", "_selected_action": [str(query.pk) for query in queries]}
    response = admin.post(page(CatalogQuery, "changelist"), data, follow=True)
    assert page(RefreshRun, "changelist") in texts(response)[0]
    assert RefreshRun.objects.count() == 3
