"""
Authentication through the whole stack: the catalog list is 403 for known callers without roles (AUTH-1 to AUTH-9).
"""

import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test import Client
from rest_framework.test import APIClient

from enterprise_catalog.apps.access.token_users import caller_of_token
from enterprise_catalog.testing.callers import claims_for, client_for, cookies_of, token_for

pytestmark = pytest.mark.django_db

LIST = "/api/v1/enterprise-catalogs/"
NOT_PROVIDED = {"detail": "Authentication credentials were not provided."}
INACTIVE = {"detail": "User inactive or deleted."}
REFUSED = {"detail": "You do not have permission to perform this action."}

User = get_user_model()


def test_missing_credentials_are_told_which_scheme_to_use():  # AUTH-3
    response = APIClient().get(LIST)
    assert (response.status_code, response.json()) == (401, NOT_PROVIDED)
    assert response["WWW-Authenticate"] == 'JWT realm="api"'


def test_a_token_in_the_header_names_the_caller():  # AUTH-1, AUTH-5
    assert client_for("alice").get(LIST).json() == REFUSED
    assert User.objects.get().username == "alice"


@pytest.mark.parametrize("scheme", ["JWT", "jwt"])
def test_the_scheme_ignores_case(scheme):
    client = APIClient(headers={"Authorization": f"{scheme} {token_for('alice')}"})
    assert client.get(LIST).status_code == 403


def test_bearer_counts_as_no_credentials():  # AUTH-2
    response = APIClient(headers={"Authorization": f"Bearer {token_for('alice')}"}).get(LIST)
    assert (response.status_code, response.json()) == (401, NOT_PROVIDED)


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("JWT   ", "", 403),
        (" jwt ", "  ", 403),
        ("JWT\t", "", 401),
        ("JWT", "", 401),
        ("JWT:", "", 401),
        ("JWT JWT ", "", 401),
        ("JWT Bearer ", "", 401),
        ("Bearer JWT ", "", 401),
        ("Token ", "", 401),
        ("Basic ", "", 401),
        ('JWT "', '"', 401),
        ("JWT ", ".", 401),
        ("JWT .", "", 401),
        # What servers make of a header that came twice.
        ("JWT ", ",JWT nonsense", 401),
        ("JWT nonsense,JWT ", "", 401),
        ("JWT ", " nonsense", 401),
        ("JWT ", "\u00e9", 401),
    ],
)
def test_only_the_scheme_and_its_token_open(before, after, status):  # AUTH-1, AUTH-3
    response = APIClient(headers={"Authorization": f"{before}{token_for('alice')}{after}"}).get(LIST)
    assert response.status_code == status
    assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize(
    "value", ["JWT", "JWT ", "JWT \0", "JWT ..", "JWT " + "a" * 100_000, "JWT " + "a." * 50_000, "\xff", "", ","]
)
def test_a_malformed_header_gives_no_access(value):  # AUTH-3
    response = APIClient(headers={"Authorization": value}).get(LIST)
    assert response.status_code == 401
    assert isinstance(response.json()["detail"], str)
    assert response["WWW-Authenticate"] == 'JWT realm="api"'


def test_bearer_does_not_hide_a_cookie():  # AUTH-1, AUTH-2
    client = cookies_of(APIClient(headers={"Authorization": "Bearer anything"}), token_for("alice"))
    assert client.get(LIST).status_code == 403


def test_a_bad_token_is_final_even_with_a_good_cookie():  # AUTH-1
    client = cookies_of(APIClient(headers={"Authorization": "JWT nonsense"}), token_for("alice"))
    assert client.get(LIST).status_code == 401


@pytest.mark.parametrize("username", [None, "", 7, ["alice"], "x" * 151, "a\0b", "a\ud800b", "a\nb"])
def test_a_token_without_a_usable_username_is_refused(username):  # AUTH-5
    response = client_for("alice", preferred_username=username).get(LIST)
    assert response.status_code == 401
    assert isinstance(response.json()["detail"], str)
    assert not User.objects.exists()


def test_the_administrator_claim_makes_nobody_staff():  # AUTH-5
    client_for("alice", administrator=True, is_staff=True, superuser=True).get(LIST)
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_the_address_follows_the_token():
    client_for("alice").get(LIST)
    client_for("alice", email="new@example.org").get(LIST)
    assert User.objects.get().email == "new@example.org"


def test_a_user_of_a_token_cannot_sign_in_with_a_password():
    client_for("alice").get(LIST)
    assert not User.objects.get().has_usable_password()


def test_a_name_that_the_database_takes_for_another_user_is_refused():
    User.objects.create(username="Alice", is_superuser=True)
    assert client_for("alice").get(LIST).status_code in (401, 403)


def test_an_inactive_user_is_refused_whatever_the_token_says():  # AUTH-6
    User.objects.create(username="alice", is_active=False)
    response = client_for("alice", "enterprise_openedx_operator:*").get(LIST)
    assert (response.status_code, response.json()) == (401, INACTIVE)


def test_the_token_of_an_inactive_user_changes_nothing():  # AUTH-6
    User.objects.create(username="alice", is_active=False, email="alice@example.org")
    client_for("alice", email="new@example.org").get(LIST)
    assert User.objects.get().email == "alice@example.org"


@pytest.mark.parametrize("email", [None, "", 7, ["a@example.org"], "x" * 255, "a\0b", "a\ud800b", {"a": 1}])
def test_an_address_of_no_use_is_left_out(email):
    assert client_for("alice", email=email).get(LIST).status_code == 403
    assert User.objects.get().email == ""


@pytest.mark.parametrize(
    "roles",
    [
        "enterprise_openedx_operator:*",
        {"enterprise_openedx_operator": "*"},
        {"enterprise_openedx_operator:*": True},
        7,
        True,
        [["enterprise_openedx_operator:*"]],
        [None, 7, {}, [], True],
        ["enterprise_openedx_operator"],
        ["enterprise_openedx_operator:"],
        ["enterprise_openedx_operator: *"],
        ["enterprise_openedx_operator:**"],
        ["enterprise_openedx_operator:*:*"],
        ["enterprise_openedx_operator::*"],
        ["ENTERPRISE_OPENEDX_OPERATOR:*"],
        [" enterprise_openedx_operator:*"],
        ["enterprise_openedx_operator\0:*"],
        ["enterprise_catalog_admin,enterprise_openedx_operator:*"],
        ["enterprise_catalog_provisioning_admin:*"],
        ["*:*"],
        [":*", ":", "", "\ud800:*"],
        ["enterprise_openedx_operator:all", "enterprise_openedx_operator:None", "enterprise_openedx_operator:null"],
        ["x" * 100_000 + ":*"],
    ],
)
def test_a_malformed_roles_claim_grants_nothing(roles):  # ROLE-1, ROLE-5
    assert client_for("alice", roles=roles).get(LIST).json() == REFUSED


def test_no_other_claim_grants_a_role():  # ROLE-1
    wished = ["enterprise_openedx_operator:*"]
    other = dict.fromkeys(("role", "Roles", "scopes", "filters", "permissions", "groups"), wished)
    assert client_for("alice", **other, superuser=True, is_superuser=True).get(LIST).json() == REFUSED


def test_a_known_user_costs_one_query(django_assert_num_queries):
    User.objects.create(username="alice", email="alice@example.org")
    with django_assert_num_queries(1):
        caller_of_token(claims_for("alice"))


@pytest.mark.django_db(transaction=True)
def test_two_first_requests_at_once_make_one_user():
    if connection.vendor == "sqlite":
        pytest.skip("an in-memory SQLite database belongs to one thread")
    barrier, ids = threading.Barrier(4), set()

    def first_use():
        barrier.wait()
        ids.add(caller_of_token(claims_for("alice")).pk)
        connections.close_all()

    threads = [threading.Thread(target=first_use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == User.objects.count() == 1


class TestCookies:
    def test_both_parts_make_the_token(self):  # AUTH-1
        assert cookies_of(APIClient(), token_for("alice")).get(LIST).status_code == 403

    @pytest.mark.parametrize("part", ["edx-jwt-cookie-header-payload", "edx-jwt-cookie-signature"])
    def test_one_part_counts_as_absent(self, part):
        client = cookies_of(APIClient(), token_for("alice"))
        del client.cookies[part]
        assert client.get(LIST).json() == NOT_PROVIDED

    def test_an_expired_cookie_counts_as_absent(self):  # AUTH-8
        assert cookies_of(APIClient(), token_for("alice", exp=1)).get(LIST).json() == NOT_PROVIDED

    def test_an_inactive_user_is_refused(self):  # AUTH-6
        User.objects.create(username="alice", is_active=False)
        assert cookies_of(APIClient(), token_for("alice")).get(LIST).json() == INACTIVE

    def test_writing_needs_a_csrf_token(self):  # AUTH-8
        client = cookies_of(APIClient(enforce_csrf_checks=True), token_for("alice"))
        response = client.post(LIST, {}, format="json")
        assert response.status_code == 403
        assert response.json()["detail"].startswith("CSRF Failed: ")

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    @pytest.mark.parametrize("has_session", [False, True])
    def test_an_inactive_user_is_refused_before_the_csrf_token(self, method, has_session):  # AUTH-6, AUTH-8
        alice = User.objects.create(username="alice")
        client = cookies_of(APIClient(enforce_csrf_checks=True), token_for("alice", "enterprise_openedx_operator:*"))
        if has_session:
            client.force_login(alice)
        User.objects.update(is_active=False)
        response = getattr(client, method)(LIST, {})
        assert (response.status_code, response.json()) == (401, INACTIVE)

    @pytest.mark.parametrize("name", ["edx-jwt-cookie-header-payload", "edx-jwt-cookie-signature"])
    @pytest.mark.parametrize("value", ["x", ".", "..", "\u00e9", "a" * 100_000, '"', "\\303\\251"])
    def test_a_cookie_of_no_sense_counts_as_absent(self, name, value):  # AUTH-8
        client = cookies_of(APIClient(), token_for("alice"))
        client.cookies[name] = value
        assert client.get(LIST).json() == NOT_PROVIDED

    def test_the_undivided_cookie_counts_as_absent(self):  # AUTH-1
        client = APIClient()
        client.cookies["edx-jwt-cookie"] = token_for("alice")
        assert client.get(LIST, headers={"USE-JWT-COOKIE": "true"}).json() == NOT_PROVIDED

    def test_the_header_of_todays_frontends_is_ignored(self):  # AUTH-1
        client = cookies_of(APIClient(), token_for("alice"))
        for value in ("true", "false", ""):
            assert client.get(LIST, headers={"USE-JWT-COOKIE": value}).json() == REFUSED

    def test_writing_with_a_csrf_token_goes_on(self):  # AUTH-8
        client = cookies_of(APIClient(enforce_csrf_checks=True), token_for("alice"))
        client.cookies["csrftoken"] = token = "a" * 32
        response = client.post(LIST, {}, format="json", headers={"X-CSRFToken": token})
        assert response.json() == {"detail": "MISSING: catalog.has_admin_access"}

    def test_a_header_token_needs_no_csrf_token(self):
        client = APIClient(enforce_csrf_checks=True)
        client.credentials(HTTP_AUTHORIZATION=f"JWT {token_for('alice')}")
        assert client.post(LIST, {}, format="json").json() == {"detail": "MISSING: catalog.has_admin_access"}


class TestSessions:
    @pytest.fixture
    def sam(self):
        return User.objects.create_user(username="sam", password="a long one")

    @pytest.fixture
    def client(self, sam):
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(sam)
        return client

    def test_a_session_names_the_caller(self, client):
        assert client.get(LIST).json() == REFUSED

    def test_writing_needs_a_csrf_token(self, client):  # AUTH-8
        response = client.post(LIST, {}, format="json")
        assert response.status_code == 403
        assert response.json()["detail"].startswith("CSRF Failed: ")

    def test_a_valid_cookie_of_the_same_user_brings_its_roles(self, client):  # AUTH-8
        cookies_of(client, token_for("sam", "enterprise_openedx_operator:*"))
        assert client.get(LIST).status_code == 200

    def test_a_cookie_of_somebody_else_counts_as_absent(self, client):  # AUTH-8
        cookies_of(client, token_for("olivia", "enterprise_openedx_operator:*"))
        assert client.get(LIST).json() == REFUSED
        assert not User.objects.filter(username="olivia").exists()

    def test_an_expired_cookie_of_the_same_user_brings_nothing(self, client):  # AUTH-8
        cookies_of(client, token_for("sam", "enterprise_openedx_operator:*", exp=1))
        assert client.get(LIST).json() == REFUSED

    def test_a_deactivated_user_is_told_so(self, client, sam):  # AUTH-6
        sam.is_active = False
        sam.save()
        assert client.get(LIST).json() == INACTIVE

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_a_deactivated_user_is_told_so_before_the_csrf_token(self, client, sam, method):  # AUTH-6, AUTH-8
        User.objects.update(is_active=False)
        assert getattr(client, method)(LIST, {}).json() == INACTIVE

    def test_a_deleted_user_is_told_so(self, client, sam):  # AUTH-6
        sam.delete()
        assert client.get(LIST).json() == INACTIVE

    def test_a_header_of_somebody_else_comes_first(self, client):  # AUTH-1
        client.credentials(HTTP_AUTHORIZATION=f"JWT {token_for('olivia', 'enterprise_openedx_operator:*')}")
        assert client.get(LIST).status_code == 200

    def test_a_header_brings_no_roles_of_a_cookie(self, client):  # AUTH-1
        cookies_of(client, token_for("sam", "enterprise_openedx_operator:*"))
        client.credentials(HTTP_AUTHORIZATION=f"JWT {token_for('sam')}")
        assert client.get(LIST).json() == REFUSED

    def test_a_cookie_of_somebody_inactive_counts_as_absent(self, client):  # AUTH-6, AUTH-8
        User.objects.create(username="ina", is_active=False)
        cookies_of(client, token_for("ina", "enterprise_openedx_operator:*"))
        assert client.get(LIST).json() == REFUSED

    @pytest.mark.parametrize("name", ["SAM", "Sam", "sam ", "s\u00e1m"])
    def test_a_cookie_of_a_like_name_counts_as_absent(self, client, name):  # AUTH-8
        cookies_of(client, token_for(name, "enterprise_openedx_operator:*"))
        assert client.get(LIST).json() == REFUSED

    def test_a_session_writes_with_a_csrf_token(self, client):  # AUTH-8
        client.cookies["csrftoken"] = token = "a" * 32
        response = client.post(LIST, {}, headers={"X-CSRFToken": token})
        assert response.json() == {"detail": "MISSING: catalog.has_admin_access"}

    def test_a_stale_session_counts_as_absent(self, client, sam):
        sam.set_password("another")
        sam.save()
        assert client.get(LIST).json() == NOT_PROVIDED


def test_anonymous_callers_learn_nothing_from_a_django_client():  # AUTH-7
    assert Client().options("/api/v1/enterprise-catalogs/not-a-uuid/contains_content_items/").status_code == 401
