"""
Verify a JWT and return its claims (AUTH-3, AUTH-4).

The token library's own decoder verifies nothing with an empty key set, and parses every key again for each request.
This module accepts only asymmetric signatures, fails if there are no keys, and caches them. It never returns the claims
of a token whose signature it did not verify.
"""

import time
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

ALGORITHMS = ["RS256", "RS512"]
# How far ahead the issuer's clock may be. The token library would allow the same for `exp`.
MAX_CLOCK_LEAD_SECONDS = 60


class UnusableKeySet(ValueError):
    """A key set without a usable key; the message says why."""


@lru_cache(maxsize=8)
def signing_keys(jwk_set: str) -> tuple[RSAPublicKey, ...]:
    """
    Return the RSA keys of a JWK set in JSON. Raises UnusableKeySet.

    Secrets are refused and not skipped, since the set is meant to be public. Readers of a symmetric key could sign
    tokens, and a private key has leaked.
    """
    try:
        parsed = jwt.PyJWKSet.from_json(jwk_set)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
        raise UnusableKeySet(f"it is not a JWK set ({error})") from error
    for key in parsed.keys:
        if key.key_type == "oct":
            raise UnusableKeySet("it holds a symmetric key")
        if hasattr(key.key, "private_numbers"):
            raise UnusableKeySet("it holds a private key")
    keys = tuple(key.key for key in parsed.keys if isinstance(key.key, RSAPublicKey))
    if not keys:
        raise UnusableKeySet("it holds no RSA key")
    return keys


def verified_payload(token: str) -> dict[str, Any]:
    """
    Return the claims of a valid token with our audience and issuer, signed by one of our keys.

    Raises `jwt.InvalidTokenError` otherwise.
    """
    failure: jwt.InvalidTokenError = jwt.InvalidSignatureError("No key")
    for key in signing_keys(settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"]):
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=settings.JWT_AUTH["JWT_AUDIENCE"],
                issuer=settings.JWT_AUTH["JWT_ISSUER"],
                options={"require": ["exp", "iat", "aud", "iss"], "verify_iat": False},
            )
        except jwt.InvalidSignatureError as error:
            failure = error
        else:
            check_times(claims)
            return claims
    raise failure


def check_times(claims: dict[str, Any]) -> None:
    """Check what the token library does not: times are numbers, and the token is not issued in the future."""
    if not all(isinstance(claims[name], int | float) for name in ("exp", "iat")):
        raise jwt.InvalidTokenError("exp and iat must be numbers.")
    if not claims["iat"] <= time.time() + MAX_CLOCK_LEAD_SECONDS:
        raise jwt.ImmatureSignatureError("The token is not yet issued.")
