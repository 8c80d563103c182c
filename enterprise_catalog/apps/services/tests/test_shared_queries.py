"""Who may change which query: admins of two customers and an operator (QRY-1 to QRY-7, CRUD-8, P8)."""

from uuid import uuid4

import pytest

from enterprise_catalog.apps.access.permissions import may_edit_query, may_see_query
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.catalogs import CatalogValues, save_catalog
from enterprise_catalog.apps.services.errors import InvalidValues
from enterprise_catalog.testing.callers import (
    ACME,
    ACME_ADMIN,
    COURSES,
    GLOBEX,
    GLOBEX_ADMIN,
    OPERATOR,
    PROGRAMS,
    PROVISIONER,
    admin_of,
    complete_values,
)
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory, publish_members

pytestmark = pytest.mark.django_db


@pytest.fixture
def query():
    query = CatalogQueryFactory.create(content_filter=COURSES, title="Courses", named=True)
    publish_members(query)
    return query


@pytest.fixture
def acme_catalog(query):
    return EnterpriseCatalogFactory.create(enterprise_uuid=ACME, catalog_query=query)


@pytest.fixture
def globex_catalog(query):
    return EnterpriseCatalogFactory.create(enterprise_uuid=GLOBEX, catalog_query=query)


def put(catalog, grants, **values):
    complete = complete_values(enterprise_uuid=catalog.enterprise_uuid, **values)
    return save_catalog(catalog=catalog, values=complete, grants=grants)


def patch(catalog, grants, **values):
    return save_catalog(catalog=catalog, values=CatalogValues(**values), grants=grants)


def filter_of(catalog):
    catalog.refresh_from_db()
    return catalog.catalog_query.content_filter


class TestTwoCustomersOnOneQuery:
    """The example of the contract: both ask for courses, one wants programs now."""

    def test_an_admin_of_one_changes_that_one_only(self, query, acme_catalog, globex_catalog):  # QRY-3, P8
        saved = put(acme_catalog, ACME_ADMIN, query_uuid=query.uuid, content_filter=PROGRAMS)
        assert saved.catalog.catalog_query.uuid != query.uuid
        assert filter_of(acme_catalog) == PROGRAMS
        assert filter_of(globex_catalog) == COURSES

    def test_an_operator_changes_both(self, query, acme_catalog, globex_catalog):  # QRY-3
        saved = put(acme_catalog, OPERATOR, query_uuid=query.uuid, content_filter=PROGRAMS)
        assert saved.catalog.catalog_query.uuid == query.uuid
        assert filter_of(acme_catalog) == filter_of(globex_catalog) == PROGRAMS

    def test_an_operator_saving_all_catalogs_of_a_query_refreshes_once(self, query, acme_catalog, globex_catalog):
        """The LMS saves one catalog after the other (SYNC-3)."""
        for catalog in (acme_catalog, globex_catalog):
            put(catalog, OPERATOR, query_uuid=query.uuid, content_filter=PROGRAMS)
        assert RefreshRun.objects.count() == 1
        assert CatalogQuery.objects.count() == 1

    def test_an_admin_of_both_changes_both(self, query, acme_catalog, globex_catalog):  # QRY-7
        put(acme_catalog, admin_of(ACME, GLOBEX), query_uuid=query.uuid, content_filter=PROGRAMS)
        assert filter_of(globex_catalog) == PROGRAMS

    def test_an_admin_of_one_does_not_rename(self, query, acme_catalog, globex_catalog):  # QRY-2
        saved = put(acme_catalog, ACME_ADMIN, query_uuid=query.uuid, query_title="Mine")
        assert saved.catalog.catalog_query.title == "Courses"

    def test_once_the_other_one_left_the_admin_may(self, query, acme_catalog, globex_catalog):  # QRY-7
        globex_catalog.delete()
        saved = put(acme_catalog, ACME_ADMIN, query_uuid=query.uuid, query_title="Mine")
        assert saved.catalog.catalog_query.title == "Mine"

    def test_a_foreign_query_is_attached_by_who_sends_its_filter(self, query, globex_catalog):
        """Nothing is learnt by that (QRY-2)."""
        values = complete_values(query_uuid=query.uuid, query_title="Mine")
        saved = save_catalog(catalog=None, values=values, grants=ACME_ADMIN)
        assert (saved.catalog.catalog_query, saved.catalog.catalog_query.title) == (query, "Courses")

    def test_a_foreign_query_is_not_changed_by_who_sends_another_filter(self, query, globex_catalog):  # QRY-3, P8
        values = complete_values(query_uuid=query.uuid, content_filter=PROGRAMS)
        saved = save_catalog(catalog=None, values=values, grants=ACME_ADMIN)
        assert saved.catalog.catalog_query != query
        assert filter_of(globex_catalog) == COURSES

    def test_an_unnamed_query_that_another_customer_uses_keeps_its_uuid(self):  # QRY-4, P8
        foreign = EnterpriseCatalogFactory.create(enterprise_uuid=GLOBEX, catalog_query__content_filter=COURSES)
        saved = save_catalog(catalog=None, values=complete_values(query_uuid=uuid4()), grants=ACME_ADMIN)
        assert saved.catalog.catalog_query == foreign.catalog_query
        assert saved.catalog.catalog_query.uuid == foreign.catalog_query.uuid

    def test_collisions_are_reported_together(self, query, acme_catalog):  # QRY-6
        CatalogQueryFactory.create(content_filter=PROGRAMS, title="Taken", named=True)
        with pytest.raises(InvalidValues) as refusal:
            put(acme_catalog, ACME_ADMIN, query_uuid=query.uuid, content_filter=PROGRAMS, query_title="Taken")
        assert set(refusal.value.errors) == {"content_filter", "query_title"}
        assert filter_of(acme_catalog) == COURSES


class TestRunsFollowTheirQuery:
    """A run names its query by the uuid that callers know it by (RUN-1)."""

    @pytest.fixture
    def unnamed(self):
        """A query that nobody named, with a run."""
        return save_catalog(catalog=None, values=complete_values(), grants=ACME_ADMIN)

    def test_when_it_adopts_a_uuid(self, unnamed):  # QRY-4
        uuid = uuid4()
        saved = put(unnamed.catalog, ACME_ADMIN, query_uuid=uuid)
        assert saved.catalog.catalog_query.uuid == RefreshRun.objects.get().catalog_query_uuid == uuid

    def test_when_it_takes_the_place_of_another(self, unnamed):  # QRY-3
        named = EnterpriseCatalogFactory.create(enterprise_uuid=ACME, catalog_query__content_filter=PROGRAMS)
        uuid = named.catalog_query.uuid
        put(named, ACME_ADMIN, query_uuid=uuid)
        saved = put(named, ACME_ADMIN, query_uuid=uuid, content_filter=COURSES)
        run = RefreshRun.objects.get(pk=unnamed.refresh_run.pk)
        assert (run.catalog_query, run.catalog_query_uuid) == (saved.catalog.catalog_query, uuid)


class TestChangeWithoutFilter:  # CRUD-8
    def test_a_filter_alone_never_rewrites(self, query, acme_catalog):  # QRY-1
        patch(acme_catalog, ACME_ADMIN, content_filter=PROGRAMS)
        query.refresh_from_db()
        assert query.content_filter == COURSES

    def test_a_query_of_ones_own_is_attached_and_renamed(self, query, acme_catalog):
        other = EnterpriseCatalogFactory.create(enterprise_uuid=ACME).catalog_query
        saved = patch(acme_catalog, ACME_ADMIN, query_uuid=other.uuid, query_title="Mine")
        assert (saved.catalog.catalog_query, saved.catalog.catalog_query.title) == (other, "Mine")

    def test_a_foreign_query_counts_as_unknown(self, query, acme_catalog):
        """Its filter would be learnt (PERM-10)."""
        foreign = EnterpriseCatalogFactory.create(enterprise_uuid=GLOBEX).catalog_query
        assert patch(acme_catalog, ACME_ADMIN, query_uuid=foreign.uuid).catalog.catalog_query == query
        assert patch(acme_catalog, PROVISIONER, query_uuid=foreign.uuid).catalog.catalog_query == query

    def test_an_operator_attaches_any_query(self, acme_catalog):
        unused = CatalogQueryFactory.create()
        assert patch(acme_catalog, OPERATOR, query_uuid=unused.uuid).catalog.catalog_query == unused

    def test_an_unknown_uuid_is_adopted_by_an_unnamed_query(self):  # QRY-4
        catalog, name = EnterpriseCatalogFactory.create(enterprise_uuid=ACME), uuid4()
        assert patch(catalog, ACME_ADMIN, query_uuid=name).catalog.catalog_query.uuid == name

    def test_a_title_alone_renames(self, acme_catalog):
        assert patch(acme_catalog, ACME_ADMIN, query_title="Mine").catalog.catalog_query.title == "Mine"

    def test_a_title_alone_does_not_rename_what_others_use(self, acme_catalog, globex_catalog):
        assert patch(acme_catalog, ACME_ADMIN, query_title="Mine").catalog.catalog_query.title == "Courses"

    def test_nulls_leave_the_query_alone(self, query, acme_catalog):
        saved = patch(acme_catalog, ACME_ADMIN, query_uuid=None, query_title=None)
        assert (saved.catalog.catalog_query, saved.catalog.catalog_query.title) == (query, "Courses")


@pytest.mark.parametrize(
    ("customers", "grants", "may_see", "may_edit"),
    [
        ([ACME], ACME_ADMIN, True, True),
        ([ACME], GLOBEX_ADMIN, False, False),
        ([ACME, GLOBEX], ACME_ADMIN, True, False),
        ([ACME, GLOBEX], admin_of(ACME, GLOBEX), True, True),
        ([ACME], OPERATOR, True, True),
        ([ACME], PROVISIONER, False, True),
        ([], ACME_ADMIN, False, False),
        ([], OPERATOR, True, True),
        ([], PROVISIONER, False, True),
    ],
)
def test_who_sees_and_edits_a_query(customers, grants, may_see, may_edit):  # PERM-10, PERM-19, QRY-7
    query = CatalogQueryFactory.create()
    for customer in customers:
        EnterpriseCatalogFactory.create(enterprise_uuid=customer, catalog_query=query)
    assert may_see_query(query, grants=grants) == may_see
    assert may_edit_query(query, grants=grants) == may_edit
