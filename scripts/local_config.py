"""
Configure a local run: its directory, its secrets, and the environment of its processes, by the names of operators.

Secrets are generated at the first start and kept in .local, readable by their owner only. They are valid nowhere else.
"""

import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT = 18160
SANDBOX_PORT = 18170
ADMIN_USERNAME = "admin"
LMS_ADMIN_USERNAME = "lms-admin"
AUDIENCE = "enterprise-catalog-local"
# The client that the sandbox accepts from the service; it is valid for the sandbox only.
SANDBOX_CLIENT = ("enterprise-catalog-sandbox-key", "opens-the-sandbox-only-8d31")
# The client with which people sign in to the service.
SANDBOX_SIGN_IN_CLIENT = ("enterprise-catalog-sandbox-sso-key", "signs-in-to-the-sandbox-only-5c07")


@dataclass(frozen=True)
class Secrets:
    secret_key: str
    admin_password: str


@dataclass(frozen=True)
class LocalConfig:
    directory: Path = ROOT / ".local"
    port: int = PORT
    sandbox_port: int = SANDBOX_PORT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def database(self) -> Path:
        return self.directory / "db.sqlite3"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def token_file(self) -> Path:
        return self.directory / "operator.jwt"

    @property
    def admin_made(self) -> Path:
        """A file that says that the administrator exists. Removing .local removes it with the database."""
        return self.directory / "admin-made"

    def prepare(self) -> Secrets:
        self.directory.mkdir(parents=True, exist_ok=True)
        os.chmod(self.directory, 0o700)
        return self._secrets()

    def _secrets(self) -> Secrets:
        path = self.directory / "secrets.json"
        if not path.exists():
            made = {"secret_key": secrets.token_urlsafe(48), "admin_password": secrets.token_urlsafe(12)}
            write_private(path, json.dumps(made))
        return Secrets(**json.loads(path.read_text()))

    def environment(self, *, secret_key: str, jwk_set: str) -> dict[str, str]:
        """Return all variables of a process. Those of the calling shell that configure this service are left out."""
        client_id, client_secret = SANDBOX_CLIENT
        sign_in_id, sign_in_secret = SANDBOX_SIGN_IN_CLIENT
        return {
            **self.clean_environment(),
            "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.local",
            "LOCAL_DATA_DIR": str(self.directory),
            "SECRET_KEY": secret_key,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "CELERY_BROKER_URL": "filesystem://",
            "DISCOVERY_SERVICE_URL": self.sandbox_url,
            "LMS_ROOT_URL": self.sandbox_url,
            "OAUTH2_PROVIDER_URL": f"{self.sandbox_url}/oauth2",
            "BACKEND_SERVICE_EDX_OAUTH2_KEY": client_id,
            "BACKEND_SERVICE_EDX_OAUTH2_SECRET": client_secret,
            "SOCIAL_AUTH_EDX_OAUTH2_KEY": sign_in_id,
            "SOCIAL_AUTH_EDX_OAUTH2_SECRET": sign_in_secret,
            "JWT_ISSUER": f"{self.sandbox_url}/oauth2",
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_PUBLIC_SIGNING_JWK_SET": jwk_set,
            "ENTERPRISE_LEARNER_PORTAL_BASE_URL": "https://enterprise.example.org",
            "ECOMMERCE_BASE_URL": "https://ecommerce.example.org",
        }

    def clean_environment(self) -> dict[str, str]:
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "TERM", "LD_LIBRARY_PATH")
        # The programs of the environment this runs in come first.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {name: os.environ[name] for name in kept if name in os.environ} | {
            "PATH": path,
            "PYTHONUNBUFFERED": "1",
        }


def write_private(path: Path, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
