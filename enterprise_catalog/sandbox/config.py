"""
Define the settings of a sandbox, and the constants that a local run shares with it.

Nothing here is a secret of a real system: the client secret below is valid for a sandbox only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 18170
DEFAULT_ISSUER = "http://127.0.0.1:18170/oauth2"
DEFAULT_AUDIENCE = "enterprise-catalog-sandbox"
CLIENT_ID = "enterprise-catalog-sandbox-key"
CLIENT_SECRET = "opens-the-sandbox-only-8d31"  # noqa: S105  opens a sandbox only
# The LMS knows a service twice: as one that asks for itself (above), and as one that people sign in to.
SIGN_IN_CLIENT_ID = "enterprise-catalog-sandbox-sso-key"
SIGN_IN_CLIENT_SECRET = "signs-in-to-the-sandbox-only-5c07"  # noqa: S105  opens a sandbox only
SERVICE_USERNAME = "enterprise_catalog_worker"

ACME_UUID = "6f1d7a52-3c0b-4d52-9d0e-6f2f1c6b7a01"
BRIGHT_UUID = "0b9c6e1e-58a4-4c46-8f0a-2d0b9c1f4e02"
CIVIC_UUID = "c4a1f0d3-7e26-4b8c-a1d5-93e7b5d20a03"


def customer(
    uuid: str, *, name: str, slug: str, active: bool = True, portal: bool = True, modified: str = "2025-11-01T00:00:00Z"
) -> dict[str, Any]:
    """An enterprise customer as the LMS lists it (DISC-20)."""
    return {
        "uuid": uuid,
        "name": name,
        "slug": slug,
        "active": active,
        "enable_learner_portal": portal,
        "modified": modified,
        "contact_email": None,
        "enable_data_sharing_consent": True,
        "enforce_data_sharing_consent": "at_enrollment",
        "branding_configuration": None,
        "identity_provider": None,
        "site": {"domain": "lms.example.org", "name": "LMS"},
        "replace_sensitive_sso_username": False,
        "enable_portal_code_management_screen": True,
    }


def sample_customers() -> tuple[dict[str, Any], ...]:
    """The customers of a fresh sandbox; Civic Health has no learner portal, so its enrollment URLs go to the LMS."""
    return (
        customer(ACME_UUID, name="Acme Industries", slug="acme-industries"),
        customer(BRIGHT_UUID, name="Bright University", slug="bright-university"),
        customer(CIVIC_UUID, name="Civic Health", slug="civic-health", portal=False),
    )


def month_start() -> datetime:
    """Reference time of a data set: content is the same all month, however often the sandbox restarts."""
    return datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, kw_only=True)
class ServiceUser:
    """Another service's user, as the LMS knows it: its OAuth2 client, and the roles that its tokens carry."""

    client_id: str
    client_secret: str
    username: str
    roles: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    courses: int = 50
    programs: int = 3
    pathways: int = 1
    persons: int = 3
    seed: str = "sandbox"
    now: datetime = field(default_factory=month_start)
    # The documents that a service must quarantine: they count, but cannot be stored (DISC-17).
    odd_documents: bool = False

    host: str = DEFAULT_HOST
    port: int = 0
    # Without a directory, keys are generated at each start.
    data_dir: Path | None = None
    issuer: str = DEFAULT_ISSUER
    audience: str = DEFAULT_AUDIENCE
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    # Those of other services, which call the service under test.
    service_users: Sequence[ServiceUser] = ()
    sign_in_client_id: str = SIGN_IN_CLIENT_ID
    sign_in_client_secret: str = SIGN_IN_CLIENT_SECRET
    # Where people may be redirected after the sign-in.
    redirect_uris: Sequence[str] = ()
    token_seconds: int = 3600

    search_v2: bool = True
    count_cap: int = 10_000
    search_window: int = 15_000
    requests_per_hour: int | None = None
