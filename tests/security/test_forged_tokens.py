"""
Forged tokens get no access under any settings module (AUTH-3, AUTH-4).

A token counts only if our keys signed it, our issuer made it, and it is for us.
"""

import base64
import json
import shutil
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.security.environments import AUDIENCE, ISSUER, SETTINGS, SIGNING_KEY, claims, environment, run, token

FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = SIGNING_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def hmac_with(secret: bytes, **header: Any) -> str:
    """Return an HS256 token signed with a public key, which the library refuses to do."""
    unsigned = f"{part({'alg': 'HS256', 'typ': 'JWT'} | header)}.{part(claims())}"
    digest = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(unsigned.encode(), secret)
    return f"{unsigned}.{part(digest)}"


def signed(payload: Any) -> str:
    """Return a token that our key signed, with any content; the library refuses odd ones."""
    unsigned = f"{part({'alg': 'RS512', 'typ': 'JWT'})}.{part(payload)}"
    signature = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA512).sign(unsigned.encode(), SIGNING_KEY)
    return f"{unsigned}.{part(signature)}"


def tampered() -> str:
    head, _, signature = token(roles=[]).split(".")
    return f"{head}.{part(claims())}.{signature}"


def renamed_algorithm(name: Any) -> str:
    """Return a good token with another algorithm in its header."""
    _, payload, signature = token().split(".")
    return f"{part({'alg': name, 'typ': 'JWT'})}.{payload}.{signature}"


FAR_FUTURE = 4102444800
NO_MOMENTS = {
    "null": None,
    "empty": "",
    "a word": "tomorrow",
    "digits": str(FAR_FUTURE),
    "a list": [FAR_FUTURE],
    "an object": {"at": FAR_FUTURE},
    "infinite": float("inf"),
    "not a number": float("nan"),
}
NO_TEXTS = {"null": None, "empty": "", "a number": 7, "a list": [7], "an object": {"is": "x"}, "true": True}
# Signed by our key, but with claims that are not what RFC 7519 wants them to be.
ODD_CLAIMS = {
    f"{claim} is {what}": signed(claims() | {claim: value})
    for names, values in ((("exp", "iat", "nbf"), NO_MOMENTS), (("iss", "aud", "preferred_username"), NO_TEXTS))
    for claim in names
    for what, value in values.items()
}

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
    "algorithm in other letters": renamed_algorithm("rs512"),
    "several algorithms": renamed_algorithm(["RS512"]),
    "another algorithm than it was signed with": renamed_algorithm("RS256"),
    "no algorithm": renamed_algorithm(None),
    "key id that is an empty file": hmac_with(b"", kid="/dev/null"),
    "key id that is no text": f"{part({'alg': 'RS512', 'kid': {}})}.{part(claims())}.{'a' * 342}",
    "key to be fetched": jwt.encode(
        claims(),
        FOREIGN_KEY,
        algorithm="RS512",
        headers={"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1"},
    ),
    "detached payload": f"{part({'alg': 'RS512', 'b64': False, 'crit': ['b64']})}..{'a' * 342}",
    "encrypted": ".".join([part({"alg": "RSA-OAEP", "enc": "A256GCM"}), "a", "a", "a", "a"]),
    "no signature": token().rpartition(".")[0] + ".",
    "public key as a shared secret": hmac_with(PUBLIC_PEM),
    "Django's secret": hmac_with(b"9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x"),
    "empty secret": hmac_with(b""),
    "other RSA signature": jwt.encode(claims(), SIGNING_KEY, algorithm="PS512"),
    "changed claims": tampered(),
    "expired": token(exp=1),
    "not yet valid": token(nbf=FAR_FUTURE),
    "not yet issued": token(iat=FAR_FUTURE),
    "wrong issuer": token(iss="https://lms.elsewhere.example/oauth2"),
    "issuer among others": signed(claims() | {"iss": [ISSUER, "https://lms.elsewhere.example/oauth2"]}),
    "issuer with a slash more": token(iss=f"{ISSUER}/"),
    "wrong audience": token(aud="elsewhere"),
    "wrong audiences": token(aud=["elsewhere", AUDIENCE.upper()]),
    "audiences that are no texts": token(aud=[AUDIENCE, 7]),
    "audience that is an object": token(aud={AUDIENCE: True}),
    **ODD_CLAIMS,
    "no expiry": token(exp=None),
    "no issue date": token(iat=None),
    "no issuer": token(iss=None),
    "no audience": token(aud=None),
    "no username": token(preferred_username=None),
    "no claims": signed({}),
    "claims that are a list": signed([claims()]),
    "claims nested beyond reading": signed(b'{"roles": ' + b"[" * 3000 + b"]" * 3000 + b"}"),
    "claims that are no JSON": signed(b"{"),
    "claims that are no Unicode": signed(b'{"iss": "\xff"}'),
    "username too long": token(preferred_username="m" * 151),
    "username with NUL": token(preferred_username="mal\0lory"),
    "username with half a character": token(preferred_username="mal\ud800lory"),
    "username with a line break": token(preferred_username="mal\nlory"),
    "subject that is no text": signed(claims() | {"sub": 7}),
    "garbage": "garbage",
    "dots": "..",
    "nothing": "",
    "three words": "a b c",
    "not base64": "é.é.é",
    "payload that is no object": f"{part({'alg': 'RS512'})}.{part([1])}.{'a' * 342}",
    "header nested beyond reading": f"{part(b'[' * 5000)}.{part(claims())}.aaaa",
    "oversized": token(padding="x" * 200_000) + "x",
}
GOOD = {
    "plain": token(),
    "with the other signature": jwt.encode(claims(), SIGNING_KEY, algorithm="RS256"),
    "for several audiences": token(aud=["elsewhere", AUDIENCE]),
    "without a key's id": signed(claims()),
    "with the id of an unknown key": jwt.encode(claims(), SIGNING_KEY, algorithm="RS512", headers={"kid": "old"}),
    "from a clock that is a little ahead": token(iat=int(time.time()) + 20),
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
    tokens = json.dumps(GOOD | FORGED)
    outcome = run(["-m", "tests.security.probe"], environment(request.param, directory=directory), stdin=tokens)
    assert outcome.code == 0, outcome.errors
    return json.loads(outcome.output)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_token_opens(answers, name):  # AUTH-3, AUTH-4
    assert answers[name] == [[200, None], [200, None]]


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_token_is_refused(answers, forgery):  # AUTH-3, AUTH-4
    for status, detail in answers[forgery]:
        assert status == 401
        assert isinstance(detail, str)
