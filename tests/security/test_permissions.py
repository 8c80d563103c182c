"""
PERM-1 to PERM-7, PERM-13, PERM-18: who may do what, with roles from the token and with the same roles from the
database.

A anonymous, N without role, L learner of E, X learner of another, M admin of E, Y admin of another, O operator, P
provisioning admin, S staff without role, U superuser.
"""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.apps.access.tests.tokens import OTHER, E, client_for, operator
from enterprise_catalog.apps.api.tests.builders import CATALOGS, make_catalog, path_of
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db

TOKEN_ROLES = {
    "N": [],
    "L": [f"enterprise_learner:{E}"],
    "X": [f"enterprise_learner:{OTHER}"],
    "M": [f"enterprise_admin:{E}"],
    "Y": [f"enterprise_admin:{OTHER}"],
    "O": ["enterprise_openedx_operator:*"],
    "P": ["enterprise_provisioning_admin:*"],
}
DATABASE_ROLES = {
    "N": None,
    "L": ("enterprise_learner", E),
    "X": ("enterprise_learner", OTHER),
    "M": ("enterprise_catalog_admin", E),
    "Y": ("enterprise_catalog_admin", OTHER),
    "O": ("enterprise_catalog_admin", None),
    "P": ("enterprise_catalog_provisioning_admin", None),
}
CALLERS = "ANLXMYOPSU"
BODY = {
    "title": "New",
    "enterprise_customer": str(E),
    "enterprise_customer_name": "Acme",
    "enabled_course_modes": [],
    "publish_audit_enrollment_urls": False,
    "content_filter": {"content_type": "program"},
}


def by_token(letter: str) -> APIClient:
    return client_for("caller", *TOKEN_ROLES[letter])


def by_database(letter: str) -> APIClient:
    user = get_user_model().objects.create(username="caller", email="caller@example.org")
    if role := DATABASE_ROLES[letter]:
        assign(user, *role)
    return client_for("caller")


def caller(letter: str, roles_from: Callable[[str], APIClient]) -> APIClient:
    if letter == "A":
        return APIClient()
    if letter in "SU":
        get_user_model().objects.create(username="caller", is_staff=True, is_superuser=letter == "U")
        return client_for("caller")
    return roles_from(letter)


def refresh_run_path(catalog: EnterpriseCatalog) -> str:
    answer = operator().post(path_of(catalog, "refresh_metadata/"))
    return f"/api/v1/refresh-runs/{answer.json()['async_task_id']}/"


QUERIES = "/api/v1/catalog-queries/"
CONTAINS = "contains_content_items/?course_run_ids=edX%2BA"
CUSTOMER = f"/api/v1/enterprise-customer/{E}/{CONTAINS}"
# What is asked, of the catalog of E; and the status for each of A N L X M Y O P S U.
MATRIX = [
    ("PERM-1", lambda client, _: client.get(CATALOGS), "401 403 403 403 200 200 200 200 200 200"),
    ("PERM-2", lambda client, _: client.post(CATALOGS, BODY), "401 403 403 403 201 403 201 201 403 201"),
    ("PERM-3 get", lambda client, it: client.get(path_of(it)), "401 403 403 403 200 403 200 200 403 200"),
    ("PERM-3 put", lambda client, it: client.put(path_of(it), BODY), "401 403 403 403 200 403 200 200 403 200"),
    ("PERM-3 patch", lambda client, it: client.patch(path_of(it), {}), "401 403 403 403 200 403 200 200 403 200"),
    ("PERM-4", lambda client, it: client.delete(path_of(it)), "401 403 403 403 204 403 204 403 403 204"),
    (
        "PERM-5 contains",
        lambda client, it: client.get(path_of(it, CONTAINS)),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-5 contains by post",
        lambda client, it: client.post(path_of(it, "contains_content_items/"), {"course_run_ids": []}),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-5 content",
        lambda client, it: client.get(path_of(it, "get_content_metadata/")),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-5 content by post",
        lambda client, it: client.post(path_of(it, "get_content_metadata/"), {"content_keys": []}),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-5 diff",
        lambda client, it: client.get(path_of(it, "generate_diff/?content_keys=edX%2BA")),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-5 diff by post",
        lambda client, it: client.post(path_of(it, "generate_diff/"), {"content_keys": []}),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-5 changes",
        lambda client, it: client.get(path_of(it, "changes/")),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-6",
        lambda client, it: client.post(path_of(it, "refresh_metadata/")),
        "401 403 403 403 200 403 200 403 403 200",
    ),
    ("PERM-7 contains", lambda client, _: client.get(CUSTOMER), "401 403 200 403 200 403 200 403 403 200"),
    (
        "PERM-7 filter",
        lambda client, _: client.post(f"/api/v1/enterprise-customer/{E}/filter_content_items/", {}),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-7 content",
        lambda client, _: client.get(f"/api/v1/enterprise-customer/{E}/content-metadata/edX+A/"),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-7 content on v2",
        lambda client, _: client.get(f"/api/v2/enterprise-customer/{E}/content-metadata/edX+A/"),
        "401 403 200 403 200 403 200 403 403 200",
    ),
    (
        "PERM-8 list",
        lambda client, _: client.get("/api/v1/content-metadata/"),
        "401 200 200 200 200 200 200 200 200 200",
    ),
    (
        "PERM-8 retrieve",
        lambda client, _: client.get("/api/v1/content-metadata/edX+A"),
        "401 200 200 200 200 200 200 200 200 200",
    ),
    ("PERM-9", lambda client, _: client.get(QUERIES), "401 403 403 403 200 200 200 403 200 200"),
    (
        "PERM-10",
        lambda client, it: client.get(f"{QUERIES}{it.catalog_query.uuid}/"),
        "401 403 403 403 200 404 200 403 404 200",
    ),
    (
        "PERM-10 by id",
        lambda client, it: client.get(f"{QUERIES}{it.catalog_query_id}/"),
        "401 403 403 403 200 404 200 403 404 200",
    ),
    (
        "PERM-10 by hash",
        lambda client, it: client.get(f"{QUERIES}get_query_by_hash?hash={it.catalog_query.content_filter_hash}"),
        "401 403 403 403 200 404 200 403 404 200",
    ),
    (
        "PERM-11",
        lambda client, _: client.get(f"{QUERIES}get_content_filter_hash"),
        "401 403 403 403 200 200 200 403 200 200",
    ),
    (
        "PERM-11 by post",
        lambda client, _: client.post(f"{QUERIES}get_content_filter_hash", {}),
        "401 403 403 403 200 200 200 403 200 200",
    ),
    (
        "PERM-12",
        lambda client, _: client.post("/api/v1/distinct-catalog-queries/", {}),
        "401 403 403 403 403 403 200 403 200 200",
    ),
    ("PERM-13", lambda client, it: client.get(refresh_run_path(it)), "401 403 403 403 200 403 200 200 403 200"),
    ("PERM-18 health", lambda client, _: client.get("/health/"), "200 200 200 200 200 200 200 200 200 200"),
    ("PERM-18 schema", lambda client, _: client.get("/api/schema"), "200 200 200 200 200 200 200 200 200 200"),
    ("PERM-18 docs", lambda client, _: client.get("/api/docs"), "200 200 200 200 200 200 200 200 200 200"),
]
CELLS = [
    pytest.param(ask, letter, int(status), roles_from, id=f"{name}: {letter} {roles_from.__name__}")
    for name, ask, statuses in MATRIX
    for letter, status in zip(CALLERS, statuses.split(), strict=True)
    # The other three have no role that could come from elsewhere.
    for roles_from in ([by_token, by_database] if letter in DATABASE_ROLES else [by_token])
]


@pytest.mark.parametrize(("ask", "letter", "status", "roles_from"), CELLS)
def test_the_matrix(ask, letter, status, roles_from):
    assert ask(caller(letter, roles_from), make_catalog("edX+A")).status_code == status


ADMIN_TEXT = {"detail": "MISSING: catalog.has_admin_access"}
LEARNER_TEXT = {"detail": "MISSING: catalog.has_learner_access"}
LIST_TEXT = {"detail": "You do not have permission to perform this action."}
TEXTS = [
    ("PERM-1", LIST_TEXT),
    ("PERM-2", ADMIN_TEXT),
    ("PERM-3 get", ADMIN_TEXT),
    ("PERM-3 put", ADMIN_TEXT),
    ("PERM-4", ADMIN_TEXT),
    ("PERM-5 contains", LEARNER_TEXT),
    ("PERM-5 content", LEARNER_TEXT),
    ("PERM-5 diff", LEARNER_TEXT),
    ("PERM-5 changes", LEARNER_TEXT),
    ("PERM-6", ADMIN_TEXT),
    ("PERM-7 contains", LEARNER_TEXT),
    ("PERM-7 filter", LEARNER_TEXT),
    ("PERM-7 content", LEARNER_TEXT),
    ("PERM-9", LIST_TEXT),
    ("PERM-10", LIST_TEXT),
    ("PERM-10 by hash", LIST_TEXT),
    ("PERM-11", LIST_TEXT),
    ("PERM-12", LIST_TEXT),
    ("PERM-13", LIST_TEXT),
]


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_a_refusal_says_what_is_missing(name, text):  # ROLE-7
    ask = next(ask for row, ask, _ in MATRIX if row == name)
    assert ask(client_for("nobody"), make_catalog()).json() == text


@pytest.mark.parametrize("letter", "SO")
def test_staff_and_operators_see_what_their_list_says(letter):  # PERM-1
    make_catalog()
    assert caller(letter, by_token).get(CATALOGS).json()["count"] == (0 if letter == "S" else 1)


def test_an_unused_customer_is_answered_to_whom_all_are_open():  # PERM-7
    path = f"/api/v1/enterprise-customer/{uuid4()}/{CONTAINS}"
    assert operator().get(path).json() == {"contains_content_items": False}
    assert client_for("adam", f"enterprise_admin:{E}").get(path).json() == LEARNER_TEXT


def test_a_run_of_a_shared_query_is_visible_to_each_customers_admin():  # PERM-13, PERM-19
    catalog = make_catalog()
    make_catalog(customer=OTHER, query=catalog.catalog_query)
    path = refresh_run_path(catalog)
    assert client_for("yves", f"enterprise_admin:{OTHER}").get(path).status_code == 200


def test_a_run_of_an_unused_query_is_for_operators():  # PERM-19
    catalog = make_catalog()
    path = refresh_run_path(catalog)
    catalog.delete()
    statuses = {letter: caller(letter, by_token).get(path).status_code for letter in "MPO"}
    assert statuses == {"M": 403, "P": 403, "O": 200}


@pytest.mark.parametrize("uuid", ["not-a-uuid", "2b1d3c5e-0000-4000-8000-00000000dead"])
def test_an_unknown_object_comes_before_permissions_and_after_authentication(uuid):  # AUTH-7, AUTH-9
    path = f"{CATALOGS}{uuid}/{CONTAINS}"
    assert APIClient().get(path).status_code == 401
    assert client_for("nobody").get(path).status_code == 404


@pytest.mark.parametrize(("query", "accept"), [("?format=csv", "*/*"), ("", "text/csv")])
def test_authentication_comes_before_the_format(query, accept):  # AUTH-9
    assert APIClient().get(f"{CATALOGS}{query}", headers={"Accept": accept}).status_code == 401


def test_the_method_comes_before_the_object():  # AUTH-9
    assert client_for("nobody").delete(f"{CATALOGS}{uuid4()}/contains_content_items/").status_code == 405


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_not_allowed(method):  # AUTH-9
    assert operator().generic(method, CATALOGS).status_code == 405


def test_a_preflight_is_answered_before_authentication(settings):  # AUTH-9
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example.org"]
    headers = {"Origin": "https://portal.example.org", "Access-Control-Request-Method": "GET"}
    response = APIClient().options(CATALOGS, headers=headers)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, "https://portal.example.org")
    assert "use-jwt-cookie" in response["Access-Control-Allow-Headers"]  # AUTH-1


def test_the_format_comes_before_the_method():  # AUTH-9
    assert client_for("nobody").delete(CATALOGS, headers={"Accept": "text/csv"}).status_code == 406


def test_head_is_as_get():  # AUTH-9
    response = operator().head(CATALOGS)
    assert (response.status_code, response.content) == (200, b"")


def test_parameters_come_after_permissions():  # AUTH-9
    catalog = make_catalog()
    nobody = client_for("nobody")
    assert nobody.get(path_of(catalog, "contains_content_items/")).status_code == 403
    assert nobody.post(path_of(catalog, "get_content_metadata/"), "{", content_type="x/y").status_code == 403
    assert nobody.put(path_of(catalog), "{", content_type="application/json").status_code == 403
