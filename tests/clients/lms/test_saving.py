"""The LMS's signal handlers when catalogs and queries are saved and deleted (SYNC-1 to SYNC-5)."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from enterprise.models import EnterpriseCatalogQuery, EnterpriseCustomerCatalog

from tests.clients.lms.conftest import published, row, wait_for_run
from tests.clients.lms.people import make_catalog, make_customer, make_query

pytestmark = pytest.mark.django_db

DEFAULT_FILTER_HASH = "13f6ce14cd7879ef535e777c61e06f08"


@pytest.fixture
def query(content_filter):
    return make_query(content_filter(0, 3), title=f"Query {uuid4()}")


def members(client, catalog):
    items, _, _ = client.get_catalog_diff(catalog, [])
    return {item["content_key"] for item in items}


class TestCatalog:
    def test_a_new_one_is_made_and_filled(self, client, customer, query, courses):
        """GET, POST, refresh; the 404 of the GET is expected and says nothing (SYNC-1, SYNC-2, CLI-1)."""
        catalog = make_catalog(customer, query, title="First")
        stored = client.get_enterprise_catalog(catalog.uuid)
        assert (stored["uuid"], stored["title"]) == (str(catalog.uuid), "First")
        assert stored["enterprise_customer"] == str(customer.uuid)
        assert (stored["catalog_query_uuid"], stored["query_title"]) == (str(query.uuid), query.title)
        assert members(client, published(catalog)) == set(courses[:3])

    def test_saving_it_again_updates_it(self, client, customer, query):
        """GET, PUT, refresh (SYNC-1, CRUD-7)."""
        catalog = published(make_catalog(customer, query))
        before = client.get_enterprise_catalog(catalog.uuid)
        catalog.title = "Renamed"
        catalog.save()
        after = client.get_enterprise_catalog(catalog.uuid)
        assert after["title"] == "Renamed"
        assert after["catalog_modified"] > before["catalog_modified"]
        assert after["catalog_query_uuid"] == before["catalog_query_uuid"]

    def test_saving_it_unchanged_changes_nothing(self, client, customer, query):
        """Else every item would look new to the exporters (SYNC-5, QRY-9)."""
        catalog = published(make_catalog(customer, query))
        before = client.get_enterprise_catalog(catalog.uuid)
        catalog.save()
        after = client.get_enterprise_catalog(catalog.uuid)
        assert after["catalog_modified"] == before["catalog_modified"]
        assert after["content_last_modified"] == before["content_last_modified"]

    def test_another_query_brings_other_content(self, client, customer, query, content_filter, courses):
        """A save that moves a catalog to another query asks for a refresh (SYNC-1, REFR-2)."""
        catalog = published(make_catalog(customer, query))
        catalog.enterprise_catalog_query = other = make_query(content_filter(3, 2))
        catalog.content_filter = other.content_filter
        catalog.save()
        assert client.get_enterprise_catalog(catalog.uuid)["catalog_query_uuid"] == str(other.uuid)
        assert members(client, published(catalog)) == set(courses[3:5])

    def test_without_a_query(self, client, customer, content_filter, courses):
        """`null`, `null`, `false`; the service gives it a query of its own (SYNC-2)."""
        catalog = make_catalog(customer, None, content_filter=content_filter(0, 2))
        stored = client.get_enterprise_catalog(catalog.uuid)
        assert stored["catalog_query_uuid"]
        assert stored["query_title"] is None
        assert members(client, published(catalog)) == set(courses[:2])

    def test_without_a_filter(self, client, customer, complaints):
        """The LMS puts its default filter in by a second save inside the first, whose GET finds nothing yet."""
        catalog = make_catalog(customer, None)
        (unknown,) = complaints.take()
        assert "404 Client Error" in unknown
        stored = client.get_enterprise_catalog(catalog.uuid)
        by_hash = client.get_enterprise_catalog_by_hash(DEFAULT_FILTER_HASH)
        assert stored["catalog_query_uuid"] == by_hash["uuid"]
        assert client.get_catalog_query_hash(catalog.content_filter) == DEFAULT_FILTER_HASH

    @pytest.mark.parametrize("audit", [True, False])
    def test_audit_links(self, client, customer, query, audit):
        """The client POSTs the flag as text and PUTs it as a boolean (CRUD-2)."""
        catalog = published(make_catalog(customer, query, publish_audit_enrollment_urls=audit))

        def links():
            items = client.get_content_metadata(customer, [catalog], list(members(client, catalog)))
            return [item["enrollment_url"] for item in items if item["content_type"] == "course"]

        assert all(("audit=true" in link) is audit for link in links())
        catalog.publish_audit_enrollment_urls = not audit
        catalog.save()
        assert all(("audit=true" in link) is not audit for link in links())

    def test_deleting_it(self, client, customer, query, complaints):
        """And once more, which the client takes for a warning (SYNC-4, CLI-2)."""
        catalog = make_catalog(customer, query)
        uuid = catalog.uuid
        catalog.delete()
        assert client.get_enterprise_catalog(uuid, should_raise_exception=False) == {}
        assert complaints.take() == []
        assert client.delete_enterprise_catalog(uuid) == {}
        assert complaints.take() == [f"Deleted EnterpriseCustomerCatalog [{uuid}] that was not in enterprise-catalog"]

    def test_many_are_refreshed_by_one_call(self, client, customer, query, complaints):
        """Ids for those that are there, the others named (CLI-1, REFR-1)."""
        here = [make_catalog(customer, query), make_catalog(customer, query)]
        gone = EnterpriseCustomerCatalog(uuid=uuid4(), enterprise_customer=customer)
        refreshed, failed = client.refresh_catalogs([*here, gone])
        assert refreshed.keys() == {catalog.uuid for catalog in here}
        assert failed == [gone.uuid]
        assert len(complaints.take()) == 1
        assert {wait_for_run(client, run)["state"] for run in refreshed.values()} == {"published"}


class TestQuery:
    def test_saving_it_saves_each_of_its_catalogs(self, client, customer, query, content_filter, courses):
        """N times GET, PUT, refresh, with the same query; it stays one, in place (QRY-3) (SYNC-3)."""
        other = make_customer("Bright University")
        catalogs = [published(make_catalog(owner, query)) for owner in (customer, customer, other)]
        query.content_filter = content_filter(2, 4)
        query.save()
        for catalog in catalogs:
            assert client.get_enterprise_catalog(catalog.uuid)["catalog_query_uuid"] == str(query.uuid)
            assert members(client, published(catalog)) == set(courses[2:6])

    def test_a_new_title(self, client, customer, query):  # QRY-2
        make_catalog(customer, query)
        query.title = f"Better {query.title}"
        query.save()
        found = client.get_enterprise_catalog_by_hash(client.get_catalog_query_hash(query.content_filter))
        assert (found["uuid"], found["title"]) == (str(query.uuid), query.title)

    def test_one_filter_twice_in_the_lms(self, client, customer, query, content_filter, courses):
        """The LMS's second query has a uuid of its own; the service keeps one query and says which (QRY-4)."""
        make_catalog(customer, query)
        twin = make_query(query.content_filter)
        catalog = make_catalog(customer, twin)
        assert client.get_enterprise_catalog(catalog.uuid)["catalog_query_uuid"] == str(query.uuid)
        assert members(client, published(catalog)) == set(courses[:3])


class TestQueryForm:
    """What the admin's form asks before it saves a changed filter (CLI-8)."""

    def test_a_filter_that_nobody_has_passes(self, customer, query, content_filter, complaints):
        make_catalog(customer, query)
        query.content_filter = content_filter(0, 5)
        query.full_clean()
        (not_found,) = complaints.take()
        assert "404 Client Error" in not_found

    def test_a_filter_that_another_query_has_is_refused(self, customer, query, content_filter):
        make_catalog(customer, query)
        other = make_query(content_filter(0, 5), title=f"Other {uuid4()}")
        make_catalog(customer, other)
        query.content_filter = other.content_filter
        with pytest.raises(ValidationError) as refused:
            query.full_clean()
        assert refused.value.message_dict == {"content_filter": [f"Duplicate value, see {other.uuid}({other.title})"]}

    def test_an_unchanged_filter_asks_nobody(self, query):
        EnterpriseCatalogQuery.objects.get(pk=query.pk).full_clean()


class TestRepair:
    def test_the_command_of_the_lms_repeats_every_save(self, client, customer, query):
        """Makes what is missing, and leaves alone what is right (SYNC-5)."""
        kept, lost = (published(make_catalog(customer, query)) for _ in range(2))
        assert client.delete_enterprise_catalog(lost.uuid) is True
        before = row(client.get_enterprise_catalog(kept.uuid))
        call_command(
            "migrate_enterprise_catalogs",
            api_user=client.user.username,
            catalog_uuids=f"{kept.uuid},{lost.uuid}",
        )
        assert row(client.get_enterprise_catalog(kept.uuid)) == before
        assert client.get_enterprise_catalog(lost.uuid)["catalog_query_uuid"] == str(query.uuid)

    @pytest.fixture
    def values(self, customer, content_filter):
        """Positional, as the handler passes them."""
        modes = ["verified", "audit"]
        return [str(uuid4()), str(customer.uuid), customer.name, "Title", content_filter(0, 2), modes, False, None]

    def test_a_failed_get_leads_to_a_harmless_post(self, client, values):  # SYNC-1, CRUD-5
        first = client.create_enterprise_catalog(*values)
        second = client.create_enterprise_catalog(*values)
        assert (first["uuid"], first["title"]) == (values[0], "Title")
        assert row(second) == row(first)

    def test_a_post_of_other_values_is_refused_and_the_next_save_repairs(self, client, values, complaints):
        """The 409 is swallowed (SYNC-1, CRUD-5)."""
        uuid, customer_uuid, name, _, content_filter, modes, audit, _ = values
        client.create_enterprise_catalog(*values)
        changed = [*values[:3], "Another", *values[4:]]
        assert client.create_enterprise_catalog(*changed) == {}
        (conflict,) = complaints.take()
        assert "409 Client Error" in conflict
        assert client.get_enterprise_catalog(uuid)["title"] == "Title"
        updated = client.update_enterprise_catalog(
            uuid,
            enterprise_customer=customer_uuid,
            enterprise_customer_name=name,
            title="Another",
            content_filter=content_filter,
            enabled_course_modes=modes,
            publish_audit_enrollment_urls=audit,
        )
        # Without the three fields of the query, as older releases wrote it (SYNC-5).
        assert (updated["uuid"], updated["title"]) == (uuid, "Another")
        assert row(client.get_enterprise_catalog(uuid)) == row(updated)

    def test_an_update_makes_nothing_new(self, client, values, complaints):  # CRUD-7
        assert client.update_enterprise_catalog(values[0], title="Nobody's") == {}
        assert client.get_enterprise_catalog(values[0], should_raise_exception=False) == {}
        (unknown,) = complaints.take()
        assert "404 Client Error" in unknown
