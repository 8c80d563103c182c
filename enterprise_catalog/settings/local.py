"""
Settings of one machine without servers: SQLite, a file-system broker, and the sandbox as discovery and LMS.

`make run` sets the environment. Variables that it does not set, and commands typed by hand, get the same values from
its directory. Tokens are verified as in production, with the sandbox's public key.
"""

import json
import os
from pathlib import Path

_directory = Path(os.environ.get("LOCAL_DATA_DIR") or Path(__file__).resolve().parents[2] / ".local")
_sandbox = "http://127.0.0.1:18170"


def _file(name: str) -> str:
    """Read a file of `make run`; empty if it does not exist yet, and then a start-up check names the variable."""
    path = _directory / name
    return path.read_text() if path.exists() else ""


_defaults = {
    "SECRET_KEY": json.loads(_file("secrets.json") or "{}").get("secret_key", ""),
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "DATABASE_URL": f"sqlite:///{_directory / 'db.sqlite3'}",
    "CELERY_BROKER_URL": "filesystem://",
    "DISCOVERY_SERVICE_URL": _sandbox,
    "LMS_ROOT_URL": _sandbox,
    "OAUTH2_PROVIDER_URL": f"{_sandbox}/oauth2",
    # The sandbox does not throttle.
    "DISCOVERY_REQUESTS_PER_HOUR": "0",
    "JWT_ISSUER": f"{_sandbox}/oauth2",
    "JWT_AUDIENCE": "enterprise-catalog-local",
    "JWT_PUBLIC_SIGNING_JWK_SET": _file("sandbox/jwks.json"),
}
for _name, _value in _defaults.items():
    os.environ.setdefault(_name, _value)

from enterprise_catalog.settings.base import *

SERVES_LOOPBACK_ONLY = True

if CELERY_BROKER_URL.startswith("filesystem:"):
    # One folder for both directions, because senders and receivers are on this machine.
    _broker = _directory / "broker"
    for _folder in ("messages", "control"):
        (_broker / _folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
    }

# Serve static files from their packages, so that the first start needs no `collectstatic`.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None
