"""Catalog queries in the admin: an edit changes all their catalogs, and a used query cannot be deleted."""

import json
from datetime import timedelta

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.refreshes import request_refresh
from enterprise_catalog.testing.admin_clients import errors, listed, page, signed_in, texts
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/catalogquery/add/"


def edit(client, query, **fields):
    values = {"title": query.title or "", "content_filter": json.dumps(query.content_filter)}
    return client.post(page(CatalogQuery, "change", query.pk), values | fields, follow=True)


def test_a_query_is_made_and_not_refreshed_before_a_catalog_uses_it(admin):  # CRUD-9
    admin.post(ADD, {"title": "Courses", "content_filter": '{"content_type": "course"}'})
    query = CatalogQuery.objects.get()
    assert (query.title, query.named, query.content_filter) == ("Courses", True, {"content_type": "course"})
    assert not RefreshRun.objects.exists()


def test_a_filter_that_another_query_has_is_refused(admin):
    known = CatalogQueryFactory.create(content_filter={"partner": "edx"})
    response = admin.post(ADD, {"title": "", "content_filter": '{"partner": "edx"}'})
    assert str(known.uuid) in errors(response)["content_filter"][0]
    assert CatalogQuery.objects.count() == 1


def test_an_edited_filter_reaches_all_catalogs_after_one_refresh(admin):  # QRY-3
    query = CatalogQueryFactory.create()
    EnterpriseCatalogFactory.create_batch(2, catalog_query=query)
    edit(admin, query, content_filter='{"partner": "elsewhere"}')
    query.refresh_from_db()
    assert query.content_filter == {"partner": "elsewhere"}
    assert RefreshRun.objects.get().catalog_query == query


def test_an_edit_to_a_named_querys_filter_is_refused_beside_the_filter(admin):  # QRY-6
    CatalogQueryFactory.create(content_filter={"partner": "edx"}, named=True)
    query = CatalogQueryFactory.create()
    response = edit(admin, query, content_filter='{"partner": "edx"}')
    assert "already used" in errors(response)["content_filter"][0]
    assert response.context["adminform"].form["content_filter"].value() == '{"partner": "edx"}'


def test_an_edit_to_an_unnamed_querys_filter_lets_that_one_take_over(admin):  # QRY-3
    query = EnterpriseCatalogFactory.create().catalog_query
    other = CatalogQueryFactory.create(content_filter={"partner": "edx"})
    response = edit(admin, query, content_filter='{"partner": "edx"}', _continue="yes")
    assert CatalogQuery.objects.get().uuid == query.uuid
    assert response.redirect_chain[-1][0] == page(CatalogQuery, "change", other.pk)


def test_a_title_that_another_query_has_is_refused(admin):  # QRY-6
    CatalogQueryFactory.create(title="Courses")
    assert "title" in errors(edit(admin, CatalogQueryFactory.create(), title="Courses"))


def test_a_title_is_changed_but_not_removed(admin):  # QRY-4
    query = CatalogQueryFactory.create(title="Courses", named=True)
    edit(admin, query, title="All courses")
    assert CatalogQuery.objects.get().title == "All courses"
    assert "title" in errors(edit(admin, query, title=""))


def test_a_filter_that_looks_wrong_is_warned_about(admin):  # QRY-8
    response = edit(admin, CatalogQueryFactory.create(), content_filter='{"key": "edX+DemoX"}')
    assert any("words in a row" in text for text in texts(response))


def test_a_query_in_use_is_not_deleted(admin):
    query = EnterpriseCatalogFactory.create().catalog_query
    response = admin.post(page(CatalogQuery, "delete", query.pk), {"post": "yes"}, follow=True)
    assert "used by 1 catalog" in texts(response)[0]
    assert CatalogQuery.objects.exists()


def test_several_queries_of_which_one_is_in_use_are_not_deleted(admin):
    queries = [EnterpriseCatalogFactory.create().catalog_query, CatalogQueryFactory.create()]
    chosen = [str(query.pk) for query in queries]
    data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    admin.post(page(CatalogQuery, "changelist"), data)
    assert CatalogQuery.objects.count() == 2


def test_an_unused_query_is_deleted_and_its_waiting_run_ends(admin):  # RUN-5
    query = CatalogQueryFactory.create()
    run = request_refresh(query=query, trigger=RefreshRun.Trigger.OPERATOR)
    admin.post(page(CatalogQuery, "delete", query.pk), {"post": "yes"})
    run.refresh_from_db()
    assert (run.state, run.reason_code, run.queued_for) == ("failed", "superseded", None)
    assert not CatalogQuery.objects.exists()


def test_the_page_says_who_shares_the_query(admin):
    query = CatalogQueryFactory.create()
    EnterpriseCatalogFactory.create(catalog_query=query, enterprise_name="Umbrella")
    EnterpriseCatalogFactory.create(catalog_query=query, enterprise_name="Globex")
    content = admin.get(page(CatalogQuery, "change", query.pk)).content.decode()
    assert "Shared by 2 customers" in content
    assert "Umbrella" in content
    assert "Globex" in content


def test_who_may_only_look_sees_the_filter_and_no_field(db):
    looker = signed_in("lena", "catalog.view_catalogquery")
    query = CatalogQueryFactory.create(content_filter={"partner": "umbrella"})
    content = looker.get(page(CatalogQuery, "change", query.pk)).content.decode()
    assert "umbrella" in content
    assert "<textarea" not in content
    assert edit(looker, query, content_filter="{}").status_code == 403


def test_queries_are_found_by_uuid_title_and_hash(admin):
    query, _ = CatalogQueryFactory.create(title="All of it"), CatalogQueryFactory.create()
    for term in (query.uuid.hex, "all OF", query.content_filter_hash[:12]):
        assert listed(admin, CatalogQuery, q=term) == {query}


def test_unused_queries_are_found(admin):
    EnterpriseCatalogFactory.create()
    unused = CatalogQueryFactory.create()
    assert listed(admin, CatalogQuery, used="no") == {unused}


@pytest.mark.parametrize("freshness", ["never", "stale", "fresh"])
def test_queries_are_filtered_by_freshness_and_show_it(admin, freshness):  # P3
    now = database_now()
    for name, hours in (("stale", 25), ("fresh", 1), ("never", None)):
        moment = None if hours is None else now - timedelta(hours=hours)
        CatalogQueryFactory.create(title=f"{name} unused", refreshed_at=moment)
        used = CatalogQueryFactory.create(title=f"{name} used", refreshed_at=moment)
        EnterpriseCatalogFactory.create(catalog_query=used)
    assert {query.title for query in listed(admin, CatalogQuery, freshness=freshness)} == {
        f"{freshness} used",
        f"{freshness} unused",
    }
    assert {query.title for query in listed(admin, CatalogQuery, freshness=freshness, used="yes")} == {
        f"{freshness} used"
    }
    cell = f'<td class="field-freshness">{freshness}</td>'
    assert cell in admin.get(page(CatalogQuery, "changelist"), {"freshness": freshness}).content.decode()


def test_a_query_is_offered_while_a_catalog_is_made(admin):
    query = CatalogQueryFactory.create(title="All of it")
    asked = {"term": "all", "app_label": "catalog", "model_name": "enterprisecatalog", "field_name": "catalog_query"}
    offered = admin.get("/admin/autocomplete/", asked).json()["results"]
    assert offered == [{"id": str(query.pk), "text": "All of it: no catalog, 0 items"}]


def test_an_old_version_shows_its_filter(admin):
    query = CatalogQueryFactory.create(content_filter={"partner": "umbrella"})
    edit(admin, query, content_filter='{"partner": "globex"}')
    version = page(CatalogQuery, "simple_history", query.pk, query.history.earliest().pk)
    assert "umbrella" in admin.get(version).content.decode()
    assert not EnterpriseCatalog.objects.exists()


def test_an_old_version_that_has_its_filter_elsewhere_shows_it(admin):
    query = CatalogQueryFactory.create(content_filter={"partner": "umbrella"})
    edit(admin, query, title="Renamed")
    edit(admin, query, title="Renamed again", content_filter='{"partner": "globex"}')
    renamed = query.history.get(title="Renamed")
    assert renamed.content_filter is None
    assert "umbrella" in admin.get(page(CatalogQuery, "simple_history", query.pk, renamed.pk)).content.decode()
    # What changed from one to the next is the title, and then title and filter.
    listed_changes = admin.get(page(CatalogQuery, "history", query.pk)).context["page_obj"].object_list
    changed = [{it["field"] for it in row.history_delta_changes} for row in listed_changes[:2]]
    assert ["content filter" in {name.lower() for name in names} for names in changed] == [True, False]


@pytest.mark.parametrize("term", ["umbrella", "ENGIN", "{uuid:.8}", "{uuid:.8} ..."])
def test_a_query_is_found_by_who_uses_it_and_by_the_beginning_of_its_uuid(admin, term):
    catalog = EnterpriseCatalogFactory.create(title="Engineering", enterprise_name="Umbrella")
    EnterpriseCatalogFactory.create(title="Mathematics", enterprise_name="Globex")
    query = catalog.catalog_query
    assert listed(admin, CatalogQuery, q=term.format(uuid=str(query.uuid))) == {query}


def test_an_untitled_query_is_offered_by_its_catalog(admin):
    EnterpriseCatalogFactory.create(title="Engineering", enterprise_name="Umbrella")
    box = {"app_label": "catalog", "model_name": "enterprisecatalog", "field_name": "catalog_query", "term": "engin"}
    (offered,) = admin.get("/admin/autocomplete/", box).json()["results"]
    assert offered["text"].endswith(": Engineering (Umbrella), 0 items")
