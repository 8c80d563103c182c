"""
The order of checks: which of several errors of a request the caller is told (AUTH-9).

The permission table covers objects.
"""

import pytest
from rest_framework.test import APIClient

from enterprise_catalog.testing.callers import client_for, operator
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("query", "accept"), [("?format=csv", "*/*"), ("", "text/csv")])
def test_authentication_comes_before_the_format(query, accept):  # AUTH-9
    assert APIClient().get(f"{CATALOGS}{query}", headers={"Accept": accept}).status_code == 401


@pytest.mark.parametrize(("query", "accept", "status"), [("?format=csv", "*/*", 404), ("", "text/csv", 406)])
@pytest.mark.parametrize("path", [CATALOGS, f"{CATALOGS}not-a-uuid/"])
def test_the_format_comes_before_the_method_and_the_object(path, query, accept, status):  # AUTH-9
    headers = {"Accept": accept}
    assert client_for("nobody").post(f"{path}contains_content_items/{query}", headers=headers).status_code == status
    assert client_for("nobody").trace(f"{path}{query}", headers=headers).status_code == status


def test_a_preflight_is_answered_before_authentication(settings):  # AUTH-9
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example.org"]
    headers = {"Origin": "https://portal.example.org", "Access-Control-Request-Method": "GET"}
    response = APIClient().options(CATALOGS, headers=headers)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, "https://portal.example.org")
    assert "use-jwt-cookie" in response["Access-Control-Allow-Headers"]  # AUTH-1


def test_a_preflight_from_elsewhere_is_allowed_nothing(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example.org"]
    headers = {"Origin": "https://evil.example.org", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in APIClient().options(CATALOGS, headers=headers).headers


@pytest.mark.parametrize("action", ["", "contains_content_items/", "get_content_metadata/", "generate_diff/"])
def test_body_and_parameters_come_after_permissions(action, settings):  # AUTH-9
    path, nobody = path_of(make_catalog(), action), client_for("nobody")
    method = "put" if action == "" else "post"
    assert getattr(nobody, method)(path, b"{", content_type="application/json").status_code == 403
    assert getattr(nobody, method)(path, b"x", content_type="x/y").status_code == 403
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1
    assert getattr(nobody, method)(path, {"content_keys": []}).status_code == 403
    assert getattr(operator(), method)(path, b"xx", content_type="x/y").status_code == 413
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert getattr(operator(), method)(path, b"x", content_type="x/y").status_code == 415


def test_parameters_of_a_get_come_after_permissions():  # AUTH-9
    path = path_of(make_catalog(), "contains_content_items/?match=some")
    assert client_for("nobody").get(path).status_code == 403
    assert operator().get(path).status_code == 400
