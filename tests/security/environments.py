"""Environments of processes for the three ways to configure the service."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm

ROOT = Path(__file__).resolve().parents[2]
ISSUER = "https://lms.campus.example/oauth2"
AUDIENCE = "campus-catalogs"
SETTINGS = ("local", "test", "production")
SECRET_KEY = "9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x-8ZbyJPmGVSNfKQYgGWcdjgUNqgZQXzP"

SIGNING_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWK_SET = json.dumps({"keys": [RSAAlgorithm.to_jwk(SIGNING_KEY.public_key(), as_dict=True) | {"kid": "lms"}]})


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    errors: str


def environment(settings: str, *, directory: Path) -> dict[str, str]:
    """Return all variables that a process needs, and no others."""
    variables = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": f"enterprise_catalog.settings.{settings}",
        "LOCAL_DATA_DIR": str(directory),
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "DISCOVERY_SERVICE_URL": "https://discovery.campus.example",
        "LMS_ROOT_URL": "https://lms.campus.example",
        "OAUTH2_PROVIDER_URL": ISSUER,
        "BACKEND_SERVICE_EDX_OAUTH2_KEY": "lqTJ2Zk8bEwQ4n",
        "BACKEND_SERVICE_EDX_OAUTH2_SECRET": "Ue8wXJp3vR6sYcA0",
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_PUBLIC_SIGNING_JWK_SET": JWK_SET,
    }
    if settings == "test":
        # Otherwise these settings make a key of their own.
        pem = SIGNING_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        variables["TEST_JWT_PRIVATE_KEY"] = pem.decode()
    if settings == "local":
        # As after `make run`: the key set comes from the sandbox's file.
        del variables["JWT_PUBLIC_SIGNING_JWK_SET"]
        (directory / "sandbox").mkdir(exist_ok=True)
        (directory / "sandbox" / "jwks.json").write_text(JWK_SET)
    return variables


def run(arguments: list[str], variables: dict[str, str], *, stdin: str = "") -> Outcome:
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=variables,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Outcome(finished.returncode, finished.stdout, finished.stderr)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 600,
        "preferred_username": "mallory",
        "roles": ["enterprise_openedx_operator:*"],
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(**changes: Any) -> str:
    return jwt.encode(claims(**changes), SIGNING_KEY, algorithm="RS512", headers={"kid": "lms"})
