"""Tokens and callers for tests: signed with the test settings' real key, verified like any other."""

import time
from functools import cache
from typing import Any, cast
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from rest_framework.test import APIClient

E = UUID("6ae013d4-c5c4-474d-8da9-0e559b2448e2")
OTHER = UUID("11111111-2222-4333-8444-555555555555")


def claims_for(username: str, *roles: str, **changes: Any) -> dict[str, Any]:
    """The claims of a good token; a change to None leaves that claim out."""
    now = int(time.time())
    claims = {
        "iss": settings.JWT_AUTH["JWT_ISSUER"],
        "aud": settings.JWT_AUTH["JWT_AUDIENCE"],
        "exp": now + 300,
        "iat": now,
        "sub": "1",
        "version": "1.2.0",
        "preferred_username": username,
        "email": f"{username}@example.org",
        "administrator": False,
        "roles": list(roles),
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def token_for(username: str, *roles: str, **changes: Any) -> str:
    return jwt.encode(claims_for(username, *roles, **changes), signing_key(), algorithm="RS512")


@cache
def signing_key() -> RSAPrivateKey:
    """Read once: reading a private key checks it, which costs more than most tests."""
    return cast(RSAPrivateKey, load_pem_private_key(settings.TEST_JWT_PRIVATE_KEY.encode(), password=None))


def client_for(username: str, *roles: str, **changes: Any) -> APIClient:
    """A caller with a token in the header."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token_for(username, *roles, **changes)}")
    return client


def cookies_of(client: APIClient, token: str) -> APIClient:
    """Put a token into the two cookies of today's frontends."""
    payload, _, signature = token.rpartition(".")
    client.cookies["edx-jwt-cookie-header-payload"] = payload
    client.cookies["edx-jwt-cookie-signature"] = signature
    return client


def operator() -> APIClient:
    return client_for("olivia", "enterprise_openedx_operator:*")


def admin(customer: UUID = E) -> APIClient:
    return client_for("adam", f"enterprise_admin:{customer}")


def learner(customer: UUID = E) -> APIClient:
    return client_for("lena", f"enterprise_learner:{customer}")
