"""Creating, changing and deleting catalogs (CRUD-4 to CRUD-9, PERM-20, REFR-2, COM-21)."""

from uuid import uuid4

import pytest

from enterprise_catalog.apps.catalog.content_filters.warnings import FilterWarning
from enterprise_catalog.apps.catalog.models import CatalogContentChange, CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services import worker_notifications
from enterprise_catalog.apps.services.catalogs import CatalogValues, delete_catalog, save_catalog
from enterprise_catalog.apps.services.errors import Conflict, Gone, InvalidValues, NotAllowed
from enterprise_catalog.testing.callers import (
    ACME,
    ACME_ADMIN,
    COURSES,
    GLOBEX,
    OPERATOR,
    PROGRAMS,
    PROVISIONER,
    admin_of,
    complete_values,
)
from enterprise_catalog.testing.factories import (
    CatalogQueryFactory,
    EnterpriseCatalogFactory,
    EnterpriseCustomerFactory,
    publish_members,
)

pytestmark = pytest.mark.django_db


def created(grants=ACME_ADMIN, **values):
    return save_catalog(catalog=None, values=complete_values(**values), grants=grants)


def changed(catalog, grants=ACME_ADMIN, **values):
    return save_catalog(catalog=catalog, values=CatalogValues(**values), grants=grants)


def published_catalog(**fields):
    catalog = EnterpriseCatalogFactory.create(enterprise_uuid=ACME, **fields)
    publish_members(catalog.catalog_query)
    return catalog


def rows():
    """Everything a refused or repeated write must leave alone."""
    models = [EnterpriseCatalog, CatalogQuery, EnterpriseCustomer, RefreshRun, CatalogContentChange]
    models += [EnterpriseCatalog.history.model, CatalogQuery.history.model]
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def told(monkeypatch):
    """What workers are told; the broker answers as long as `told.broker_is_up`."""

    class Told(list):
        broker_is_up = True

    told = Told()

    def notify(task, *arguments):
        told.append((task.name, *arguments))
        return told.broker_is_up

    monkeypatch.setattr(worker_notifications, "notify_worker", notify)
    return told


class TestCreate:
    def test_everything_sent_is_stored(self):
        uuid = uuid4()
        saved = created(uuid=uuid, query_title="Courses", enabled_course_modes=["audit", "verified"])
        catalog = EnterpriseCatalog.objects.get()
        assert (saved.created, saved.catalog) == (True, catalog)
        assert (catalog.uuid, catalog.title, catalog.enterprise_name) == (uuid, "All content", "Acme, Inc.")
        assert (catalog.enterprise_uuid, catalog.enabled_course_modes) == (ACME, ["audit", "verified"])
        assert (catalog.catalog_query.content_filter, catalog.catalog_query.title) == (COURSES, "Courses")

    def test_a_uuid_is_made_when_none_is_sent(self):
        assert created().catalog.uuid != created().catalog.uuid

    def test_a_filter_is_required(self):
        with pytest.raises(InvalidValues) as refusal:
            save_catalog(catalog=None, values=CatalogValues(title="No filter"), grants=OPERATOR)
        assert refusal.value.errors == {"content_filter": ["This field is required."]}

    def test_it_starts_a_refresh(self):  # CRUD-4
        saved = created()
        run = RefreshRun.objects.get()
        assert (saved.refresh_run, run.catalog_query, run.trigger) == (run, saved.catalog.catalog_query, "create")

    def test_two_catalogs_with_one_filter_share_query_and_refresh(self):  # P4
        first, second = created(), created(enterprise_uuid=GLOBEX, grants=OPERATOR)
        assert first.catalog.catalog_query == second.catalog.catalog_query
        assert first.refresh_run == second.refresh_run

    def test_on_a_published_query_it_serves_and_lists_the_members_at_once(self):  # REFR-2, CHG-2
        publish_members(CatalogQueryFactory.create(content_filter=COURSES), "edX+A", "edX+B")
        catalog = created().catalog
        assert catalog.catalog_query.member_count == 2
        assert set(catalog.content_changes.values_list("content_key", "change")) == {
            ("edX+A", "added"),
            ("edX+B", "added"),
        }

    def test_the_customer_gets_a_row(self):
        created()
        assert EnterpriseCustomer.objects.get().uuid == ACME

    def test_warnings_are_handed_back(self):  # QRY-8
        assert created(content_filter={"uuid": "a"}).filter_warnings == [FilterWarning("unknown-key", "uuid")]

    def test_a_refusal_leaves_no_trace(self):  # COM-21, QRY-6
        CatalogQueryFactory.create(title="Taken")
        before = rows()
        with pytest.raises(InvalidValues) as refusal:
            created(query_title="Taken")
        assert set(refusal.value.errors) == {"query_title"}
        assert rows() == before

    def test_a_failure_at_the_end_leaves_no_trace(self, monkeypatch):  # COM-21
        def fail(*_, **__):
            raise ZeroDivisionError

        monkeypatch.setattr("enterprise_catalog.apps.services.catalogs.notify_workers_after_commit", fail)
        before = rows()
        with pytest.raises(ZeroDivisionError):
            created()
        assert rows() == before


class TestCreateAgain:  # CRUD-5
    def repeat(self, catalog, grants=ACME_ADMIN, **values):
        return created(grants=grants, uuid=catalog.uuid, **values)

    def test_the_same_again_answers_with_the_stored_one_and_writes_nothing(self):
        catalog = created(query_uuid=uuid4(), query_title="Courses").catalog
        before = rows()
        query = catalog.catalog_query
        again = self.repeat(catalog, query_uuid=query.uuid, query_title="Courses")
        assert (again.created, again.catalog, again.refresh_run) == (False, catalog, None)
        assert rows() == before

    @pytest.mark.parametrize(
        "values",
        [
            {"title": "Other"},
            {"enterprise_name": "Other"},
            {"enabled_course_modes": []},
            {"publish_audit_enrollment_urls": True},
            {"content_filter": PROGRAMS},
            {"query_uuid": uuid4()},
        ],
    )
    def test_other_values_conflict_and_write_nothing(self, values):
        catalog = created().catalog
        before = rows()
        with pytest.raises(Conflict) as refusal:
            self.repeat(catalog, **values)
        text = "An enterprise catalog with this uuid already exists with different values."
        assert refusal.value.errors == {"uuid": [text]}
        assert rows() == before

    def test_a_title_that_would_rename_the_query_conflicts(self):
        catalog = created().catalog
        with pytest.raises(Conflict):
            self.repeat(catalog, query_uuid=catalog.catalog_query.uuid, query_title="New")

    def test_a_title_that_would_be_ignored_does_not(self):  # QRY-1
        catalog = created().catalog
        assert self.repeat(catalog, query_title="Ignored").catalog == catalog

    def test_a_title_that_is_taken_conflicts(self):
        CatalogQueryFactory.create(title="Taken")
        catalog = created().catalog
        with pytest.raises(Conflict):
            self.repeat(catalog, query_uuid=catalog.catalog_query.uuid, query_title="Taken")

    def test_a_catalog_of_another_customer_conflicts(self):
        foreign = created(enterprise_uuid=GLOBEX, grants=OPERATOR).catalog
        with pytest.raises(Conflict):
            self.repeat(foreign)


class TestChange:
    def test_only_what_is_sent_changes(self):
        catalog = published_catalog(title="Old", enterprise_name="Kept")
        changed(catalog, title="New", publish_audit_enrollment_urls=True)
        catalog.refresh_from_db()
        assert (catalog.title, catalog.publish_audit_enrollment_urls, catalog.enterprise_name) == ("New", True, "Kept")

    def test_a_real_change_moves_modified_and_leaves_a_trace(self):
        catalog = published_catalog()
        before = catalog.modified
        assert changed(catalog, title="New").catalog.modified > before
        assert [row.title for row in catalog.history.all()] == ["New", catalog.title]

    def test_the_same_values_change_nothing(self):  # CRUD-1, QRY-9
        catalog = created(query_title="Courses").catalog
        publish_members(catalog.catalog_query)
        before = rows()
        values = complete_values(query_uuid=catalog.catalog_query.uuid, query_title="Courses")
        saved = save_catalog(catalog=catalog, values=values, grants=ACME_ADMIN)
        assert saved.refresh_run is None
        assert rows() == before

    def test_another_filter_attaches_elsewhere(self):  # CRUD-1, REFR-2, CHG-2, RUN-3
        catalog = published_catalog()
        publish_members(catalog.catalog_query, "edX+Leaves")
        publish_members(CatalogQueryFactory.create(content_filter=PROGRAMS), "edX+Joins")
        saved = changed(catalog, content_filter=PROGRAMS)
        assert saved.catalog.modified > catalog.modified
        assert (saved.refresh_run.catalog_query, saved.refresh_run.trigger) == (saved.catalog.catalog_query, "update")
        changes = catalog.content_changes.values_list("change", "content_key")
        assert list(changes) == [("removed", "edX+Leaves"), ("added", "edX+Joins")]

    def test_a_rewrite_of_the_query_refreshes_and_leaves_modified(self):  # QRY-3, CRUD-1
        catalog = published_catalog()
        query = catalog.catalog_query
        saved = changed(catalog, content_filter=PROGRAMS, query_uuid=query.uuid)
        assert saved.refresh_run.catalog_query == query
        assert saved.catalog.modified == catalog.modified

    def test_a_new_title_of_the_query_refreshes_nothing(self):  # CRUD-8
        catalog = published_catalog()
        saved = changed(catalog, query_title="New")
        assert (saved.catalog.catalog_query.title, saved.refresh_run) == ("New", None)

    def test_a_query_that_never_published_is_refreshed(self):
        assert changed(EnterpriseCatalogFactory.create(enterprise_uuid=ACME), title="New").refresh_run is not None

    def test_a_query_whose_place_is_taken_takes_its_runs_along(self):  # QRY-3, RUN-5
        catalog = published_catalog(catalog_query__named=True)
        waiting = created(content_filter=catalog.catalog_query.content_filter, uuid=uuid4()).refresh_run
        other = CatalogQueryFactory.create(content_filter=PROGRAMS)
        saved = changed(catalog, OPERATOR, content_filter=PROGRAMS, query_uuid=catalog.catalog_query.uuid)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.reason_code, waiting.queued_for) == ("failed", "superseded", None)
        assert saved.refresh_run.catalog_query == saved.catalog.catalog_query == other
        assert RefreshRun.objects.filter(state="queued").count() == 1

    def test_taking_a_place_leaves_modified(self):  # CRUD-1
        catalog = published_catalog(catalog_query__named=True)
        CatalogQueryFactory.create(content_filter=PROGRAMS)
        saved = changed(catalog, OPERATOR, content_filter=PROGRAMS, query_uuid=catalog.catalog_query.uuid)
        assert saved.catalog.modified == catalog.modified
        assert not catalog.content_changes.exists()

    def test_a_deleted_catalog_is_gone(self):
        catalog = published_catalog()
        EnterpriseCatalog.objects.all().delete()
        with pytest.raises(Gone):
            changed(catalog, title="New")


class TestMove:  # PERM-20
    def test_who_administers_both_customers_may_move(self):
        catalog = published_catalog()
        changed(catalog, admin_of(ACME, GLOBEX), enterprise_uuid=GLOBEX)
        catalog.refresh_from_db()
        assert catalog.enterprise_uuid == GLOBEX
        assert EnterpriseCustomer.objects.get().uuid == GLOBEX

    @pytest.mark.parametrize("grants", [OPERATOR, PROVISIONER])
    def test_operators_and_provisioning_may_move(self, grants):
        assert changed(published_catalog(), grants, enterprise_uuid=GLOBEX).catalog.enterprise_uuid == GLOBEX

    def test_who_does_not_administer_the_new_customer_may_not(self):
        catalog = published_catalog()
        before = rows()
        with pytest.raises(NotAllowed):
            changed(catalog, enterprise_uuid=GLOBEX, content_filter=PROGRAMS)
        assert rows() == before

    def test_a_catalog_that_was_moved_away_meanwhile_is_out_of_reach(self):  # P8
        catalog = published_catalog()
        EnterpriseCatalog.objects.update(enterprise_uuid=GLOBEX)
        with pytest.raises(NotAllowed):
            changed(catalog, title="Mine again")
        with pytest.raises(Gone):
            delete_catalog(catalog=catalog)


class TestDelete:  # CRUD-9
    def test_the_catalog_goes_with_its_changes_and_the_query_stays(self):
        publish_members(CatalogQueryFactory.create(content_filter=COURSES), "edX+A")
        catalog = created(query_title="Courses").catalog
        delete_catalog(catalog=catalog)
        assert not EnterpriseCatalog.objects.exists()
        assert CatalogQuery.objects.get().member_count == 1
        assert EnterpriseCatalog.history.filter(uuid=catalog.uuid).first().history_type == "-"

    def test_once(self):
        catalog = published_catalog()
        delete_catalog(catalog=catalog)
        with pytest.raises(Gone):
            delete_catalog(catalog=catalog)


class TestNotifications:
    """Rows first; workers are told after the commit, and a lost notification costs nothing but time (P6)."""

    def test_workers_are_told_after_the_commit(self, told, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            saved = created()
            assert told == []
        assert told == [("refresh.run", str(saved.refresh_run.pk)), ("customers.sync_customer", str(ACME))]

    def test_a_known_customer_needs_no_first_copy(self, told, django_capture_on_commit_callbacks):
        EnterpriseCustomerFactory.create(uuid=ACME)
        with django_capture_on_commit_callbacks(execute=True):
            created()
        assert [task for task, _ in told] == ["refresh.run"]

    def test_a_broker_that_is_away_is_waited_for_once(self, told, django_capture_on_commit_callbacks):
        told.broker_is_up = False
        with django_capture_on_commit_callbacks(execute=True):
            created()
        assert len(told) == 1

    def test_nothing_to_do_tells_nothing(self, told, django_capture_on_commit_callbacks):
        catalog = published_catalog()
        with django_capture_on_commit_callbacks(execute=True):
            changed(catalog, title="New")
        assert told == []


class TestCost:
    """Statements of a save, savepoints and the database's clock included, whatever the size of catalogs and queries."""

    def crowded_query(self):
        query = CatalogQueryFactory.create(content_filter=COURSES)
        publish_members(query, *(f"edX+{number}" for number in range(50)))
        EnterpriseCatalogFactory.create_batch(20, catalog_query=query, enterprise_uuid=ACME)
        return query

    def test_creating(self, django_assert_max_num_queries):
        query = self.crowded_query()
        with django_assert_max_num_queries(34):
            created(uuid=uuid4(), query_uuid=query.uuid, query_title="Courses")

    def test_attaching_elsewhere(self, django_assert_max_num_queries):
        catalog, query = published_catalog(), self.crowded_query()
        with django_assert_max_num_queries(34):
            changed(catalog, title="New", content_filter=COURSES, query_uuid=query.uuid, query_title="Courses")

    def test_changing_nothing(self, django_assert_max_num_queries):
        catalog = created().catalog
        publish_members(catalog.catalog_query)
        with django_assert_max_num_queries(8):
            save_catalog(catalog=catalog, values=complete_values(), grants=ACME_ADMIN)
