"""Nobody is taken for somebody else, and being staff gives access to the admin only (AUTH-4, AUTH-5, PERM-17)."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.attacks.conftest import ACME_CATALOG, OPERATOR_ROLE, PASSWORD, SUPERUSER, Target
from tests.contract.session import Session
from tests.outcome_lines import Saw

pytestmark = [pytest.mark.attack, pytest.mark.local_run]

FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STAFF = "clerk"


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed_with_hmac(claims: dict[str, Any], secret: bytes) -> str:
    unsigned = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(algorithm.sign(unsigned.encode(), secret)).rstrip(b"=").decode()
    return f"{unsigned}.{signature}"


def forged_tokens(target: Target) -> dict[str, str]:
    good = target.token("mallory", OPERATOR_ROLE)
    claims = jwt.decode(good, options={"verify_signature": False})
    header, payload, signature = good.split(".")
    public_key = jwt.PyJWKSet.from_dict(target.sandbox.jwks()).keys[0]
    pem = public_key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    foreign = {"kid": public_key.key_id}
    return {
        "unsigned": f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "signed with the public key as a secret": signed_with_hmac(claims, pem),
        "signed with nothing": signed_with_hmac(claims, b""),
        "signed with another key": jwt.encode(claims, FOREIGN_KEY, algorithm="RS512", headers=foreign),
        "changed after it was signed": f"{header}.{part(claims | {'roles': [OPERATOR_ROLE, 'x']})}.{signature}",
        "expired": target.token("mallory", OPERATOR_ROLE, exp=int(time.time()) - 100),
        "for another audience": target.token("mallory", OPERATOR_ROLE, aud="elsewhere"),
        "of another issuer": target.token("mallory", OPERATOR_ROLE, iss="https://lms.elsewhere.example/oauth2"),
    }


def test_forged_tokens(target: Target, saw: Saw) -> None:
    """401 as header and as cookies (AUTH-4)."""
    forged = forged_tokens(target)
    opened = []
    for name, token in forged.items():
        payload, _, signature = token.rpartition(".")
        cookies = f"edx-jwt-cookie-header-payload={payload}; edx-jwt-cookie-signature={signature}"
        for headers in ({"Authorization": f"JWT {token}"}, {"Cookie": cookies}):
            if target.get(ACME_CATALOG, headers).status_code != 401:
                opened.append((name, *headers))
    assert opened == []
    saw(f"{2 * len(forged)} of {2 * len(forged)} refused")


def account(target: Target, name: str) -> tuple[Any, ...]:
    """The whole row."""
    return target.rows("SELECT * FROM core_user WHERE username = BINARY %s", name)[0]


@pytest.mark.parametrize(
    "name", [SUPERUSER, SUPERUSER.upper(), SUPERUSER.title(), "chiéf", f"{SUPERUSER} ", "\uff43hief"]
)
def test_a_token_that_is_named_as_the_local_superuser(target: Target, name: str, saw: Saw) -> None:
    """It opens nothing, and nothing of the account changes (AUTH-5)."""
    before = account(target, SUPERUSER)
    token = target.token(name, email="mallory@example.org")
    payload, _, signature = token.rpartition(".")
    cookies = f"edx-jwt-cookie-header-payload={payload}; edx-jwt-cookie-signature={signature}"
    statuses = set()
    for headers in ({"Authorization": f"JWT {token}"}, {"Cookie": cookies}):
        for path in ("/api/v1/enterprise-catalogs/", ACME_CATALOG, "/api/v1/catalog-queries/"):
            statuses.add(target.get(path, headers).status_code)
        assert target.get("/admin/", headers).url.endswith("/admin/login/?next=/admin/")
    assert statuses <= {401, 403}
    assert account(target, SUPERUSER) == before
    saw(f"{sorted(statuses)}, and the row is the same")


def test_staff_without_a_role(target: Target, saw: Saw) -> None:
    """The admin opens; the API, the legacy one included, does not (PERM-17)."""
    code = (
        "from django.contrib.auth import get_user_model as u;"
        f"u().objects.create_user('{STAFF}', password='{PASSWORD}', is_staff=True)"
    )
    target.manage("shell", "-c", code)
    before = target.operator.call("GET", ACME_CATALOG)
    clerk = target.signed_in(STAFF, PASSWORD)
    assert clerk.get(f"{target.service.url}/admin/", timeout=30).status_code == 200
    uuid = ACME_CATALOG.split("/")[-2]
    asked = [
        ("GET", ACME_CATALOG),
        ("PATCH", ACME_CATALOG),
        ("DELETE", ACME_CATALOG),
        ("POST", "/api/v1/enterprise-catalogs/"),
        ("POST", f"{ACME_CATALOG}refresh_metadata/"),
        ("GET", "/api/v1/catalog-queries/"),
        ("PATCH", f"/enterprise/api/v1/enterprise_customer_catalog/{uuid}/"),
        ("POST", "/enterprise/api/v1/enterprise_customer_catalog/"),
        ("GET", "/enterprise/api/v1/enterprise_catalog_query/"),
        ("GET", f"/enterprise/api/v1/enterprise_catalogs/{uuid}/"),
    ]
    body = {"title": "Mine", "enterprise_customer": "6f1d7a52-3c0b-4d52-9d0e-6f2f1c6b7a01"}
    statuses = {
        (method, path): clerk.request(method, target.service.url + path, json=body, timeout=30).status_code
        for method, path in asked
    }
    assert {status for status in statuses.values() if status not in (403, 404)} == set(), statuses
    assert target.operator.call("GET", ACME_CATALOG) == before
    saw(f"{len(asked)} of {len(asked)} refused")


def test_another_site_writes_with_somebodys_cookies(target: Target, saw: Saw) -> None:
    """Cookies alone write nothing (AUTH-8)."""
    before = target.operator.call("GET", ACME_CATALOG)
    token = target.token("acme-admin", OPERATOR_ROLE)
    payload, _, signature = token.rpartition(".")
    cookies = f"edx-jwt-cookie-header-payload={payload}; edx-jwt-cookie-signature={signature}"
    answer = requests.patch(
        target.service.url + ACME_CATALOG,
        json={"title": "Forged"},
        headers={"Cookie": cookies, "X-Forwarded-Proto": "https", "Origin": "https://evil.example"},
        timeout=30,
    )
    assert answer.status_code == 403
    assert target.operator.call("GET", ACME_CATALOG) == before
    saw("403")


def test_an_operator_is_known_as_one(target: Target) -> None:
    """The other side of all refusals: a good token opens."""
    assert Session(target.service.url, target.token("good", OPERATOR_ROLE)).ask("GET", ACME_CATALOG).status_code == 200
