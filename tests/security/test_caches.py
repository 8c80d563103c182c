"""
No cache keeps an answer that depends on the caller, unless a rule allows it (COM-18, COM-19).

This asks every route of the URLconf by every method, every kind of error, streams, and paths without a route.
"""

import gzip
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from enterprise_catalog.apps.api.v1.catalogs import CatalogsView
from enterprise_catalog.testing.callers import client_for
from enterprise_catalog.testing.catalogs import CATALOGS, path_of
from tests.security import test_admin_permissions
from tests.security.callers import callers
from tests.security.permission_table import METHODS, Block
from tests.security.test_permissions import CASES
from tests.security.test_permissions import path_of as path_of_route
from tests.security.urlconf import Route, all_routes
from tests.security.world import World, ask
from tests.security.writes import rolled_back

pytestmark = pytest.mark.django_db

NOT_KEPT = "private, no-store"
# Who holds such an answer has to ask whether it still holds, which is answered after authorisation (COM-18).
ASKED_AGAIN = "private, max-age=0, must-revalidate"
DJANGOS = "max-age=0, no-cache, no-store, must-revalidate, private"
PUBLIC = "public, max-age=300"
OPERATOR = "enterprise_openedx_operator:*"


def complaint_about(response: Any) -> str:
    """Return what would let another caller see the response, or an empty text."""
    keeping = response.headers.get("Cache-Control")
    varies = {name.strip() for name in response.headers.get("Vary", "").split(",")}
    if keeping == PUBLIC:
        return ""
    if keeping != (ASKED_AGAIN if "ETag" in response.headers else NOT_KEPT) and keeping != DJANGOS:
        return f"{response.status_code} with Cache-Control {keeping}"
    return "" if varies >= {"Authorization", "Cookie"} else f"{response.status_code} with Vary {varies}"


@pytest.mark.parametrize(("block", "route"), CASES)
def test_every_route_by_every_method(world: World, block: Block, route: Route):  # COM-18, COM-19
    clients = callers("ANLO", roles_from="token")
    wrong, seen = [], set()
    for method in METHODS:
        for case in block.cases:
            path = path_of_route(route, case, world, slash=True, suffix="json")
            for letter, client in clients.items():
                with rolled_back():
                    response = ask(client, method, path, route=route.name, case=case, world=world)
                    complaint = complaint_about(response)
                seen.add(response["Cache-Control"])
                if complaint or (response["Cache-Control"] == PUBLIC and route.name != "schema"):
                    wrong.append(f"{method} {path} ({case}) as {letter}: {complaint}")
    assert not wrong, "\n".join(wrong)
    assert DJANGOS not in seen


def test_the_document_is_public_and_its_refusals_are_not():  # COM-18
    assert Client().get("/api/schema/")["Cache-Control"] == PUBLIC
    assert "Cookie" not in Client().get("/api/schema/")["Vary"]
    for refused in (Client().post("/api/schema/"), Client().get("/api/schema/", headers={"Accept": "image/png"})):
        assert (refused.status_code >= 400, complaint_about(refused)) == (True, "")
        assert refused["Cache-Control"] == NOT_KEPT


@pytest.mark.parametrize(
    "path", ["/", "/health/", "/health/live/", "/health/ready/", "/health/freshness/", "/metrics/", "/api/docs/"]
)
def test_health_and_pages_are_current(path):  # ADD-4, ADD-7
    response = Client().get(path, headers={"Accept": "text/html"})
    assert (response["Cache-Control"], complaint_about(response)) == (NOT_KEPT, "")


def test_values_are_current(settings):  # ADD-7
    settings.METRICS_TOKEN = "t" * 32
    response = Client().get("/metrics/", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    assert (response.status_code, complaint_about(response)) == (200, "")


class TestRefusals:  # COM-18
    def refused(self, response: Any, status: int) -> None:
        assert response.status_code == status
        assert (response["Cache-Control"], complaint_about(response)) == (NOT_KEPT, "")

    @pytest.mark.parametrize(
        ("status", "request_of"),
        [
            (400, {"method": "POST", "body": "{"}),
            (404, {"path": f"{CATALOGS}?page=7"}),
            (404, {"path": "/api/v1/nothing/"}),
            (404, {"path": "/enterprise/api/v1/nothing/", "method": "POST"}),
            (405, {"method": "DELETE"}),
            (406, {"headers": {"Accept": "image/png"}}),
            (413, {"method": "POST", "body": "[" + " " * 5 * 1024 * 1024 + "]"}),
            (415, {"method": "POST", "content_type": "text/plain"}),
            (400, {"headers": {"Host": "elsewhere.example"}}),
        ],
    )
    def test_by_what_was_sent(self, status, request_of):
        client = client_for("olga", OPERATOR)
        content_type = request_of.get("content_type", "application/json")
        headers = request_of.get("headers", {})
        response = client.generic(
            request_of.get("method", "GET"),
            request_of.get("path", CATALOGS),
            request_of.get("body", "{}"),
            content_type=content_type,
            headers=headers,
        )
        self.refused(response, status)

    def test_by_who_asks(self):
        self.refused(Client().get(CATALOGS), 401)
        self.refused(client_for("nora").get(CATALOGS), 403)

    def test_by_its_length(self):
        response = client_for("olga", OPERATOR).post(CATALOGS, {}, headers={"Transfer-Encoding": "chunked"})
        self.refused(response, 411)

    def test_by_the_throttle(self, settings):
        settings.API_THROTTLE, settings.API_REQUESTS_PER_MINUTE = True, 1
        cache.clear()
        client = client_for("olga", OPERATOR)
        assert client.get(CATALOGS).status_code == 200
        self.refused(client.get(CATALOGS), 429)
        cache.clear()

    @pytest.mark.parametrize(("error", "status"), [(OperationalError(2006, "gone"), 503), (RuntimeError(), 500)])
    def test_by_ourselves(self, error, status):
        client = client_for("olga", OPERATOR)
        client.raise_request_exception = False
        with mock.patch.object(CatalogsView, "get", side_effect=error):
            self.refused(client.get(CATALOGS), status)

    def test_by_a_database_that_is_away_from_the_start(self):
        client = client_for("olga", OPERATOR)
        with mock.patch.object(connection, "cursor", side_effect=OperationalError(2003, "no")):
            self.refused(client.get(CATALOGS), 503)


@pytest.mark.parametrize("action", ["get_content_metadata/?traverse_pagination=1", "export.csv/", "export.xlsx/"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_streams(world, action, method):
    client = client_for("olga", OPERATOR)
    response = getattr(client, method)(path_of(world.own, action), headers={"Accept-Encoding": "gzip"})
    assert (response.status_code, response.streaming, complaint_about(response)) == (200, True, "")
    if method == "get":
        assert gzip.decompress(response.getvalue())


def test_a_preflight(settings):  # COM-18
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example"]
    asked = {"Origin": "https://portal.example", "Access-Control-Request-Method": "POST"}
    response = Client().options(CATALOGS, headers=asked)
    assert response["Access-Control-Allow-Origin"] == "https://portal.example"
    assert (response["Cache-Control"], complaint_about(response)) == (NOT_KEPT, "")
    assert "origin" in response["Vary"]


def test_every_page_of_the_admin(world, django_user_model):
    """Also files, previews, and the way in: signed in as who may all, as who may nothing, and not at all."""
    boss = Client()
    boss.force_login(django_user_model.objects.create(username="boss", is_staff=True, is_superuser=True))
    staff = Client()
    staff.force_login(django_user_model.objects.create(username="sam", is_staff=True))
    ways_in = [f"/{route.prefix}{route.pattern}" for route in all_routes() if route.is_way_into_admin]
    pages = [*map(test_admin_permissions.path_of, test_admin_permissions.ROUTES), *ways_in, "/admin/nowhere/"]
    statuses, wrong = set(), []
    for client in (boss, staff, Client()):
        for path in pages:
            for method in ("GET", "POST", "HEAD", "OPTIONS"):
                with rolled_back():
                    response = client.generic(method, path)
                    statuses.add(response.status_code)
                    if complaint := complaint_about(response):
                        wrong.append(f"{method} {path}: {complaint}")
    assert not wrong, "\n".join(wrong)
    assert statuses >= {200, 302, 403, 404, 405}
