"""
What a JWT says, once its signature is proven (AUTH-3, AUTH-4).

The token library's own decoder verifies nothing on an empty key set and reads every key again for each request. This
one knows only asymmetric signatures, fails closed, and keeps the keys. It must never return a payload whose signature
it did not check.
"""

import time
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

ALGORITHMS = ["RS256", "RS512"]
# So far ahead may the issuer's clock be. The token library's own check allows nothing, or else the same to `exp`.
MAX_CLOCK_LEAD_SECONDS = 60


class UnusableKeySet(ValueError):
    """The text names no key that could verify a token; the message says why."""


@lru_cache(maxsize=8)
def signing_keys(jwk_set: str) -> tuple[RSAPublicKey, ...]:
    """
    The RSA keys of a JWK set in JSON.

    A secret in a set that is meant to be public is refused rather than skipped: a symmetric key would let its readers
    sign tokens, and a private one has leaked.
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
    The claims of a token that one of our keys signed, for us, by our issuer, still valid.

    Raises `jwt.InvalidTokenError` otherwise.
    """
    foreign: jwt.InvalidTokenError = jwt.InvalidSignatureError("No key")
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
            foreign = error
        else:
            check_moments(claims)
            return claims
    raise foreign


def check_moments(claims: dict[str, Any]) -> None:
    """What the token library leaves: moments are numbers, and a token was made before it is used."""
    if not all(isinstance(claims[name], int | float) for name in ("exp", "iat")):
        raise jwt.InvalidTokenError("exp and iat must be numbers.")
    if not claims["iat"] <= time.time() + MAX_CLOCK_LEAD_SECONDS:
        raise jwt.ImmatureSignatureError("The token is not yet issued.")
