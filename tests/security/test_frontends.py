"""Frontends on other origins: what a browser may send here, and what it may not (AUTH-8, AUTH-10)."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.callers import token_for
from enterprise_catalog.testing.catalogs import CATALOGS
from tests.security.permission_table import BLOCKS
from tests.security.test_permissions import PAIRS, path_of
from tests.security.urlconf import all_routes
from tests.security.world import CATALOG, World

pytestmark = pytest.mark.django_db

TOKEN = "/csrf/api/v1/token"
PORTAL, OTHER = "https://portal.example.org", "https://evil.example.org"
# What frontends of Open edX send with their requests.
SENT = ("x-csrftoken", "authorization", "content-type", "use-jwt-cookie")


@pytest.fixture(autouse=True)
def portal(settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]


def preflight(path: str, method: str, *, origin: str) -> Any:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ", ".join(SENT)}
    return Client().options(path, headers={"Origin": origin} | asked)


def shared(response: Any) -> dict[str, str]:
    """Return the headers that show an answer to a page of another origin."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


API = [(block, route) for block, route in PAIRS if route.prefix or route.name == "csrf-token"]


@pytest.mark.parametrize(("block", "route"), [pytest.param(*pair, id=pair[1].name) for pair in API])
def test_preflights_of_every_route_and_method(world: World, block, route):  # AUTH-10
    for slash in (True, False):
        path = path_of(route, block.cases[0], world, slash=slash, suffix="json")
        # HEAD needs none.
        for method in block.methods - {"HEAD"}:
            response = preflight(path, method, origin=PORTAL)
            headers = shared(response)
            assert response.status_code == 200, (method, path)
            assert headers["access-control-allow-origin"] == PORTAL
            assert headers["access-control-allow-credentials"] == "true"
            assert method in headers["access-control-allow-methods"].split(", ")
            assert set(SENT) <= set(headers["access-control-allow-headers"].split(", "))
            assert shared(preflight(path, method, origin=OTHER)) == {}


def test_no_route_of_the_api_is_missing_above():
    others = {"home", "health", "health-live", "health-ready", "health-freshness", "schema", "docs", "api-docs"}
    assert {route.name for _, route in API} == {name for block in BLOCKS for name in block.routes} - others


def test_pages_are_shown_to_no_other_origin(admin_client):  # AUTH-10
    pages = [route for route in all_routes() if route.is_of_admin or route.is_way_into_admin]
    paths = {f"/{route.prefix}{route.pattern}" for route in pages if not route.parameters}
    assert len(paths) > 20
    for path in paths:
        for method in ("GET", "POST", "OPTIONS"):
            assert shared(admin_client.generic(method, path, headers={"Origin": PORTAL})) == {}, (method, path)


class Frontend:
    """A page of an origin, in the browser of an operator whom the LMS or the admin signed in."""

    def __init__(self, origin: str, *, by: str) -> None:
        self.client = APIClient(enforce_csrf_checks=True)
        self.origin = origin
        if by == "session":
            self.client.force_login(User.objects.create(username="olga", is_superuser=True, is_staff=True))
        else:
            head, _, signature = token_for("olga", "enterprise_openedx_operator:*").rpartition(".")
            self.client.cookies["edx-jwt-cookie-header-payload"] = head
            self.client.cookies["edx-jwt-cookie-signature"] = signature

    def token(self) -> str:
        return self.client.get(TOKEN, secure=True, headers={"Origin": self.origin}).json()["csrfToken"]

    def create(self, token: str | None) -> Any:
        headers = {"Origin": self.origin} | ({"X-CSRFToken": token} if token else {})
        return self.client.post(CATALOGS, CATALOG, secure=True, headers=headers)


@pytest.mark.parametrize("by", ["JWT cookies", "session"])
def test_a_listed_origin_writes_with_the_token(by):  # AUTH-8, AUTH-10
    frontend = Frontend(PORTAL, by=by)
    assert frontend.create(frontend.token()).status_code == 201


@pytest.mark.parametrize("by", ["JWT cookies", "session"])
@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (OTHER, "Origin checking failed"),
        ("null", "Origin checking failed"),
        (f"{PORTAL}.evil.example.org", "Origin checking failed"),
        (f"{PORTAL}:8443", "Origin checking failed"),
        (PORTAL.replace("https", "http"), "Origin checking failed"),
    ],
)
def test_no_other_origin_writes(by, origin, reason):  # AUTH-8, AUTH-10
    """With a token that is right, since the browser sends the cookie wherever the page is from."""
    frontend = Frontend(origin, by=by)
    response = frontend.create(frontend.token())
    assert (response.status_code, response.json()["detail"].startswith(f"CSRF Failed: {reason}")) == (403, True)


@pytest.mark.parametrize("by", ["JWT cookies", "session"])
def test_no_write_without_the_token_of_this_browser(by):  # AUTH-8, AUTH-10
    frontend = Frontend(PORTAL, by=by)
    foreign = Client().get(TOKEN, secure=True).json()["csrfToken"]
    frontend.token()
    for token in (None, "x", foreign):
        response = frontend.create(token)
        assert (response.status_code, response.json()["detail"][:12]) == (403, "CSRF Failed:")


def test_a_listed_origin_sends_no_forms_of_the_admin():  # AUTH-10, SEC-3
    frontend = Frontend(PORTAL, by="session")
    form = {"csrfmiddlewaretoken": frontend.token()}
    for path in ("/admin/logout/", "/admin/core/user/add/", "/login/edx-oauth2/"):
        response = frontend.client.post(path, form, secure=True, format="multipart", headers={"Origin": PORTAL})
        assert (response.status_code, "Not accepted" in response.content.decode()) == (403, True), path
    own = {"Origin": "https://testserver"}
    assert frontend.client.post("/admin/logout/", form, secure=True, format="multipart", headers=own).status_code == 200
