"""
AUTH-3, AUTH-4: under every settings module a token that our keys did not sign, for us, by our issuer, opens nothing.
"""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.security.environments import SETTINGS, SIGNING_KEY, claims, environment, run, token

FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = SIGNING_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def hmac_with(secret: bytes) -> str:
    """An HS256 token; the library refuses to sign with a public key, an attacker does not."""
    unsigned = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    digest = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(unsigned.encode(), secret)
    return f"{unsigned}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def tampered() -> str:
    head, _, signature = token(roles=[]).split(".")
    return f"{head}.{part(claims())}.{signature}"


FORGED = {
    "foreign key": jwt.encode(claims(), FOREIGN_KEY, algorithm="RS512"),
    "foreign key with our key's id": jwt.encode(claims(), FOREIGN_KEY, algorithm="RS512", headers={"kid": "lms"}),
    "foreign key brought along": jwt.encode(
        claims(),
        FOREIGN_KEY,
        algorithm="RS512",
        headers={"jwk": jwt.algorithms.RSAAlgorithm.to_jwk(FOREIGN_KEY.public_key(), as_dict=True)},
    ),
    "another kind of key": jwt.encode(claims(), EC_KEY, algorithm="ES256"),
    "unsigned": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims())}.",
    "unsigned, spelt otherwise": f"{part({'alg': 'nOnE', 'typ': 'JWT'})}.{part(claims())}.",
    "no signature": token().rpartition(".")[0] + ".",
    "public key as a shared secret": hmac_with(PUBLIC_PEM),
    "Django's secret": hmac_with(b"9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x"),
    "empty secret": hmac_with(b""),
    "other RSA signature": jwt.encode(claims(), SIGNING_KEY, algorithm="PS512"),
    "changed claims": tampered(),
    "expired": token(exp=1),
    "not yet valid": token(nbf=4102444800),
    "wrong issuer": token(iss="https://lms.elsewhere.example/oauth2"),
    "wrong audience": token(aud="elsewhere"),
    "no expiry": token(exp=None),
    "no issue date": token(iat=None),
    "no issuer": token(iss=None),
    "no audience": token(aud=None),
    "no username": token(preferred_username=None),
    "expiry that is no number": token(exp="tomorrow"),
    "garbage": "garbage",
    "dots": "..",
    "nothing": "",
    "three words": "a b c",
    "not base64": "é.é.é",
    "payload that is no object": f"{part({'alg': 'RS512'})}.{part([1])}.{'a' * 342}",
    "header nested beyond reading": f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.{part(claims())}.aaaa",
    "oversized": token(padding="x" * 200_000) + "x",
}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("database")
    outcome = run(["manage.py", "migrate", "--verbosity", "0"], environment("production", directory=directory))
    assert outcome.code == 0, outcome.errors
    return directory / "db.sqlite3"


@pytest.fixture(scope="module", params=SETTINGS)
def answers(request: pytest.FixtureRequest, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    directory = tmp_path_factory.mktemp(request.param)
    shutil.copy(migrated, directory / "db.sqlite3")
    tokens = json.dumps({"valid": token(), **FORGED})
    outcome = run(["-m", "tests.security.probe"], environment(request.param, directory=directory), stdin=tokens)
    assert outcome.code == 0, outcome.errors
    return json.loads(outcome.output)


def test_a_valid_token_opens(answers):
    assert answers["valid"] == [[200, None], [200, None]]


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_token_is_refused(answers, forgery):
    for status, detail in answers[forgery]:
        assert status == 401
        assert isinstance(detail, str)
