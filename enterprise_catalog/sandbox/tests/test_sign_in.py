"""The page where people sign in, and what a code buys: as strict as the LMS."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from enterprise_catalog.sandbox import Sandbox
from enterprise_catalog.sandbox.sign_in import CODE_SECONDS, SHARED_SECRET, leads_to

BACK = "http://service.example/complete/edx-oauth2/"


@pytest.fixture(autouse=True)
def registered(sandbox: Sandbox) -> None:
    sandbox.configure(redirect_uris=[BACK])


def visit(sandbox: Sandbox, method: str = "POST", *, form: dict[str, str] | None = None, **asked: str) -> Any:
    usual = {
        "response_type": "code",
        "client_id": sandbox.config.sign_in_client_id,
        "redirect_uri": BACK,
        "scope": "user_id profile email",
        "state": "s t",
    }
    page = f"{sandbox.url}/oauth2/authorize"
    form = {"username": "olga"} if form is None else form
    return requests.request(
        method, page, params=usual | asked, data=form, headers={}, allow_redirects=False, timeout=10
    )


def brought_back(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def buy(sandbox: Sandbox, code: str, /, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": sandbox.config.sign_in_client_id,
        "client_secret": sandbox.config.sign_in_client_secret,
        "token_type": "jwt",
        "asymmetric_jwt": "true",
    }
    return requests.post(f"{sandbox.url}/oauth2/access_token", data=form | changes, timeout=10)


def claims_of(sandbox: Sandbox, token: str) -> dict[str, Any]:
    return sandbox.world.key.verify(token, issuer=sandbox.config.issuer, audience=sandbox.config.audience)


def test_a_code_buys_a_token_of_who_signed_in(sandbox):
    back = brought_back(visit(sandbox))
    assert back["state"] == "s t"
    claims = claims_of(sandbox, buy(sandbox, back["code"]).json()["access_token"])
    assert (claims["preferred_username"], claims["email"]) == ("olga", "olga@example.org")
    assert (claims["administrator"], claims["superuser"]) == (False, False)


def test_the_page_shows_a_form_that_keeps_what_was_asked(sandbox):
    answer = visit(sandbox, "GET", form={}, state='"><script>')
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert 'value="&quot;&gt;&lt;script&gt;"' in answer.text


def test_a_token_says_what_was_asked_for(sandbox):
    claims = claims_of(
        sandbox, buy(sandbox, brought_back(visit(sandbox, scope="user_id"))["code"]).json()["access_token"]
    )
    assert "user_id" in claims
    assert not {"email", "name", "administrator", "superuser"} & claims.keys()


@pytest.mark.parametrize(
    "wrong", [{"client_id": "else"}, {"redirect_uri": "http://evil.example/"}, {"redirect_uri": ""}]
)
def test_a_stranger_is_sent_nowhere(sandbox, wrong):
    answer = visit(sandbox, **wrong)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "form", "error"),
    [
        ({"response_type": "token"}, None, "unsupported_response_type"),
        ({"scope": "everything"}, None, "invalid_scope"),
        ({"scope": ""}, None, "invalid_scope"),
        ({}, {"cancel": "1"}, "access_denied"),
    ],
)
def test_what_went_wrong_is_brought_back(sandbox, asked, form, error):
    assert brought_back(visit(sandbox, form=form, **asked)) == {"error": error, "state": "s t"}


def test_a_code_buys_once(sandbox):
    code = brought_back(visit(sandbox))["code"]
    assert buy(sandbox, code).status_code == 200
    assert (buy(sandbox, code).status_code, buy(sandbox, code).json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize("wrong", [{"redirect_uri": f"{BACK}?x=1"}, {"code": "elephant"}])
def test_a_code_buys_nothing_otherwise(sandbox, wrong):
    assert buy(sandbox, brought_back(visit(sandbox))["code"], **wrong).json() == {"error": "invalid_grant"}


def test_a_code_does_not_last(sandbox, monkeypatch):
    monkeypatch.setattr("enterprise_catalog.sandbox.sign_in.CODE_SECONDS", -CODE_SECONDS)
    assert buy(sandbox, brought_back(visit(sandbox))["code"]).status_code == 400


def test_the_client_has_a_secret_of_its_own(sandbox):
    """Neither none, nor that of the service when it asks for itself."""
    code = brought_back(visit(sandbox))["code"]
    config = sandbox.config
    for wrong in ({"client_secret": ""}, {"client_id": config.client_id, "client_secret": config.client_secret}):
        assert buy(sandbox, code, **wrong).status_code == 401
    assert buy(sandbox, code).status_code == 200


def test_the_key_is_asked_for(sandbox):
    """Unasked, the LMS signs with a secret that it shares with old services."""
    token = buy(sandbox, brought_back(visit(sandbox))["code"], asymmetric_jwt="").json()["access_token"]
    assert jwt.decode(token, SHARED_SECRET, ["HS256"], audience=sandbox.config.audience)["preferred_username"] == "olga"


def test_a_token_that_is_no_jwt_names_nobody(sandbox):
    assert buy(sandbox, brought_back(visit(sandbox))["code"], token_type="").json()["access_token"] == "opaque"


def test_a_page_elsewhere_cannot_have_its_name_point_here(sandbox):
    answer = requests.get(f"{sandbox.url}/oauth2/authorize", headers={"Host": "evil.example"}, timeout=10)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("registered", "given", "same"),
    [
        (BACK, BACK, True),
        (BACK, f"{BACK}?redirect_state=x", True),
        (f"{BACK}?a=1", BACK, False),
        (BACK, f"{BACK}more", False),
        (BACK, f"{BACK}#x", False),
        (BACK, BACK.replace("http:", "https:"), False),
        (BACK, BACK.replace("service.example", "service.example:8000"), False),
    ],
)
def test_redirect_uris_are_compared_as_the_lms_does(registered, given, same):
    assert leads_to(registered, given) is same
