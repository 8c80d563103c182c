"""Only reads of the API with a token skip the session and what belongs to it (AUTH-1)."""

import pytest
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpResponse
from django.test import RequestFactory

from enterprise_catalog.apps.core.middleware import browser_only

CATALOGS = "/api/v1/enterprise-catalogs/"


def passed_through(middleware, request):
    """Return the request as the view would get it."""
    seen = []

    def view(request):
        seen.append((hasattr(request, "session"), hasattr(request, "user"), hasattr(request, "_messages")))
        raise LookupError

    chain = view
    for layer in reversed(middleware):
        chain = layer(chain)
    with pytest.raises(LookupError):
        chain(request)
    return seen[0]


LAYERS = [
    browser_only.SessionMiddleware,
    browser_only.AuthenticationMiddleware,
    browser_only.MessageMiddleware,
    browser_only.HistoryMiddleware,
]


def test_a_read_with_a_token_skips_all_four_in_one_step():
    view = chain = convert_exception_to_response(lambda request: HttpResponse())
    for layer in reversed(LAYERS):
        chain = convert_exception_to_response(layer(chain))
    assert chain.__wrapped__.beyond is view


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("path", [CATALOGS, "/api/v2/enterprise-catalogs/", "/enterprise/api/v1/enterprise_catalogs/"])
def test_a_read_with_a_token_has_no_session(method, path):
    request = getattr(RequestFactory(), method)(path, headers={"Authorization": "JWT x"})
    assert passed_through(LAYERS, request) == (False, False, False)


@pytest.mark.parametrize(
    ("method", "path", "cookies"),
    [
        ("post", CATALOGS, {}),
        ("delete", CATALOGS, {}),
        ("get", "/admin/", {}),
        ("get", "/api/docs/", {}),
        ("get", CATALOGS, {settings.SESSION_COOKIE_NAME: "s"}),
    ],
)
def test_other_requests_have_a_session(method, path, cookies):
    factory = RequestFactory()
    factory.cookies.load(cookies)
    assert passed_through(LAYERS, getattr(factory, method)(path)) == (True, True, True)
