"""
Every answer tells browsers what they may do with it: each route, each kind of error, and files (SEC-3).

`tests/browser/test_content_policy` shows that pages work under these headers.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse

from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.callers import token_for
from tests.security.urlconf import all_routes

pytestmark = pytest.mark.django_db

NOTHING = "default-src 'none'; frame-ancestors 'none'"
APPS = Path(django_settings.PROJECT_ROOT) / "enterprise_catalog" / "apps"
TEMPLATES = sorted(APPS.glob("*/templates/**/*.html"))


def directives(response: Any) -> dict[str, set[str]]:
    parts = [part.split() for part in response.headers["Content-Security-Policy"].split(";")]
    assert len({name for name, *_ in parts}) == len(parts)
    return {name: set(sources) for name, *sources in parts}


def check(response: Any) -> None:
    found = directives(response)
    assert found["default-src"] == {"'none'"}
    assert found["frame-ancestors"] == {"'none'"}
    if response.headers.get("Content-Type", "").startswith("text/html"):
        assert found["script-src"] == found["style-src"] == found["form-action"] == {"'self'"}
        assert found["object-src"] == found["base-uri"] == {"'none'"}
    else:
        assert response.headers["Content-Security-Policy"] == NOTHING
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & set().union(*found.values())
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def addresses() -> list[str]:
    """Return an address of every route, with a value for each parameter."""
    example = "6ae013d4-c5c4-474d-8da9-0e559b2448e2"
    found = []
    for route in all_routes():
        try:
            found.append(reverse(route.name, kwargs=dict.fromkeys(route.parameters, example)))
        except NoReverseMatch:
            # Numbers, or a path of its own making.
            text = re.sub(r"<int:\w+>|\(\?P<\w+>\\d\+\)", "1", route.prefix + route.pattern)
            text = re.sub(r"<(\w+:)?\w+>", example, re.sub(r"\(\?P<\w+>[^)]*\)", example, text))
            found.append("/" + text.replace("^", "").replace("$", "").replace("/?", "/"))
    return sorted(set(found))


@pytest.fixture(params=["nobody", "token", "session"])
def client(request, db) -> Client:
    if request.param == "token":
        return Client(headers={"Authorization": f"JWT {token_for('robert', 'enterprise_openedx_operator:*')}"})
    client = Client()
    if request.param == "session":
        client.force_login(User.objects.create_superuser("olga"))
    return client


def test_every_route_says_it(client, settings):  # SEC-3
    settings.METRICS_TOKEN = "9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x"
    client.raise_request_exception = False
    paths = addresses()
    kinds = set()
    assert len(paths) > 100
    for path in paths:
        for method in ("get", "head", "post", "options"):
            if path == "/admin/logout/" and method == "post":
                continue
            response = getattr(client, method)(path)
            check(response)
            kinds.add(response.headers.get("Content-Type", "").partition(";")[0])
    assert {"text/html", "application/json"} <= kinds


@pytest.mark.parametrize("path", ["/api/v1/nowhere/", "/admin/nowhere/", "/nowhere", "/static/nowhere.css"])
def test_what_is_not_there_says_it(client, path):  # SEC-3
    check(client.get(path))


def test_errors_say_it(settings, monkeypatch):  # SEC-3
    check(Client(headers={"Host": "elsewhere.example.org"}).get("/admin/"))
    refused = Client(enforce_csrf_checks=True).post("/login/edx-oauth2/")
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    check(refused)
    broken = Client(raise_request_exception=False)
    monkeypatch.setattr(admin.site, "login_template", "nowhere.html")
    page = broken.get("/admin/login/")
    assert page.status_code == 500
    check(page)
    settings.SERVES_LOOPBACK_ONLY = True
    check(Client(REMOTE_ADDR="10.0.0.7").get("/admin/"))


def test_files_say_it(settings):  # SEC-3
    settings.WHITENOISE_USE_FINDERS = True
    settings.WHITENOISE_AUTOREFRESH = True
    response = Client().get("/static/console/console.css")
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == NOTHING


def test_the_documentation_page_brings_its_script_as_a_file():  # SEC-3, SURF-4
    page = Client().get("/api/docs/")
    [address] = re.findall(r'<script src="(/api/docs/[^"]*)"', page.content.decode())
    script = Client().get(address)
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle(" in script.content


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(APPS)))
def test_no_template_holds_script_or_style(template):  # SEC-3
    text = template.read_text()
    assert not re.search(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:", text, re.IGNORECASE)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_the_lists_of_the_admin_have_actions_above_them():
    """Django's list without any carries a style of its own."""
    for model_admin in admin.site._registry.values():
        assert model_admin.actions_on_top or model_admin.actions_on_bottom


@pytest.mark.parametrize(
    ("seconds", "subdomains", "header"),
    [(0, True, None), (3600, False, "max-age=3600"), (31536000, True, "max-age=31536000; includeSubDomains")],
)
@pytest.mark.parametrize("path", ["/api/v1/enterprise-catalogs/", "/admin/login/", "/health/", "/nowhere"])
def test_https_is_asked_for_where_a_setting_says_so(settings, path, seconds, subdomains, header):  # SEC-3
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = seconds, subdomains
    by_tls = Client(headers={"X-Forwarded-Proto": "https"}).get(path)
    assert by_tls.headers.get("Strict-Transport-Security") == header
    assert "Strict-Transport-Security" not in Client().get(path).headers
