"""
Whatever a caller sends, what an answer repeats of it is limited and well-formed (COM-16).

This covers the headers of every answer, and messages of errors.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory

from enterprise_catalog.apps.core.middleware.response_headers import HeadersMiddleware, bounded_header
from enterprise_catalog.testing.callers import CUSTOMER_UUID, client_for
from enterprise_catalog.testing.catalogs import CATALOGS, LEGACY, legacy_path_of, path_of
from tests.security import test_admin_permissions
from tests.security.permission_table import METHODS
from tests.security.test_permissions import ROUTES
from tests.security.test_permissions import path_of as path_of_route
from tests.security.urlconf import Route, all_routes
from tests.security.world import CATALOG, World
from tests.security.writes import rolled_back

pytestmark = pytest.mark.django_db

OPERATOR = "enterprise_openedx_operator:*"
LONG = "x" * 5000
ODD = ["\r\nSet-Cookie: a=b", "\x00\x1b\x7f\x85", "é", "日本", "🎓", "\ud800", '"; filename="', ",", LONG]
# The limit, and three dots.
MOST = 1003
# A few fields with a message each, and their names.
MOST_OF_BODY = 4000

QUERY = "&".join(
    f"{quote(f'{text}{number}', errors='surrogatepass')}={quote(text, errors='surrogatepass')}"
    for text in ODD
    for number in range(3)
)
KNOWN = "&".join(
    f"{name}={quote(text, errors='replace')}"
    for text in ODD[1:]
    for name in (
        *("version", "lang", "format", "page", "next", "content_key", "hash", "uuid", "ordering", "since", "match"),
        *("content_keys", "course_run_ids", "content_identifiers", "enterprise_customer", "title"),
    )
)
HEADERS = {
    "X-Request-ID": LONG,
    "Origin": f"https://{LONG}.example",
    "Referer": f"https://{LONG}.example/",
    "Accept-Language": LONG,
    "If-None-Match": f'"{LONG}"',
    "X-Forwarded-Host": LONG,
    "Access-Control-Request-Method": LONG,
    "Access-Control-Request-Headers": LONG,
}


@pytest.fixture
def operator() -> Any:
    client = client_for("olga", OPERATOR)
    client.raise_request_exception = False
    return client


def odd_headers(response: Any) -> list[str]:
    return [
        f"{name}: {value[:100]!r} ({len(value)})"
        for name, value in response.headers.items()
        if len(value) > MOST or not (value.isascii() and value.isprintable())
    ]


def long_body(response: Any) -> str:
    """Return an error whose body is too long. Pages of the admin may have their usual length."""
    if response.status_code < 400 or response.streaming or response["Content-Type"].startswith("text/html"):
        return ""
    return f"{response.status_code} {response.content[:200]!r}" if len(response.content) > MOST_OF_BODY else ""


def asked_oddly(client: Any, path: str) -> Iterator[tuple[str, Any]]:
    for method in (*METHODS, "A" * 5000):
        for query in (QUERY, KNOWN):
            with rolled_back():
                yield (
                    method,
                    client.generic(method, path, "{", content_type=f"text/{LONG}", QUERY_STRING=query, headers=HEADERS),
                )


@pytest.mark.parametrize("route", ROUTES, ids=[route.name for route in ROUTES])
def test_every_route(world: World, operator: Any, route: Route):  # COM-16, COM-20
    wrong = []
    for client in (operator, Client()):
        for case in ("of-E", "unknown"):
            path = path_of_route(route, case, world, slash=True, suffix="json")
            for method, response in asked_oddly(client, path):
                found = [*odd_headers(response), *filter(None, [long_body(response)])]
                if response.status_code >= 500:
                    found.append(f"{response.status_code}")
                wrong += [f"{method[:10]} {path}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)


def test_every_page_of_the_admin(world: World, django_user_model: Any):
    boss = Client(raise_request_exception=False)
    boss.force_login(django_user_model.objects.create(username="boss", is_staff=True, is_superuser=True))
    ways_in = [f"/{route.prefix}{route.pattern}" for route in all_routes() if route.is_way_into_admin]
    pages = [*map(test_admin_permissions.path_of, test_admin_permissions.ROUTES), *ways_in]
    wrong = []
    for client in (boss, Client()):
        for path in pages:
            for query in (QUERY, KNOWN):
                with rolled_back():
                    response = client.get(path, QUERY_STRING=query, headers=HEADERS)
                    wrong += [f"{path}: {each}" for each in odd_headers(response)]
                if response.status_code >= 500:
                    wrong.append(f"{path}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


class TestHeaders:
    def test_ignored_parameters_are_cut(self, world, operator):  # LEG-9
        query = "&".join(f"{letter * 300}=1" for letter in "abcdefg")
        value = operator.get(f"{legacy_path_of(world.own)}?{query}")["X-Catalog-Ignored-Params"]
        assert value.startswith(f"{'a' * 300}, {'b' * 300}, {'c' * 300}, ddd")
        assert (len(value), value[-4:]) == (MOST, "d...")

    def test_warnings_are_cut(self, operator):  # QRY-8
        content_filter = {f"{number}{'🎓' * 60}": "x" for number in range(9)}
        response = operator.post(CATALOGS, CATALOG | {"content_filter": content_filter})
        value = response["X-Catalog-Filter-Warning"]
        assert response.status_code == 201
        assert value.startswith("unknown-key:0%F0%9F%8E%93")
        assert (len(value), value[-3:]) == (MOST, "...")

    @pytest.mark.parametrize("name", ["version", "lang"])
    @pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/"])
    def test_a_parameter_does_not_name_the_document(self, name, path):  # SURF-4
        client = Client(raise_request_exception=False)
        headers = {"Accept": "text/html, */*;q=0.1"}
        plain = client.get(path, headers=headers)
        for odd in ("%0d%0aX-Evil: 1", "9", "../../etc", "%00", LONG):
            response = client.get(f"{path}?{name}={odd}", headers=headers)
            assert response.status_code == 200
            assert without_token(response) == without_token(plain)
            assert response.headers.get("Content-Disposition") == plain.headers.get("Content-Disposition")

    @pytest.mark.parametrize("name", ["Link", "Content-Disposition", "X-Anything"])
    def test_whatever_a_view_puts_into_one(self, name):
        def view(_: Any) -> HttpResponse:
            return HttpResponse(headers={name: f"é{LONG}", "Content-Security-Policy": LONG})

        response = HeadersMiddleware(view)(RequestFactory().get("/"))
        assert response.headers[name] == f"%C3%A9{'x' * 994}..."
        # Ours, and with its end cut off it would allow more.
        assert response.headers["Content-Security-Policy"] == LONG

    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            ('attachment; filename="a b.csv"', 'attachment; filename="a b.csv"'),
            ("a%20b", "a%20b"),
            ("a\x00b\x7f", "a%00b%7F"),
            ("x" * 1000, "x" * 1000),
            ("x" * 1001, f"{'x' * 1000}..."),
        ],
    )
    def test_only_what_does_not_fit_is_changed(self, value, sent):
        assert bounded_header(value) == sent


class TestMessages:
    def refused(self, response: Any, status: int, begins: str) -> None:
        texts = list(_texts(response.json()))
        assert response.status_code == status
        assert any(text.startswith(begins) for text in texts), texts
        assert all(len(text) <= MOST for text in texts)
        assert any(text.endswith("...") and len(text) == MOST for text in texts)

    def test_a_media_type(self, operator):  # ERR-1
        response = operator.generic("POST", CATALOGS, "{}", content_type=f"text/{LONG}")
        self.refused(response, 415, 'Unsupported media type "text/xxx')

    def test_a_method(self, operator):  # ERR-1
        self.refused(operator.generic("A" * 5000, CATALOGS), 405, 'Method "AAA')
        self.refused(Client().generic("A" * 5000, "/health/"), 405, 'Method "AAA')

    @pytest.mark.parametrize("uuid", [LONG, ["x"] * 5000])
    def test_the_uuid_of_a_catalog(self, operator, uuid):  # LEG-20
        response = operator.patch(f"{LEGACY}enterprise_customer_catalog/", {"uuid": uuid, "title": "x"})
        self.refused(response, 404, "Could not find catalog uuid ")

    def test_the_id_of_a_query(self, operator):  # LEG-19
        body = {"title": "x", "enterprise_customer": str(CUSTOMER_UUID), "enterprise_catalog_query": int("9" * 4000)}
        response = operator.post(f"{LEGACY}enterprise_customer_catalog/", body)
        self.refused(response, 400, 'Invalid pk "999')

    def test_an_origin(self, world, django_user_model):  # AUTH-8
        client = Client(enforce_csrf_checks=True)
        client.force_login(django_user_model.objects.create(username="boss", is_superuser=True))
        headers = {"Origin": f"https://{LONG}.example"}
        response = client.post(path_of(world.own, "refresh_metadata/"), headers=headers)
        self.refused(response, 403, "CSRF Failed: Origin checking failed - https://xxx")

    def test_in_xml(self, operator):  # COM-5
        headers = {"Accept": "application/xml"}
        response = operator.generic("POST", CATALOGS, "{}", content_type=f"text/{LONG}", headers=headers)
        assert (response.status_code, len(response.content) < MOST + 200) == (415, True)

    def test_the_limit_is_a_setting(self, operator, settings):
        settings.ERROR_TEXT_MAX_CHARACTERS = 10
        response = operator.generic("POST", CATALOGS, "{}", content_type="text/plain")
        assert response.json() == {"detail": "Unsupporte..."}


def without_token(response: Any) -> str:
    """Remove the CSRF token of a page, which always differs."""
    return re.sub(r"\b[A-Za-z0-9]{64}\b", "", response.content.decode())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _texts(inner)


def test_the_limits_are_those_of_the_contract():  # COM-16
    assert (settings.HEADER_MAX_CHARACTERS, settings.ERROR_TEXT_MAX_CHARACTERS) == (1000, 1000)
