"""
Sign JWTs as an LMS does, with the sandbox's own key.

The private key stays in this process and its data directory (mode 0600). Verifiers get `jwks()` only.
"""

import json
import os
import secrets
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ALGORITHM = "RS512"
PRIVATE_KEY_FILE = "signing-key.pem"
JWKS_FILE = "jwks.json"


class SigningKey:
    def __init__(self, private_key: rsa.RSAPrivateKey) -> None:
        self._private_key = private_key
        public: dict[str, Any] = RSAAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
        self.key_id = sha256(public["n"].encode()).hexdigest()[:16]
        # No `key_ops`: the verifying library wants a key described by its use.
        self._public_jwk = {
            "kty": "RSA",
            "use": "sig",
            "alg": ALGORITHM,
            "kid": self.key_id,
            "n": public["n"],
            "e": public["e"],
        }

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def jwks(self) -> dict[str, Any]:
        return {"keys": [dict(self._public_jwk)]}

    def private_pem(self) -> bytes:
        return self._private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._private_key, algorithm=ALGORITHM, headers={"kid": self.key_id})

    def verify(self, token: str, *, issuer: str, audience: str) -> dict[str, Any]:
        """Claims of a token this key signed; raises `jwt.InvalidTokenError` for any other."""
        return jwt.decode(
            token, self._private_key.public_key(), algorithms=[ALGORITHM], issuer=issuer, audience=audience
        )


def load_or_create(directory: Path) -> SigningKey:
    """The key kept in `directory`, made there on first use together with its public half."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / PRIVATE_KEY_FILE
    if not path.exists():
        _write_private(path, SigningKey.generate().private_pem())
    private_key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} does not hold an RSA key")
    key = SigningKey(private_key)
    jwks_path = directory / JWKS_FILE
    staged = jwks_path.with_suffix(f".{secrets.token_hex(4)}")
    staged.write_text(json.dumps(key.jwks(), indent=1) + "\n")
    staged.replace(jwks_path)
    return key


def _write_private(path: Path, content: bytes) -> None:
    """Link a complete file into place. If two processes start at once, the second keeps the first's file."""
    staged = path.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.link(staged, path)
    except FileExistsError:
        pass
    finally:
        staged.unlink()


def user_claims(
    *,
    username: str,
    issuer: str,
    audience: str,
    roles: Sequence[str] = (),
    lifetime: int = 3600,
    administrator: bool = False,
) -> dict[str, Any]:
    """Claims as the LMS writes them, version 1.2.0; a role reads `"<system role>:<customer uuid or *>"`."""
    now = int(time.time())
    return {
        "iss": issuer,
        "aud": audience,
        "iat": now,
        "exp": now + lifetime,
        "version": "1.2.0",
        "sub": sha256(username.encode()).hexdigest()[:32],
        "user_id": int(sha256(username.encode()).hexdigest()[:6], 16),
        "preferred_username": username,
        "name": username,
        "given_name": username,
        "family_name": "",
        "email": f"{username}@example.org",
        "email_verified": True,
        "administrator": administrator,
        "superuser": False,
        "scopes": ["read", "write", "profile", "email"],
        "filters": ["user:me"],
        "is_restricted": False,
        "roles": list(roles),
    }
