"""Catalogs in the admin, as a person uses them: forms in, rows and messages out."""

from datetime import timedelta
from uuid import uuid4

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.admin_clients import errors, listed, page, signed_in, texts
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/enterprisecatalog/add/"


def typed(catalog: EnterpriseCatalog | None = None, **fields) -> dict:
    """What a form holds when it is sent: a new catalog's, or this one's as it is."""
    values = {
        "title": catalog.title if catalog else "Engineering",
        "enterprise_uuid": str(catalog.enterprise_uuid if catalog else uuid4()),
        "enterprise_name": catalog.enterprise_name if catalog else "Acme, Inc.",
        "enabled_course_modes": ", ".join(catalog.enabled_course_modes) if catalog else "verified, audit",
        "catalog_query": str(catalog.catalog_query_id) if catalog else "",
        "content_filter": "",
    }
    return (values if catalog else values | {"uuid": str(uuid4())}) | fields


def edit(client, catalog, **fields):
    return client.post(page(EnterpriseCatalog, "change", catalog.pk), typed(catalog, **fields), follow=True)


def test_a_catalog_is_made_with_a_filter_and_refreshed(admin):  # REFR-2, CUST-1
    response = admin.post(ADD, typed(content_filter='{"content_type": "course"}'), follow=True)
    catalog = EnterpriseCatalog.objects.get()
    assert catalog.catalog_query.content_filter == {"content_type": "course"}
    assert catalog.enabled_course_modes == ["verified", "audit"]
    assert EnterpriseCustomer.objects.filter(pk=catalog.enterprise_uuid).exists()
    run = RefreshRun.objects.get(trigger="create")
    assert any(str(run.pk) in text for text in texts(response))


def test_a_catalog_is_made_on_an_existing_query(admin):
    query = CatalogQueryFactory.create()
    admin.post(ADD, typed(catalog_query=str(query.pk)))
    assert EnterpriseCatalog.objects.get().catalog_query == query


def test_an_equal_filter_finds_the_query_that_has_it(admin):  # QRY-1
    query = CatalogQueryFactory.create(content_filter={"partner": "edx"})
    admin.post(ADD, typed(content_filter='{"partner": "edx"}'))
    assert EnterpriseCatalog.objects.get().catalog_query == query


def test_neither_query_nor_filter_is_refused(admin):
    assert "catalog_query" in errors(admin.post(ADD, typed()))
    assert not EnterpriseCatalog.objects.exists()


@pytest.mark.parametrize("chosen", ["no number", "999999"])
def test_a_query_that_is_none_is_refused_and_shown_again(admin, chosen):
    catalog = EnterpriseCatalogFactory.create()
    assert "catalog_query" in errors(edit(admin, catalog, catalog_query=chosen))


def test_query_and_filter_together_are_refused(admin):
    query = CatalogQueryFactory.create()
    response = admin.post(ADD, typed(catalog_query=str(query.pk), content_filter='{"partner": "edx"}'))
    assert "not both" in errors(response)["content_filter"][0]


@pytest.mark.parametrize("text", ['{"a": ', '["course"]', '"course"', '{"a": NaN}', "[" * 100_000])
def test_what_is_no_filter_is_refused_and_shown_again(admin, text):  # CRUD-2, COM-16
    response = admin.post(ADD, typed(content_filter=text))
    assert list(errors(response)) == ["content_filter"]
    assert text[:20] in response.context["adminform"].form["content_filter"].value()


def test_a_filter_that_looks_wrong_is_taken_and_warned_about(admin):  # QRY-8
    response = admin.post(ADD, typed(content_filter='{"aggregation__key": "course:edX+DemoX"}'), follow=True)
    assert EnterpriseCatalog.objects.exists()
    assert any("does not know “aggregation__key”" in text for text in texts(response))


def test_a_deleted_catalog_comes_back_under_its_uuid(admin):
    uuid = uuid4()
    admin.post(ADD, typed(uuid=str(uuid), content_filter="{}"))
    assert EnterpriseCatalog.objects.get().uuid == uuid


def test_a_title_is_edited_without_a_refresh(admin):
    catalog = EnterpriseCatalogFactory.create()
    CatalogQuery.objects.update(refreshed_at=catalog.modified)
    edit(admin, catalog, title="Mathematics")
    catalog.refresh_from_db()
    assert catalog.title == "Mathematics"
    assert not RefreshRun.objects.exists()


def test_sending_the_form_as_it_is_changes_nothing(admin):  # CRUD-1
    catalog = EnterpriseCatalogFactory.create()
    edit(admin, catalog)
    assert EnterpriseCatalog.objects.get().modified == catalog.modified


def test_another_filter_leaves_the_shared_query_alone(admin):  # QRY-1, P8
    catalog = EnterpriseCatalogFactory.create()
    other = EnterpriseCatalogFactory.create(catalog_query=catalog.catalog_query)
    edit(admin, catalog, content_filter='{"partner": "elsewhere"}')
    catalog.refresh_from_db()
    assert catalog.catalog_query.content_filter == {"partner": "elsewhere"}
    assert EnterpriseCatalog.objects.get(pk=other.pk).catalog_query_id == other.catalog_query_id


def test_another_query_is_chosen(admin):
    catalog, query = EnterpriseCatalogFactory.create(), CatalogQueryFactory.create()
    edit(admin, catalog, catalog_query=str(query.pk))
    catalog.refresh_from_db()
    assert catalog.catalog_query == query
    assert RefreshRun.objects.get().catalog_query == query


def test_staff_without_the_right_to_change_queries_may_still_move_a_catalog(db):
    clerk = signed_in("carl", "catalog.view_enterprisecatalog", "catalog.change_enterprisecatalog")
    catalog, customer = EnterpriseCatalogFactory.create(), uuid4()
    edit(clerk, catalog, enterprise_uuid=str(customer))
    catalog.refresh_from_db()
    assert catalog.enterprise_uuid == customer


def test_a_catalog_is_deleted_and_its_query_stays(admin):  # CRUD-9
    catalog = EnterpriseCatalogFactory.create()
    admin.post(page(EnterpriseCatalog, "delete", catalog.pk), {"post": "yes"})
    assert not EnterpriseCatalog.objects.exists()
    assert CatalogQuery.objects.get() == catalog.catalog_query


def test_several_catalogs_are_deleted_at_once(admin):
    catalogs = EnterpriseCatalogFactory.create_batch(3)
    chosen = [str(catalog.pk) for catalog in catalogs[:2]]
    data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    admin.post(page(EnterpriseCatalog, "changelist"), data)
    assert EnterpriseCatalog.objects.get() == catalogs[2]


@pytest.mark.parametrize("form", ["{}", "{{{}}}", "urn:uuid:{}"])
@pytest.mark.parametrize("of", ["uuid", "enterprise_uuid", "catalog_query.uuid"])
def test_a_catalog_is_found_by_uuids_in_any_form(admin, form, of):
    catalog, _ = EnterpriseCatalogFactory.create_batch(2)
    owner = catalog.catalog_query if of.startswith("catalog_query") else catalog
    uuid = getattr(owner, of.rpartition(".")[2])
    assert listed(admin, EnterpriseCatalog, q=form.format(uuid)) == {catalog}
    assert listed(admin, EnterpriseCatalog, q=uuid.hex.upper()) == {catalog}


@pytest.mark.parametrize("term", ["engin", "UMBRELLA", "all of it"])
def test_a_catalog_is_found_by_words(admin, term):
    EnterpriseCatalogFactory.create()
    named = CatalogQueryFactory.create(title="All of it")
    catalog = EnterpriseCatalogFactory.create(title="Engineers", enterprise_name="Umbrella", catalog_query=named)
    assert listed(admin, EnterpriseCatalog, q=term) == {catalog}


def test_a_catalog_is_found_by_its_filter_hash(admin):
    catalog, _ = EnterpriseCatalogFactory.create_batch(2)
    assert listed(admin, EnterpriseCatalog, q=catalog.catalog_query.content_filter_hash) == {catalog}


@pytest.mark.parametrize("freshness", ["never", "stale", "fresh"])
def test_catalogs_are_filtered_by_freshness(admin, freshness):  # P3
    for name, hours in (("stale", 25), ("fresh", 1), ("never", None)):
        catalog = EnterpriseCatalogFactory.create(title=name)
        if hours is not None:
            since = catalog.modified - timedelta(hours=hours)
            CatalogQuery.objects.filter(pk=catalog.catalog_query_id).update(refreshed_at=since)
    assert {catalog.title for catalog in listed(admin, EnterpriseCatalog, freshness=freshness)} == {freshness}


@pytest.mark.parametrize("modes", [", ".join(f"mode {number}" for number in range(21)), "x" * 33])
def test_course_modes_are_bounded_as_in_the_api(admin, modes):  # COM-16
    catalog = EnterpriseCatalogFactory.create()
    response = edit(admin, catalog, enabled_course_modes=modes)
    assert list(errors(response)) == ["enabled_course_modes"]
    assert EnterpriseCatalog.objects.get().enabled_course_modes == catalog.enabled_course_modes


def test_the_history_names_who_changed_what(admin):
    catalog = EnterpriseCatalogFactory.create()
    edit(admin, catalog, title="Mathematics")
    response = admin.get(page(EnterpriseCatalog, "history", catalog.pk))
    assert "olga" in response.content.decode()
    assert "Mathematics" in response.content.decode()


def test_an_old_version_is_read_and_never_posted(admin):
    catalog = EnterpriseCatalogFactory.create(title="Old")
    edit(admin, catalog, title="New")
    version = page(EnterpriseCatalog, "simple_history", catalog.pk, catalog.history.earliest().pk)
    assert "Old" in admin.get(version).content.decode()
    assert admin.post(version, {}).status_code == 405
    assert EnterpriseCatalog.objects.get().title == "New"


def test_a_history_of_nothing_is_not_found(admin):
    assert admin.get("/admin/catalog/enterprisecatalog/elephant/history/").status_code == 404
