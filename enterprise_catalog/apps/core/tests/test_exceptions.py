"""API callers get JSON without internals for every error (ERR-1, ERR-7, ERR-8)."""

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from enterprise_catalog.apps.api.v1.catalogs import CatalogsView
from enterprise_catalog.testing.callers import client_for

pytestmark = pytest.mark.django_db

LIST = "/api/v1/enterprise-catalogs/"


@pytest.fixture
def failing(monkeypatch):
    """A client whose list of catalogs fails with a chosen error."""

    def with_error(error):
        def get(self, request, **_):
            raise error

        monkeypatch.setattr(CatalogsView, "get", get)
        client = client_for("alice")
        client.raise_request_exception = False
        return client.get(LIST)

    return with_error


@pytest.mark.parametrize("error", [OperationalError(2006, "SELECT secret"), InterfaceError("gone")])
def test_an_unavailable_database_answers_503_with_retry_after(failing, error):  # ERR-7
    response = failing(error)
    assert response.status_code == 503
    assert response.json() == {"detail": "Service temporarily unavailable, try again later."}
    assert int(response["Retry-After"]) > 0


def test_a_bug_shows_no_internals(failing):  # ERR-8
    response = failing(RuntimeError("SELECT secret"))
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal server error."}


@pytest.mark.parametrize(("error", "status"), [(RequestDataTooBig(), 413), (SuspiciousOperation("x"), 400)])
def test_suspicious_requests_are_the_callers_fault(failing, error, status):  # ERR-1
    assert failing(error).status_code == status


def test_an_unavailable_database_during_authentication_is_not_a_401(monkeypatch):  # ERR-7
    def away(*args, **kwargs):
        raise OperationalError(2003, "Can't connect")

    client = client_for("alice")
    monkeypatch.setattr(connection, "cursor", away)
    assert client.get(LIST).status_code == 503


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v9/", "/enterprise/api/v1/nothing", "/nowhere"])
def test_unmatched_paths_are_json_without_authentication(path):  # COM-3
    response = Client().get(path)
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_the_admin_keeps_its_pages():
    assert Client().get("/admin/nothing/")["Content-Type"].startswith("text/html")


def test_a_foreign_host_is_a_bad_request():  # ERR-1
    response = Client(headers={"Host": "evil.example.org"}).get(LIST)
    assert (response.status_code, response.json()) == (400, {"detail": "Bad request."})
