#!/bin/sh
# Collects the admin's static files while an image is built. Production settings refuse to start without real secrets, and
# an image must not hold any: these values satisfy the checks for this one command and are known to nobody afterwards.
set -eu
secret() { python -c 'import secrets; print(secrets.token_urlsafe(48))'; }
jwk_set() {
    python -c '
import json
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
print(json.dumps({"keys": [RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "build"}]}))'
}
SECRET_KEY=$(secret) \
BACKEND_SERVICE_EDX_OAUTH2_KEY=$(secret) \
BACKEND_SERVICE_EDX_OAUTH2_SECRET=$(secret) \
JWT_AUDIENCE=$(secret) \
JWT_ISSUER=https://build.invalid/oauth2 \
JWT_PUBLIC_SIGNING_JWK_SET=$(jwk_set) \
ALLOWED_HOSTS=build.invalid \
DATABASE_URL=sqlite:////tmp/build.sqlite3 \
CELERY_BROKER_URL=redis://build.invalid \
CACHE_URL=redis://build.invalid \
DISCOVERY_SERVICE_URL=https://build.invalid \
LMS_ROOT_URL=https://build.invalid \
OAUTH2_PROVIDER_URL=https://build.invalid/oauth2 \
ENTERPRISE_LEARNER_PORTAL_BASE_URL=https://build.invalid \
ECOMMERCE_BASE_URL=https://build.invalid \
python manage.py collectstatic --noinput
