"""Successful answers hold data of the caller's own customers only (PERM-1, PERM-9, PERM-12, PERM-19, P8)."""

from uuid import UUID

import pytest
from django.contrib.auth import get_user_model

from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, client_for
from enterprise_catalog.testing.catalogs import CATALOGS, path_of
from tests.security.callers import SOURCES, callers
from tests.security.world import CATALOG, NOWHERE, make_world

pytestmark = pytest.mark.django_db

ALL = {"own", "shared", "sharing", "foreign"}
# The titles of what each caller's list of catalogs holds: whole, and filtered by customer E, by the other customer.
LISTED = {
    "M": ({"own", "shared"}, {"own", "shared"}, set()),
    "Y": ({"sharing", "foreign"}, set(), {"sharing", "foreign"}),
    "O": (ALL, {"own", "shared"}, {"sharing", "foreign"}),
    "P": (ALL, {"own", "shared"}, {"sharing", "foreign"}),
    "D": (ALL, {"own", "shared"}, {"sharing", "foreign"}),
    "U": (ALL, {"own", "shared"}, {"sharing", "foreign"}),
}
# The queries of the same catalogs; the fourth has no catalog any more.
VISIBLE = {
    "M": {"own", "shared"},
    "Y": {"shared", "foreign"},
    "O": {"own", "shared", "foreign", "unused"},
    "D": {"own", "shared", "foreign", "unused"},
    "U": {"own", "shared", "foreign", "unused"},
}


@pytest.mark.parametrize("roles_from", SOURCES)
def test_lists_of_catalogs_hold_the_callers_customers_only(roles_from):  # PERM-1, P8
    make_world()
    for letter, client in callers("MYOPDU", roles_from=roles_from).items():
        for query, expected in zip(
            ("", f"?enterprise_customer={CUSTOMER_UUID}", f"?enterprise_customer={OTHER_CUSTOMER_UUID}"),
            LISTED[letter],
            strict=True,
        ):
            answer = client.get(f"{CATALOGS}{query}").json()
            assert {catalog["title"] for catalog in answer["results"]} == expected, (letter, query)
            assert answer["count"] == len(expected), (letter, query)


@pytest.mark.parametrize("roles_from", SOURCES)
def test_lists_of_queries_hold_those_of_the_callers_customers_only(roles_from):  # PERM-9, PERM-19, P8
    world = make_world()
    queries = {name: getattr(world, name).catalog_query for name in ("own", "shared", "foreign")}
    uuids = {str(query.uuid): name for name, query in (queries | {"unused": world.unused}).items()}
    for letter, client in callers("MYODU", roles_from=roles_from).items():
        answer = client.get("/api/v1/catalog-queries/").json()
        assert {uuids[query["uuid"]] for query in answer["results"]} == VISIBLE[letter], letter
        assert answer["count"] == len(VISIBLE[letter]), letter


@pytest.mark.parametrize("roles_from", SOURCES)
def test_a_customers_content_is_that_of_its_catalogs(roles_from):  # PERM-7, P8
    make_world()
    clients = callers("LXMYOU", roles_from=roles_from)
    keys = ["edX+000", "edX+shared", "edX+foreign", "edX+left"]
    for customer, letters, contained in ((CUSTOMER_UUID, "LMOU", keys[:2]), (OTHER_CUSTOMER_UUID, "XYOU", keys[1:3])):
        path = f"/api/v1/enterprise-customer/{customer}/"
        for letter in letters:
            answer = clients[letter].post(f"{path}filter_content_items/", {"content_keys": keys}).json()
            assert answer == {"filtered_content_keys": contained}, (letter, customer)
            for key in keys:
                asked = {"course_run_ids": [key]}
                answer = clients[letter].post(f"{path}contains_content_items/?get_catalog_list=1", asked).json()
                assert (answer["contains_content_items"], bool(answer["catalog_list"])) == (key in contained,) * 2
                status = clients[letter].get(f"{path}content-metadata/{key}/").status_code
                assert status == (200 if key in contained else 404), (letter, key)


def test_a_customer_without_catalogs_is_answered_to_whom_all_are_open():  # PERM-7, CONT-7
    path = f"/api/v1/enterprise-customer/{NOWHERE}/contains_content_items/?course_run_ids=edX%2B000&get_catalog_list=1"
    for client in callers("OU", roles_from="token").values():
        assert client.get(path).json() == {"contains_content_items": False, "catalog_list": []}


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("roles_from", [*SOURCES, "both"])
def test_moving_a_catalog_takes_access_to_both_customers(method, roles_from):
    """It does not matter from where each of the two comes (PERM-20, ROLE-4)."""
    world = make_world()
    user = get_user_model().objects.create(username="adam")
    roles = {
        CUSTOMER_UUID: f"enterprise_admin:{CUSTOMER_UUID}",
        OTHER_CUSTOMER_UUID: f"enterprise_catalog_admin:{OTHER_CUSTOMER_UUID.hex.upper()}",
    }
    from_database = {"token": set(), "database": {CUSTOMER_UUID, OTHER_CUSTOMER_UUID}, "both": {CUSTOMER_UUID}}[
        roles_from
    ]
    for customer in from_database:
        assign(user, "enterprise_catalog_admin", customer)
    client = client_for("adam", *(role for customer, role in roles.items() if customer not in from_database))
    body = CATALOG | {"enterprise_customer": str(OTHER_CUSTOMER_UUID)}
    assert getattr(client, method)(path_of(world.own), body).status_code == 200
    assert client.get(path_of(world.own)).json()["enterprise_customer"] == str(OTHER_CUSTOMER_UUID)
    third = CATALOG | {"enterprise_customer": str(NOWHERE)}
    assert getattr(client, method)(path_of(world.own), third).status_code == 403
    assert client.get(path_of(world.own)).json()["enterprise_customer"] == str(OTHER_CUSTOMER_UUID)


@pytest.mark.parametrize("customer", [CUSTOMER_UUID, OTHER_CUSTOMER_UUID, NOWHERE])
def test_learners_of_every_customer_read_all_and_manage_nothing(customer: UUID):  # ROLE-3
    world = make_world()
    client = client_for("lena", "enterprise_learner:*")
    path = f"/api/v1/enterprise-customer/{customer}/contains_content_items/?course_run_ids=edX%2B000"
    assert client.get(path).json() == {"contains_content_items": customer == CUSTOMER_UUID}
    assert client.get(path_of(world.foreign, "get_content_metadata/")).status_code == 200
    for refused in (CATALOGS, path_of(world.own), "/api/v1/catalog-queries/"):
        assert client.get(refused).status_code == 403
    assert client.post(path_of(world.own, "refresh_metadata/")).status_code == 403


@pytest.mark.parametrize("role", ["enterprise_admin", "enterprise_catalog_admin", "enterprise_openedx_operator"])
def test_every_admin_role_of_one_customer_is_admin_of_that_one(role):  # ROLE-1, ROLE-6
    world = make_world()
    client = client_for("adam", f"{role}:{CUSTOMER_UUID.hex.upper()}")
    assert {catalog["title"] for catalog in client.get(CATALOGS).json()["results"]} == {"own", "shared"}
    assert client.get(path_of(world.foreign)).status_code == 403
    assert client.post("/api/v1/distinct-catalog-queries/", {}).status_code == 403


@pytest.mark.parametrize("role", ["enterprise_admin", "enterprise_catalog_admin", "enterprise_openedx_operator"])
def test_every_admin_role_of_all_customers_is_operator(role):  # ROLE-1, ROLE-6
    world = make_world()
    client = client_for("olga", f"{role}:*")
    assert client.get(path_of(world.foreign)).status_code == 200
    assert client.post("/api/v1/distinct-catalog-queries/", {}).status_code == 200
