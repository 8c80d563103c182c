"""No header changes the path prefix or the scheme, not even if the web server believes it (COM-16)."""

import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from enterprise_catalog.apps.core.middleware.script_name import at_the_root

pytestmark = pytest.mark.django_db

HEADERS = {
    "HTTP_SCRIPT_NAME": "/evil",
    "HTTP_SCRIPT_URL": "/evil/",
    "HTTP_X_SCRIPT_NAME": "/evil",
    "HTTP_X_FORWARDED_PREFIX": "/evil",
    "HTTP_X_FORWARDED_SSL": "on",
    "HTTP_X_FORWARDED_PROTOCOL": "ssl",
    "HTTP_X_FORWARDED_SCHEME": "https",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PORT": "444",
    "HTTP_X_ORIGINAL_URL": "/evil/",
    "HTTP_X_REWRITE_URL": "/evil/",
    "HTTP_FRONT_END_HTTPS": "on",
    "HTTP_FORWARDED": "proto=https;host=evil.example",
}
# What a web server may set because of such headers, or of a rewrite rule.
BY_SERVER = {
    "SCRIPT_NAME": {"SCRIPT_NAME": "/admin", "PATH_INFO": "/"},
    "SCRIPT_URL": {"SCRIPT_URL": "/evil/admin/"},
    "REDIRECT_URL": {"REDIRECT_URL": "/evil/admin/"},
    "wsgi.url_scheme": {"wsgi.url_scheme": "https"},
    "header": HEADERS,
}


def answer(path: str, **environ: Any) -> tuple[str, dict[str, str], bytes]:
    given: dict[str, Any] = {}

    def start(status, headers, exc_info=None):
        given.update(status=status, headers=dict(headers))

    asked = RequestFactory().get(path).environ | {"HTTP_HOST": "testserver"} | environ
    body = b"".join(at_the_root(WSGIHandler())(asked, start))
    return given["status"], given["headers"], body


@pytest.mark.parametrize("environ", BY_SERVER.values(), ids=BY_SERVER)
def test_redirects_have_no_prefix(environ):  # COM-16
    status, headers, _ = answer("/admin/", **environ)
    assert (status, headers["Location"]) == ("302 Found", "/admin/login/?next=/admin/")


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_changes_a_link(name):  # COM-10, COM-16
    status, _, body = answer("/", **{name: HEADERS[name]})
    assert (status, json.loads(body)["admin"]) == ("200 OK", "http://testserver/admin/")


def test_only_the_named_header_says_https(settings):  # COM-10, COM-16
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    _, _, body = answer("/", **HEADERS)
    assert json.loads(body)["admin"] == "http://testserver/admin/"
    _, _, body = answer("/", HTTP_X_FORWARDED_PROTO="https")
    assert json.loads(body)["admin"] == "https://testserver/admin/"
