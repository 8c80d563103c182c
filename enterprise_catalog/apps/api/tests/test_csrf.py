"""The CSRF token for frontends (AUTH-10)."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.callers import token_for

pytestmark = pytest.mark.django_db

TOKEN = "/csrf/api/v1/token"
PORTAL = "https://portal.example.org"


@pytest.fixture(autouse=True)
def portal(settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]


def client_of(who: str) -> Client:
    client = Client()
    match who:
        case "an expired token":
            client.defaults["HTTP_AUTHORIZATION"] = f"JWT {token_for('ann', exp=1)}"
        case "broken cookies":
            for name in ("edx-jwt-cookie-header-payload", "edx-jwt-cookie-signature"):
                client.cookies[name] = "x"
        case "a deactivated session":
            client.force_login(User.objects.create(username="sam"))
            User.objects.update(is_active=False)
    return client


@pytest.mark.parametrize("path", [TOKEN, f"{TOKEN}/"])
@pytest.mark.parametrize("who", ["nobody", "an expired token", "broken cookies", "a deactivated session"])
def test_everybody_gets_a_token(path, who, django_assert_num_queries):  # AUTH-10, PERM-18
    client = client_of(who)
    with django_assert_num_queries(0):
        response: Any = client.get(path, headers={"Origin": PORTAL})
    assert response.status_code == 200
    assert response.json().keys() == {"csrfToken"}
    assert "csrftoken" in response.cookies
    assert response["Access-Control-Allow-Origin"] == PORTAL
    assert response["Access-Control-Allow-Credentials"] == "true"


def test_nobody_keeps_the_answer():  # AUTH-10, COM-18
    response: HttpResponse = Client().get(TOKEN, headers={"Origin": PORTAL})
    assert response["Cache-Control"] == "private, no-store"
    assert {"Authorization", "Cookie", "origin"} <= set(response["Vary"].split(", "))


def test_a_second_token_belongs_to_the_same_cookie():  # AUTH-10
    """A frontend that is open in two windows writes in both."""
    client = Client()
    cookies = [client.get(TOKEN).cookies["csrftoken"].value for _ in range(2)]
    assert cookies[0] == cookies[1]


@pytest.mark.parametrize("path", ["/csrf/", "/csrf/api/v1/", "/csrf/api/v1/token.json", "/csrf/api/v1/token/x"])
def test_nothing_else_is_there(path):  # COM-2
    assert Client().get(path).status_code == 404


def test_it_is_documented():  # SURF-4
    operation = Client().get("/api/schema").json()["paths"]["/csrf/api/v1/token/"]["get"]
    assert (operation["tags"], operation.get("security")) == (["service"], None)
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["required"] == ["csrfToken"]
