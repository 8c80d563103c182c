"""Only operators, superusers and provisioning set which restricted runs a filter allows, in any way (V2-1)."""

import json
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.testing.admin_clients import page, signed_in
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, admin, client_for, operator
from enterprise_catalog.testing.catalogs import CATALOGS, LEGACY, make_catalog, path_of
from enterprise_catalog.testing.runs import make_query
from tests.security.callers import permit

pytestmark = pytest.mark.django_db

KEY = "restricted_runs_allowed"
MAPPING = {"course:edX+D": ["course-v1:edX+D+1T"]}
OTHER_MAPPING = {"course:edX+D": ["course-v1:edX+D+2T"]}
PLAIN = {"content_type": "course"}
REFUSED = (400, {"content_filter": ["restricted_runs_allowed may be set by operators only."]})
WRITES = ["post", "put", "patch"]


def body(content_filter, customer=CUSTOMER_UUID, **changes):
    return {
        "title": "Courses",
        "enterprise_customer": str(customer),
        "enterprise_customer_name": "Acme",
        "enabled_course_modes": [],
        "publish_audit_enrollment_urls": False,
        "content_filter": content_filter,
        **changes,
    }


def write(client, method, catalog, content_filter, **changes):
    if method == "patch":
        return client.patch(path_of(catalog), {"content_filter": content_filter, **changes})
    return getattr(client, method)(CATALOGS if method == "post" else path_of(catalog), body(content_filter, **changes))


def answer_of(response):
    return response.status_code, response.json()


def state():
    return list(CatalogQuery.objects.order_by("pk").values("uuid", "title", "content_filter", "catalogs"))


@pytest.fixture
def plain():
    return make_catalog(query=make_query(PLAIN))


@pytest.fixture
def allowing():
    """A catalog on a query to which an operator allowed restricted runs."""
    return make_catalog(query=make_query(PLAIN | {KEY: MAPPING}))


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("value", [MAPPING, {}, [], "x", {"edX+D": None}, 7, True])
@pytest.mark.parametrize("as_text", [False, True])
def test_an_admin_does_not_write_it(plain, method, value, as_text):
    content_filter = PLAIN | {KEY: value}
    before = state()
    response = write(admin(), method, plain, json.dumps(content_filter) if as_text else content_filter)
    assert answer_of(response) == REFUSED
    assert state() == before


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("value", [OTHER_MAPPING, MAPPING | {"edX+E": ["r"]}, {}, {"edX+D": MAPPING["course:edX+D"]}])
def test_an_admin_does_not_change_it(allowing, method, value):
    before = state()
    changes = {"catalog_query_uuid": str(allowing.catalog_query.uuid)}
    assert answer_of(write(admin(), method, allowing, PLAIN | {KEY: value}, **changes)) == REFUSED
    assert state() == before


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("changed", [{}, {"partner": "edx"}])
@pytest.mark.parametrize("names_query", [False, True])
def test_what_the_query_holds_may_be_sent_back(allowing, method, changed, names_query):
    changes = {"catalog_query_uuid": str(allowing.catalog_query.uuid)} if names_query else {}
    content_filter = {KEY: MAPPING} | PLAIN | changed
    assert write(admin(), method, allowing, content_filter, **changes).status_code == 200
    allowing.refresh_from_db()
    assert allowing.catalog_query.content_filter == content_filter


def test_so_may_a_repeated_create(allowing):  # CRUD-5
    sent = body(PLAIN | {KEY: MAPPING}, uuid=str(uuid4()))
    assert operator().post(CATALOGS, sent).status_code == 201
    assert admin().post(CATALOGS, sent).status_code == 200
    assert admin().post(CATALOGS, sent | {"content_filter": {KEY: OTHER_MAPPING}}).status_code == 409


@pytest.mark.parametrize("value", [None, "absent"])
def test_it_may_be_given_up(allowing, value):
    content_filter = PLAIN if value == "absent" else PLAIN | {KEY: value}
    assert write(admin(), "put", allowing, content_filter).status_code == 200
    allowing.refresh_from_db()
    assert not allowing.catalog_query.content_filter.get(KEY)


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("name", ["Restricted_Runs_Allowed", "restricted_runs_allowed ", "restricted__runs_allowed"])
@pytest.mark.parametrize("nested", [False, True])
def test_other_keys_are_not_read_and_so_not_refused(plain, method, name, nested):  # QRY-8
    odd = {"partner": {KEY: MAPPING}} if nested else {name: MAPPING}
    assert write(admin(), method, plain, PLAIN | odd).status_code in (200, 201)


class TestAttaching:
    """Attaching a query that allows restricted runs counts as writing its filter."""

    @pytest.mark.parametrize("by", ["uuid", "uuid and filter", "filter"])
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_an_admin_does_not(self, plain, allowing, by, method):
        query = allowing.catalog_query
        changes = {"catalog_query_uuid": str(query.uuid)} if "uuid" in by else {}
        before = state()
        if by == "uuid" and method == "patch":
            response = admin().patch(path_of(plain), changes)
        else:
            response = write(admin(), method, plain, query.content_filter, **changes)
        assert answer_of(response) == REFUSED
        assert state() == before

    def test_an_admin_does_not_make_another_catalog_on_it(self, allowing):
        query = allowing.catalog_query
        for changes in ({}, {"catalog_query_uuid": str(query.uuid)}):
            assert answer_of(admin().post(CATALOGS, body(query.content_filter, **changes))) == REFUSED

    def test_an_admin_does_not_carry_it_into_another_query(self, plain, allowing):  # QRY-3
        query = plain.catalog_query
        before = state()
        changes = {"catalog_query_uuid": str(query.uuid)}
        assert answer_of(write(admin(), "put", allowing, {"a": "b", KEY: MAPPING}, **changes)) == REFUSED
        # The filter of the one that is attached would take the other's place.
        assert answer_of(write(admin(), "put", allowing, PLAIN | {KEY: MAPPING}, **changes)) == REFUSED
        assert state() == before

    def test_a_title_alone_writes_no_filter(self, allowing):  # CRUD-8
        assert admin().patch(path_of(allowing), {"query_title": "Mine"}).json()["query_title"] == "Mine"

    def test_staff_with_permissions_do_it_in_the_admin_only(self, plain, allowing):  # PERM-17
        sam = get_user_model().objects.create(username="sam", is_staff=True)
        permit(sam, "view", "add", "change")
        path, query = f"{LEGACY}enterprise_customer_catalog/", allowing.catalog_query_id
        sent = {"title": "New", "enterprise_customer": str(OTHER_CUSTOMER_UUID), "enterprise_catalog_query": query}
        assert answer_of(client_for("sam").post(path, sent)) == REFUSED
        changed = {"uuid": str(plain.pk), "enterprise_catalog_query": query}
        assert answer_of(client_for("sam").patch(path, changed)) == REFUSED
        assert operator().post(path, sent).status_code == 201
        assert operator().patch(path, changed).status_code == 200


def superuser() -> APIClient:
    get_user_model().objects.create(username="root", is_superuser=True)
    return client_for("root")


@pytest.mark.parametrize(
    "client",
    [operator, superuser, lambda: client_for("pia", "enterprise_provisioning_admin")],
    ids=["operator", "superuser", "provisioning"],
)
@pytest.mark.parametrize("method", WRITES)
def test_who_may(plain, method, client):
    response = write(client(), method, plain, PLAIN | {KEY: MAPPING})
    assert response.status_code in (200, 201)
    stored = CatalogQuery.objects.get(uuid=response.json()["catalog_query_uuid"])
    assert stored.content_filter[KEY] == MAPPING


@pytest.mark.parametrize("permissions", [(), ("catalog.view_catalogquery", "catalog.change_catalogquery")])
def test_in_the_admin_djangos_permissions_decide(plain, permissions):
    client = signed_in("sam", "catalog.view_enterprisecatalog", "catalog.change_enterprisecatalog", *permissions)
    form = {
        "title": "Courses",
        "enterprise_uuid": str(plain.enterprise_uuid),
        "enterprise_name": "Acme",
        "enabled_course_modes": "[]",
        "content_filter": json.dumps(PLAIN | {KEY: MAPPING}),
    }
    response = client.post(page(type(plain), "change", plain.pk), form)
    plain.refresh_from_db()
    assert plain.catalog_query.content_filter.get(KEY) == MAPPING, response.content.decode()
