"""
Settings of one machine without servers: SQLite, a broker made of files, and the sandbox as discovery and LMS.

`make run` sets the environment; what it leaves open, or a command typed by hand, gets the same values from its
directory. Tokens are verified exactly as in production: the sandbox signs, and this reads the public half of its key.
"""

import json
import os
from pathlib import Path

_directory = Path(os.environ.get("LOCAL_DATA_DIR") or Path(__file__).resolve().parents[2] / ".local")
_sandbox = "http://127.0.0.1:18170"


def _file(name: str) -> str:
    """Empty when `make run` has not made it yet; the start-up check then names the variable."""
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
    # The sandbox throttles nobody.
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
    # One folder for both directions: whoever puts a message and whoever takes it are on this machine.
    _broker = _directory / "broker"
    for _folder in ("messages", "control"):
        (_broker / _folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
    }

# Static files straight from their packages, so that no collecting step stands before the first start.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None
