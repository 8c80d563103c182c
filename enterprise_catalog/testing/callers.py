"""Create tokens and callers for tests; tokens are signed by the test settings' key and verified like any other."""

import time
from functools import cache
from typing import Any, cast
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from rest_framework.test import APIClient

from enterprise_catalog.apps.access.roles import Contexts, Grants, Roles
from enterprise_catalog.apps.services.catalogs import CatalogValues

CUSTOMER_UUID = UUID("6ae013d4-c5c4-474d-8da9-0e559b2448e2")
OTHER_CUSTOMER_UUID = UUID("11111111-2222-4333-8444-555555555555")


def claims_for(username: str, *roles: str, **changes: Any) -> dict[str, Any]:
    """Return the claims of a valid token with changes; None removes a claim."""
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
    """Return the private key, loaded once, because loading checks it and takes longer than most tests."""
    return cast(RSAPrivateKey, load_pem_private_key(settings.TEST_JWT_PRIVATE_KEY.encode(), password=None))


def client_for(username: str, *roles: str, **changes: Any) -> APIClient:
    """Return a client that sends a token in the header."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token_for(username, *roles, **changes)}")
    return client


def cookies_of(client: APIClient, token: str) -> APIClient:
    """Put a token into the two cookies that frontends use, and return the client."""
    payload, _, signature = token.rpartition(".")
    client.cookies["edx-jwt-cookie-header-payload"] = payload
    client.cookies["edx-jwt-cookie-signature"] = signature
    return client


def operator() -> APIClient:
    """Return a client of an operator, who may do everything."""
    return client_for("olivia", "enterprise_openedx_operator:*")


def admin(customer: UUID = CUSTOMER_UUID) -> APIClient:
    """Return a client of a customer's administrator."""
    return client_for("adam", f"enterprise_admin:{customer}")


def learner(customer: UUID = CUSTOMER_UUID) -> APIClient:
    """Return a client of a customer's learner."""
    return client_for("lena", f"enterprise_learner:{customer}")


ACME = uuid4()
GLOBEX = uuid4()


def admin_of(*customers: UUID) -> Grants:
    """Return the grants of an administrator of these customers."""
    return Grants(roles=Roles(admin=Contexts(customers=frozenset(customers))))


ACME_ADMIN = admin_of(ACME)
GLOBEX_ADMIN = admin_of(GLOBEX)
OPERATOR = Grants(roles=Roles(admin=Contexts(everywhere=True)))
PROVISIONER = Grants(roles=Roles(provisioning=True))

COURSES = {"content_type": "course"}
PROGRAMS = {"content_type": "program"}


def complete_values(enterprise_uuid: UUID = ACME, **changes) -> CatalogValues:
    """Return the values of a complete catalog, with changes."""
    values: dict[str, Any] = {
        "title": "All content",
        "enterprise_uuid": enterprise_uuid,
        "enterprise_name": "Acme, Inc.",
        "enabled_course_modes": ["verified"],
        "publish_audit_enrollment_urls": False,
        "content_filter": COURSES,
    }
    return cast(CatalogValues, values | changes)
