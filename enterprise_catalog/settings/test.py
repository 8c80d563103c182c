"""
Settings of the test suite: SQLite unless DATABASE_URL says otherwise, and a signing key for this run.

Tokens are verified as in production; tests sign with TEST_JWT_PRIVATE_KEY.
"""

import json
import os

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm

os.environ.setdefault("SECRET_KEY", "What only the test-suite knows, 50 characters at the least")
os.environ.setdefault("JWT_ISSUER", "https://lms.example.org/oauth2")
os.environ.setdefault("JWT_AUDIENCE", "openedx")
os.environ.setdefault("LMS_ROOT_URL", "https://lms.example.org")
os.environ.setdefault("OAUTH2_PROVIDER_URL", "https://lms.example.org/oauth2")
os.environ.setdefault("DISCOVERY_SERVICE_URL", "https://discovery.example.org")
os.environ.setdefault("ENTERPRISE_LEARNER_PORTAL_BASE_URL", "https://enterprise.example.org")
os.environ.setdefault("ECOMMERCE_BASE_URL", "https://ecommerce.example.org")
os.environ.setdefault("BACKEND_SERVICE_EDX_OAUTH2_KEY", "enterprise-catalog-key")
os.environ.setdefault("BACKEND_SERVICE_EDX_OAUTH2_SECRET", "known-to-the-test-suite-4h2k")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")

if "TEST_JWT_PRIVATE_KEY" not in os.environ:
    _private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _public_jwk = RSAAlgorithm.to_jwk(_private_key.public_key(), as_dict=True)
    _public_jwk |= {"kid": "test", "use": "sig", "alg": "RS512"}
    _pem = _private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Processes that this one starts inherit both keys, so that all of them agree.
    os.environ["TEST_JWT_PRIVATE_KEY"] = _pem.decode()
    os.environ["JWT_PUBLIC_SIGNING_JWK_SET"] = json.dumps({"keys": [_public_jwk]})
TEST_JWT_PRIVATE_KEY = os.environ["TEST_JWT_PRIVATE_KEY"]

# Parallel test processes share one Redis server, but no queue or cache: gw0 uses databases 0 and 1, gw1 uses 2 and 3.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
for _offset, _name in enumerate(("CELERY_BROKER_URL", "CACHE_URL")):
    _server, _, _ = os.environ.get(_name, "").rpartition("/")
    if _server.startswith("redis:"):
        os.environ[_name] = f"{_server}/{2 * _worker + _offset}"

from enterprise_catalog.settings.base import *

SERVES_LOOPBACK_ONLY = True

# Slow password hashing protects nobody in tests.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Tests collect no static files, and whitenoise would warn about an empty folder.
STATIC_ROOT = None

# A machine busy with tests may need longer than in production. Tests of the timeout set it themselves.
NOTIFY_TIMEOUT_SECONDS = 5
