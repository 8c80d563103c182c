"""
Which account a token's name gives access to: kinds of accounts x ways to send a token x similar names (AUTH-5, AUTH-6).

A token never gives access to a local account that has a password. It counts as much as a token with an unknown name,
and changes nothing of the account.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, client_for, cookies_of, token_for
from enterprise_catalog.testing.catalogs import CATALOGS, LEGACY, make_catalog, path_of
from tests.sandbox_services import point_sign_in_at
from tests.security.callers import permit
from tests.security.test_sign_in import SERVICE, Person

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
INACTIVE = {"detail": "User inactive or deleted."}
LOCKS: dict[str, dict[str, Any]] = {
    "password": {"password": PASSWORD},
    "unusable": {"password": None},
    "empty": {"password": ""},
    "inactive with password": {"password": PASSWORD, "is_active": False},
    "inactive": {"password": None, "is_active": False},
}
OPEN_TO_TOKENS = {"unusable", "empty"}


def give_permissions(user: User) -> None:
    set_flags(user, is_staff=True)
    permit(user, "view", "add", "change")


def give_group(user: User) -> None:
    group = Group.objects.create(name="desk")
    group.permissions.set(Permission.objects.filter(content_type__app_label="catalog"))
    user.groups.add(group)
    set_flags(user, is_staff=True)


def set_flags(user: User, **flags: bool) -> None:
    User.objects.filter(pk=user.pk).update(**flags)


POWERS: dict[str, Callable[[User], Any]] = {
    "nothing": lambda user: None,
    "staff": lambda user: set_flags(user, is_staff=True),
    "superuser": lambda user: set_flags(user, is_staff=True, is_superuser=True),
    "operator by assignment": lambda user: assign(user, "enterprise_catalog_admin"),
    "provisioning by assignment": lambda user: assign(user, "enterprise_catalog_provisioning_admin"),
    "admin of E by assignment": lambda user: assign(user, "enterprise_catalog_admin", CUSTOMER_UUID),
    "permissions": give_permissions,
    "group": give_group,
}
# What the token itself says.
ROLES = {"none": [], "admin of E": [f"enterprise_admin:{CUSTOMER_UUID}"]}
# What the database of a deployment may take for the same name, and for which another row can exist on SQLite.
LIKE = ["Olga", "OLGA", "\u00f3lga", "olga ", "olg\u00e0"]


def account(*, lock: str, powers: str = "nothing", username: str = "olga") -> User:
    fields = dict(LOCKS[lock])
    password = fields.pop("password")
    user = User(username=username, email="olga@here.example", first_name="Olga", last_name="Local", **fields)
    if password == "":
        user.password = ""
    else:
        user.set_password(password)
    user.save()
    POWERS[powers](user)
    return User.objects.get(pk=user.pk)


def by_header(username: str, *roles: str) -> APIClient:
    return client_for(username, *roles, email="olga@elsewhere.example", name="Other", family_name="Name")


def by_cookie(username: str, *roles: str) -> APIClient:
    return cookies_of(APIClient(), token_for(username, *roles, email="olga@elsewhere.example"))


WAYS = {"header": by_header, "cookie": by_cookie}


def worth(client: Any) -> list[tuple[int, int]]:
    """Return what a caller may do: statuses and counts of everything that flags, permissions, groups or roles allow."""
    own, others = (
        EnterpriseCatalog.objects.get(enterprise_uuid=customer) for customer in (CUSTOMER_UUID, OTHER_CUSTOMER_UUID)
    )
    asked: list[tuple[Any, str, Any]] = [
        (client.get, CATALOGS, None),
        (client.get, path_of(own), None),
        (client.get, path_of(others), None),
        (client.get, path_of(others, "get_content_metadata/"), None),
        (client.patch, path_of(others), {}),
        (client.post, path_of(others, "refresh_metadata/"), None),
        (client.get, "/api/v1/catalog-queries/", None),
        (client.post, "/api/v1/distinct-catalog-queries/", {}),
        (client.get, f"{LEGACY}enterprise_catalogs/", None),
        (client.get, f"{LEGACY}enterprise_catalog_query/", None),
        (client.post, f"{LEGACY}enterprise_customer_catalog/", {}),
        (client.get, f"{LEGACY}enterprise_catalogs/{others.uuid}/contains_content_items/?course_run_ids=x", None),
    ]
    seen = []
    for send, path, body in asked:
        response = send(path, body, format="json") if body is not None else send(path)
        seen.append((response.status_code, (response.json() or {}).get("count", 0) if response.content else 0))
    return seen


@contextmanager
def nothing_changes_of(user: User) -> Iterator[None]:
    def state() -> Any:
        row = User.objects.filter(pk=user.pk).values().get()
        return row, list(user.groups.values("pk")), list(user.user_permissions.values("pk"))

    before = state()
    yield
    assert state() == before


@pytest.fixture(autouse=True)
def catalogs():
    make_catalog("edX+A", customer=CUSTOMER_UUID)
    make_catalog("edX+B", customer=OTHER_CUSTOMER_UUID)


@pytest.mark.parametrize("roles", ROLES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("powers", POWERS)
def test_a_token_opens_no_account_that_a_password_opens(powers, way, roles):  # AUTH-5
    olga = account(lock="password", powers=powers)
    nobody = WAYS[way]("somebody-else", *ROLES[roles])
    with nothing_changes_of(olga):
        assert worth(WAYS[way]("olga", *ROLES[roles])) == worth(nobody)
    assert User.objects.filter(username__in=["olga", "somebody-else"]).count() == 2


@pytest.mark.parametrize("lock", sorted(OPEN_TO_TOKENS))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("powers", sorted(POWERS.keys() - {"nothing", "staff"}))
def test_a_token_opens_an_account_without_a_password(powers, way, lock):  # AUTH-5
    olga = account(lock=lock, powers=powers)
    nobody = worth(WAYS[way]("somebody-else"))
    assert worth(WAYS[way]("olga")) != nobody
    olga.refresh_from_db()
    assert (olga.email, olga.first_name, olga.last_name) == ("olga@elsewhere.example", "Olga", "Local")
    assert olga.last_login is None


@pytest.mark.parametrize("lock", ["inactive", "inactive with password"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("powers", POWERS)
def test_a_deactivated_account_stays_refused(powers, way, lock):  # AUTH-6
    olga = account(lock=lock, powers=powers)
    client = WAYS[way]("olga", "enterprise_openedx_operator:*")
    with nothing_changes_of(olga):
        assert {status for status, _ in worth(client)} == {401}
        assert client.get(CATALOGS).json() == INACTIVE


@pytest.mark.parametrize("name", LIKE)
@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("way", WAYS)
def test_a_like_name_opens_nothing(way, lock, name):
    """It is another name, or where the database could not tell them apart, no name at all (AUTH-5)."""
    olga = account(lock=lock, powers="superuser")
    with nothing_changes_of(olga):
        seen = worth(WAYS[way](name))
        assert {status for status, _ in seen} == {401} or seen == worth(WAYS[way]("somebody-else"))


class TestBesideASession:
    """A token of that name adds what it says, and takes nothing away (AUTH-8)."""

    @pytest.fixture
    def browser(self, olga):
        client = APIClient()
        client.force_login(olga)
        return client

    @pytest.fixture
    def olga(self, request):
        return account(lock="password", powers=getattr(request, "param", "nothing"))

    @pytest.mark.parametrize("olga", POWERS, indirect=True)
    def test_the_session_keeps_what_its_user_has(self, olga, browser):
        alone = worth(browser)
        with nothing_changes_of(User.objects.get(pk=olga.pk)):
            assert worth(cookies_of(browser, token_for("olga", email="olga@elsewhere.example"))) == alone

    def test_the_roles_of_the_token_come_on_top(self, olga, browser):
        cookies_of(browser, token_for("olga", "enterprise_openedx_operator:*"))
        assert browser.get(CATALOGS).json()["count"] == 2

    def test_what_is_changed_so_is_the_sessions_users(self, olga, browser):
        cookies_of(browser, token_for("olga", "enterprise_openedx_operator:*"))
        catalog = EnterpriseCatalog.objects.first()
        assert browser.patch(path_of(catalog), {"title": "New"}).status_code == 200
        assert catalog.history.latest().history_user == olga

    @pytest.mark.parametrize("olga", ["superuser"], indirect=True)
    @pytest.mark.parametrize("name", LIKE)
    def test_a_like_name_adds_nothing(self, olga, name):
        """To the session of somebody else it is absent, and so opens nothing of either."""
        other = APIClient()
        other.force_login(User.objects.create_user("sam", password=PASSWORD))
        alone = worth(other)
        assert worth(cookies_of(other, token_for(name, "enterprise_openedx_operator:*"))) == alone
        assert worth(cookies_of(other, token_for("olga", "enterprise_openedx_operator:*"))) == alone


class TestSignIn:
    """The same tokens through the sign-in."""

    @pytest.fixture(autouse=True)
    def lms(self, sandbox, settings):
        point_sign_in_at(sandbox, settings, service=SERVICE)

    @pytest.mark.parametrize("powers", POWERS)
    @pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock not in OPEN_TO_TOKENS])
    def test_what_a_token_does_not_open_is_not_opened(self, lock, powers):  # AUTH-5, AUTH-6
        olga = account(lock=lock, powers=powers)
        person = Person("olga")
        with nothing_changes_of(olga):
            assert person.sign_in().status_code == 403
            assert "_auth_user_id" not in person.browser.session
            assert not person.is_in()

    @pytest.mark.parametrize("lock", sorted(OPEN_TO_TOKENS))
    @pytest.mark.parametrize("powers", ["staff", "superuser", "permissions", "group"])
    def test_staff_without_a_password_comes_in(self, powers, lock):
        account(lock=lock, powers=powers)
        person = Person("olga")
        assert person.sign_in().status_code == 302
        assert person.is_in()

    @pytest.mark.parametrize("name", LIKE)
    @pytest.mark.parametrize("lock", LOCKS)
    def test_a_like_name_opens_nothing(self, lock, name):
        olga = account(lock=lock, powers="superuser")
        person = Person(name)
        with nothing_changes_of(olga):
            assert person.sign_in().status_code == 403
            assert not person.is_in()


class TestAPasswordGivenLater:
    """An account that a token created, and that gets a password later."""

    @pytest.fixture
    def olga(self):
        by_header("olga").get(CATALOGS)
        POWERS["superuser"](User.objects.get())
        return User.objects.get()

    @pytest.fixture
    def admin_page(self, olga):
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        return lambda **form: client.post(f"/admin/core/user/{olga.pk}/password/", form)

    def test_it_is_closed_to_tokens_from_then_on(self, olga, admin_page):
        assert by_header("olga").get(CATALOGS).status_code == 200
        form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true", "set-password": "1"}
        assert admin_page(**form).status_code == 302
        assert by_header("olga").get(CATALOGS).status_code == 403
        assert User.objects.get(pk=olga.pk).check_password(PASSWORD)

    def test_and_open_again_without_it(self, olga, admin_page):
        olga.set_password(PASSWORD)
        olga.save()
        assert by_header("olga").get(CATALOGS).status_code == 403
        assert admin_page(usable_password="false", **{"unset-password": "1"}).status_code == 302
        assert by_header("olga").get(CATALOGS).status_code == 200

    def test_a_session_of_the_time_before_is_over(self, olga):
        client = APIClient()
        client.force_login(olga)
        assert client.get(CATALOGS).status_code == 200
        olga.set_password(PASSWORD)
        olga.save()
        assert client.get(CATALOGS).status_code == 401
        cookies_of(client, token_for("olga"))
        assert client.get(CATALOGS).status_code == 403

    def test_createsuperuser_takes_no_name_that_is_there(self, olga):
        with pytest.raises(CommandError, match="already taken"):
            call_command("createsuperuser", username="olga", email="", interactive=False)


class TestACallerWithoutARow:
    """A caller with a token and the name of a local account."""

    @pytest.fixture
    def olga(self):
        return account(lock="password", powers="superuser")

    @pytest.fixture
    def client(self, olga):
        return by_header("olga", f"enterprise_admin:{CUSTOMER_UUID}")

    def test_costs_one_statement(self, client, django_assert_num_queries):
        with django_assert_num_queries(1):
            client.get("/api/v1/catalog-queries/get_content_filter_hash/")

    def test_roles_of_the_database_are_not_asked_for(self, client, django_assert_num_queries):
        others = EnterpriseCatalog.objects.get(enterprise_uuid=OTHER_CUSTOMER_UUID)
        with django_assert_num_queries(2):
            assert client.get(path_of(others)).status_code == 403

    @pytest.mark.parametrize("query", ["rewritten", "taken over"])
    def test_is_in_histories_without_the_account(self, client, olga, query):
        catalog = EnterpriseCatalog.objects.select_related("catalog_query").get(enterprise_uuid=CUSTOMER_UUID)
        wanted = {"partner": "new"}
        if query == "taken over":
            make_catalog(customer=CUSTOMER_UUID, query=None)
            wanted = EnterpriseCatalog.objects.order_by("-created").first().catalog_query.content_filter
        body = {"content_filter": wanted, "catalog_query_uuid": str(catalog.catalog_query.uuid), "title": "New"}
        assert client.patch(path_of(catalog), body).status_code == 200
        catalog.refresh_from_db()
        row = catalog.history.latest()
        assert (row.title, row.history_user) == ("New", None)
        reasons = set(catalog.history.exclude(history_type="+").values_list("history_change_reason", flat=True))
        reasons |= {catalog.catalog_query.history.latest().history_change_reason}
        assert reasons == {f"By a token with the name of local user {olga.pk}, not by that user."}

    def test_makes_and_deletes_catalogs(self, client):
        catalog = EnterpriseCatalog.objects.get(enterprise_uuid=CUSTOMER_UUID)
        assert client.post(path_of(catalog, "refresh_metadata/")).status_code == 200
        assert client.delete(path_of(catalog)).status_code == 204
        assert EnterpriseCatalog.history.latest().history_user is None

    def test_has_a_limit_of_its_own(self, client, settings):  # ERR-6
        account(lock="password", username="other")
        settings.API_THROTTLE, settings.API_REQUESTS_PER_MINUTE = True, 1
        cache.clear()
        session = APIClient()
        session.force_login(User.objects.get(username="olga"))
        statuses = [it.get(CATALOGS).status_code for it in (client, client, session, by_header("other"))]
        assert statuses == [200, 429, 200, 403]


def test_a_password_of_no_known_kind_is_one():
    """No installed hasher opens it, and no token does either (AUTH-5)."""
    olga = account(lock="unusable", powers="superuser")
    User.objects.filter(pk=olga.pk).update(password="bcrypt_of_old$abc")
    assert by_header("olga").get(CATALOGS).status_code == 403


def test_names_that_differ_in_case_are_two_where_the_database_tells_them_apart():
    account(lock="password", powers="superuser")
    status = by_header("Olga", "enterprise_openedx_operator:*").get(CATALOGS).status_code
    assert status == (401 if connection.vendor == "mysql" else 200)
