"""
Which query a catalog gets, over HTTP, in the contract's example: the catalogs E1 and E2 share a query.

The tests of `catalog` and `services` cover every case of resolution; these cover what callers see.
"""

from uuid import uuid4

import pytest
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, admin, client_for, operator
from enterprise_catalog.testing.catalogs import CATALOGS

pytestmark = pytest.mark.django_db

COURSES, PROGRAMS = {"content_type": "course"}, {"content_type": "program"}
QUERIES = "/api/v1/catalog-queries/"
U = "2f4d9699-41d0-4129-b48d-6692e8c9bd09"


def values(customer=CUSTOMER_UUID, **changes):
    return {
        "title": "All Content",
        "enterprise_customer": str(customer),
        "enterprise_customer_name": "Acme, Inc.",
        "enabled_course_modes": [],
        "publish_audit_enrollment_urls": False,
        "content_filter": COURSES,
        **changes,
    }


def created(client, **changes):
    response = client.post(CATALOGS, values(**changes))
    assert response.status_code == 201
    return response.json()


def put(client, catalog, **changes):
    return client.put(f"{CATALOGS}{catalog['uuid']}/", values(**changes))


def shown(client, catalog):
    """(uuid, title, filter) of the query that is attached, as the API tells this caller."""
    answer = client.get(f"{CATALOGS}{catalog['uuid']}/").json()
    query = operator().get(f"/api/v1/catalog-queries/{answer['catalog_query_uuid']}/").json()
    assert answer["query_title"] in (query["title"], None)
    return query["uuid"], answer["query_title"], query["content_filter"]


@pytest.fixture
def shared():
    """A catalog of E and one of another customer, on one query."""
    sent = {"catalog_query_uuid": U, "query_title": "Courses"}
    return created(operator(), **sent), created(operator(), customer=OTHER_CUSTOMER_UUID, **sent)


class TestWithoutUuid:
    def test_a_known_filter_is_attached_as_it_is(self, shared):  # QRY-1
        catalog = created(admin(), query_title="Mine")
        assert shown(operator(), catalog) == (U, "Courses", COURSES)

    def test_a_new_filter_gets_a_query_with_the_title(self):  # QRY-1
        catalog = created(admin(), content_filter=PROGRAMS, query_title="Programs")
        uuid, *rest = shown(admin(), catalog)
        assert rest == ["Programs", PROGRAMS]
        assert catalog["catalog_query_uuid"] == uuid


class TestKnownUuid:
    def test_an_equal_filter_attaches(self, shared):  # QRY-2
        catalog = created(admin(), catalog_query_uuid=U, query_title="Mine")
        assert shown(operator(), catalog) == (U, "Courses", COURSES)

    def test_who_may_edit_renames(self, shared):  # QRY-2, QRY-7
        first, second = shared
        assert put(operator(), first, catalog_query_uuid=U, query_title="New").json()["query_title"] == "New"
        assert shown(operator(), second) == (U, "New", COURSES)

    @pytest.mark.parametrize("role", ["enterprise_openedx_operator:*", "enterprise_provisioning_admin:*"])
    def test_who_may_edit_rewrites_for_all(self, shared, role):  # QRY-3, QRY-7, REFR-2
        RefreshRun.objects.update(state="published", queued_for=None)
        first, second = shared
        response = put(client_for("pia", role), first, catalog_query_uuid=U, content_filter=PROGRAMS)
        assert [shown(operator(), it) for it in (first, second)] == [(U, "Courses", PROGRAMS)] * 2
        assert str(RefreshRun.objects.get(state="queued").pk) == response["X-Refresh-Run"]

    def test_who_may_not_edit_gets_a_copy(self, shared):  # QRY-3, QRY-9, P8
        first, second = shared
        changes = {"catalog_query_uuid": U, "query_title": "Mine", "content_filter": PROGRAMS}
        answer = put(admin(), first, **changes).json()
        assert answer["catalog_query_uuid"] not in (U, None)
        assert shown(admin(), first) == (answer["catalog_query_uuid"], None, PROGRAMS)
        assert shown(operator(), second) == (U, "Courses", COURSES)
        assert put(admin(), first, **changes).json() == answer

    def test_an_unnamed_query_with_the_filter_takes_over(self, shared):  # QRY-3
        first, second = shared
        third = created(admin(), content_filter=PROGRAMS)
        put(operator(), first, catalog_query_uuid=U, content_filter=PROGRAMS)
        assert [shown(operator(), it) for it in (first, second, third)] == [(U, "Courses", PROGRAMS)] * 3
        assert CatalogQuery.objects.count() == 1


class TestUnknownUuid:
    def test_a_new_filter_makes_the_query(self):  # QRY-5
        catalog = created(admin(), catalog_query_uuid=U, query_title="Courses")
        assert shown(admin(), catalog) == (U, "Courses", COURSES)

    def test_a_query_that_was_never_named_is(self):  # QRY-4
        catalog = created(admin())
        put(admin(), catalog, catalog_query_uuid=U, query_title="Courses")
        assert shown(admin(), catalog) == (U, "Courses", COURSES)

    def test_a_named_query_keeps_its_name(self, shared):  # QRY-4, QRY-9
        catalog = created(operator(), catalog_query_uuid=str(uuid4()), query_title="Others")
        assert shown(operator(), catalog) == (U, "Courses", COURSES)


class TestCollisions:
    def test_conflicts_of_uuid_and_title_are_named_together(self, shared):  # QRY-6, COM-21
        first, _ = shared
        taken = created(operator(), content_filter=PROGRAMS, query_title="Programs")["catalog_query_uuid"]
        response = put(operator(), first, catalog_query_uuid=U, query_title="Programs", content_filter=PROGRAMS)
        assert (response.status_code, response.json()) == (
            400,
            {
                "query_title": [f"This title is already used by catalog query {taken}."],
                "content_filter": [f"This content filter is already used by catalog query {taken}."],
            },
        )
        assert shown(operator(), first) == (U, "Courses", COURSES)

    def test_a_new_query_needs_a_title_of_its_own(self, shared):  # QRY-6
        response = admin().post(CATALOGS, values(content_filter=PROGRAMS, query_title="Courses"))
        text = f"This title is already used by catalog query {U}."
        assert (response.status_code, response.json()) == (400, {"query_title": [text]})
        assert CatalogQuery.objects.count() == 1

    def test_a_query_that_is_not_seen_is_not_named(self, shared):
        """The text ends before its uuid (QRY-6, PERM-10)."""
        created(operator(), customer=OTHER_CUSTOMER_UUID, content_filter=PROGRAMS, query_title="Programs")
        mine = created(admin(), content_filter={"partner": "mine"}, catalog_query_uuid=str(uuid4()))
        sent = {"catalog_query_uuid": mine["catalog_query_uuid"], "content_filter": PROGRAMS}
        refusals = [
            put(admin(), mine, **sent, query_title="Programs"),
            # Provisioning edits every query and sees none.
            put(client_for("pia", "enterprise_provisioning_admin"), mine, **sent, query_title="Programs"),
        ]
        for response in refusals:
            assert (response.status_code, response.json()) == (
                400,
                {
                    "query_title": ["This title is already used by catalog query"],
                    "content_filter": ["This content filter is already used by catalog query"],
                },
            )


class TestTitles:
    """The title of a query that is not the caller's alone may be another customer's (CRUD-1)."""

    @pytest.fixture
    def readers(self):
        both = client_for("beth", f"enterprise_admin:{CUSTOMER_UUID}", f"enterprise_admin:{OTHER_CUSTOMER_UUID}")
        provisioner = client_for("pia", "enterprise_provisioning_admin")
        return {"admin": admin(), "both": both, "operator": operator(), "provisioner": provisioner}

    @pytest.mark.parametrize("path", ["one", "list"])
    def test_who_may_edit_the_query_reads_it(self, shared, readers, path):  # QRY-7
        first, _ = shared
        url = f"{CATALOGS}{first['uuid']}/" if path == "one" else f"{CATALOGS}?enterprise_customer={CUSTOMER_UUID}"
        answers = {name: client.get(url).json() for name, client in readers.items()}
        titles = {name: it.get("results", [it])[0]["query_title"] for name, it in answers.items()}
        assert titles == {"admin": None, "both": "Courses", "operator": "Courses", "provisioner": "Courses"}

    @pytest.mark.parametrize("path", ["one", "list", "hash"])
    def test_the_title_is_hidden_where_queries_are_read_too(self, shared, readers, path):  # CQ-1, CQ-2
        digest = CatalogQuery.objects.get().content_filter_hash
        urls = {"one": f"{QUERIES}{U}/", "list": QUERIES, "hash": f"{QUERIES}get_query_by_hash?hash={digest}"}
        answers = {name: readers[name].get(urls[path]).json() for name in ("admin", "both", "operator")}
        titles = {name: it.get("results", [it])[0]["title"] for name, it in answers.items()}
        assert titles == {"admin": None, "both": "Courses", "operator": "Courses"}

    def test_a_write_does_not_reveal_the_title(self, shared):
        first, _ = shared
        catalog = created(admin())
        assert catalog["catalog_query_uuid"] == U
        assert catalog["query_title"] is None
        assert put(admin(), first, catalog_query_uuid=U).json()["query_title"] is None

    def test_it_is_theirs_again_when_the_other_customer_leaves(self, shared):
        first, second = shared
        assert operator().delete(f"{CATALOGS}{second['uuid']}/").status_code == 204
        assert shown(admin(), first)[1] == "Courses"


class TestPatch:
    def patch(self, client, catalog, **changes):
        response = client.patch(f"{CATALOGS}{catalog['uuid']}/", changes)
        assert response.status_code == 200
        return response

    def test_a_filter_alone_never_rewrites(self, shared):  # CRUD-8, QRY-1
        first, second = shared
        self.patch(operator(), first, content_filter=PROGRAMS)
        assert shown(operator(), first)[2] == PROGRAMS
        assert shown(operator(), second) == (U, "Courses", COURSES)

    def test_a_query_that_is_seen_is_attached(self, shared):  # CRUD-8, CRUD-1
        catalog = created(admin(), content_filter=PROGRAMS)
        answer = self.patch(admin(), catalog, catalog_query_uuid=U).json()
        assert answer["catalog_query_uuid"] == U
        assert answer["catalog_modified"] > catalog["catalog_modified"]

    def test_a_query_that_is_not_seen_counts_as_unknown(self):  # CRUD-8, PERM-10, QRY-4
        created(admin(OTHER_CUSTOMER_UUID), customer=OTHER_CUSTOMER_UUID, catalog_query_uuid=U)
        catalog = created(admin(), content_filter=PROGRAMS)
        answer = self.patch(admin(), catalog, catalog_query_uuid=U).json()
        assert shown(admin(), catalog)[2] == PROGRAMS
        assert answer["catalog_query_uuid"] != U

    @pytest.mark.parametrize(("client", "title"), [(admin, "Courses"), (operator, "New")])
    def test_a_title_alone_renames_if_the_caller_may(self, shared, client, title):  # CRUD-8, QRY-7
        first, _ = shared
        self.patch(client(), first, query_title="New")
        assert shown(operator(), first) == (U, title, COURSES)

    def test_anything_else_leaves_the_query_alone(self, shared):  # CRUD-8, REFR-2
        first, _ = shared
        CatalogQuery.objects.update(refreshed_at=timezone.now())
        response = self.patch(admin(), first, title="New", publish_audit_enrollment_urls="true")
        assert not response.has_header("X-Refresh-Run")
        assert shown(operator(), first) == (U, "Courses", COURSES)
