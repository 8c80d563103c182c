"""Tokens, keys and the throttle (DISC-1, DISC-16)."""

import stat

import jwt
import pytest
import requests

from enterprise_catalog.sandbox import Sandbox
from enterprise_catalog.sandbox.config import ServiceUser
from enterprise_catalog.sandbox.keys import SigningKey, load_or_create, user_claims
from enterprise_catalog.sandbox.tests.conftest import Client

PROTECTED = [
    ("POST", "/api/v1/search/all/"),
    ("POST", "/api/v2/search/all/"),
    ("GET", "/api/v1/courses/"),
    ("GET", "/api/v1/programs/"),
    ("GET", "/api/v1/course_review/"),
    ("GET", "/enterprise/api/v1/enterprise-customer/"),
]


def test_client_credentials_buy_a_token_that_opens_discovery(client, sandbox):  # DISC-1
    answer = client.token_request().json()
    assert (answer["token_type"], answer["expires_in"]) == ("JWT", 3600)
    headers = {"Authorization": f"JWT {answer['access_token']}"}
    assert requests.get(f"{sandbox.url}/api/v1/courses/", headers=headers, timeout=10).status_code == 200


def test_another_services_client_buys_a_token_with_its_roles():
    user = ServiceUser(client_id="other", client_secret="its-own", username="other_worker", roles=["some_role:*"])
    with Sandbox(courses=1, programs=0, service_users=[user]) as sandbox:
        answer = Client(sandbox).token_request(client_id="other", client_secret="its-own").json()
        claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
        assert (claims["preferred_username"], claims["roles"]) == ("other_worker", ["some_role:*"])
        assert Client(sandbox).token_request(client_id="other").status_code == 401


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"client_id": "wrong"}, {"client_secret": "ünïcode"}])
def test_wrong_credentials_buy_nothing(client, wrong):  # DISC-1
    answer = client.token_request(**wrong)
    assert answer.status_code == 401
    assert "access_token" not in answer.json()


def test_a_token_that_is_no_jwt_opens_nothing(client, sandbox):
    """DISC-1: `token_type=jwt` has to be asked for."""
    token = client.token_request(token_type="bearer").json()["access_token"]
    headers = {"Authorization": f"JWT {token}"}
    assert requests.get(f"{sandbox.url}/api/v1/courses/", headers=headers, timeout=10).status_code == 401


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_nothing_is_open_to_strangers(sandbox, method, path):
    expired = sandbox.token(lifetime=-10)
    claims = user_claims(username="me", issuer=sandbox.config.issuer, audience=sandbox.config.audience)
    foreign = SigningKey.generate().sign(claims)
    for headers in ({}, {"Authorization": f"JWT {expired}"}, {"Authorization": f"JWT {foreign}"}):
        answer = requests.request(method, sandbox.url + path, json={}, headers=headers, timeout=10)
        assert answer.status_code == 401


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_each_endpoint_has_one_method(client, sandbox, method, path):
    """DISC-2: search is asked by POST only."""
    other = "GET" if method == "POST" else "POST"
    assert client.session.request(other, sandbox.url + path, timeout=10).status_code == 405


def test_user_tokens_verify_with_the_published_key(client, sandbox):
    """AUTH-4: with the public half, as production does."""
    token = sandbox.token(username="admin", roles=["enterprise_catalog_admin:*"], administrator=True)
    published = client.get("/oauth2/jwks.json").json()
    assert published == sandbox.jwks()
    assert "d" not in published["keys"][0]
    key = jwt.PyJWK(published["keys"][0])
    claims = jwt.decode(token, key.key, algorithms=["RS512"], audience=sandbox.config.audience)
    assert claims["preferred_username"] == "admin"
    assert claims["roles"] == ["enterprise_catalog_admin:*"]
    assert (claims["version"], claims["administrator"]) == ("1.2.0", True)


def test_claims_can_be_replaced(sandbox):
    token = sandbox.token(username="admin", iss="https://elsewhere.example.com")
    assert jwt.decode(token, options={"verify_signature": False})["iss"] == "https://elsewhere.example.com"


def test_the_key_is_made_once_and_kept_private(tmp_path):
    first, second = load_or_create(tmp_path / "keys"), load_or_create(tmp_path / "keys")
    assert first.key_id == second.key_id
    assert stat.S_IMODE((tmp_path / "keys" / "signing-key.pem").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["jwks.json", "signing-key.pem"]


def test_two_processes_that_start_at_once_share_a_key(tmp_path, monkeypatch):
    """The one that links its file second keeps the first one's."""
    winner = SigningKey.generate()

    def lose(source, target):
        target.write_bytes(winner.private_pem())
        raise FileExistsError

    monkeypatch.setattr("enterprise_catalog.sandbox.keys.os.link", lose)
    assert load_or_create(tmp_path).key_id == winner.key_id


def test_discovery_throttles_when_told_to(client, sandbox):
    """DISC-16: the LMS does not."""
    sandbox.configure(requests_per_hour=2)
    answers = [client.get("/api/v1/courses/", params={"limit": 1}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert client.get("/enterprise/api/v1/enterprise-customer/").status_code == 200


def test_the_throttle_counts_each_user_alone(client, sandbox):  # DISC-16
    sandbox.configure(requests_per_hour=1)
    assert client.search({}).status_code == 200
    client.session.headers["Authorization"] = f"JWT {sandbox.token(username='another')}"
    assert client.search({}).status_code == 200


def test_a_kept_key_survives_a_restart(tmp_path):
    with Sandbox(courses=1, data_dir=tmp_path) as sandbox:
        first = sandbox.jwks()
    with Sandbox(courses=1, data_dir=tmp_path) as sandbox:
        assert sandbox.jwks() == first
