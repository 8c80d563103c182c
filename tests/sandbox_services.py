"""Use the sandbox as discovery and LMS of the service under test, in this process or in others."""

import json

from pytest_django import Settings

from enterprise_catalog.apps.core.http_client.session import tokens
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.settings.base import jwt_auth


def point_settings_at(sandbox: Sandbox, settings: Settings) -> None:
    """Point the settings at this sandbox, as discovery and LMS."""
    # Ports are reused, so a token of an earlier sandbox at the same address must be forgotten.
    tokens.clear()
    settings.DISCOVERY_SERVICE_URL = settings.DISCOVERY_INTERNAL_ROOT_URL = sandbox.url
    settings.LMS_ROOT_URL = settings.LMS_INTERNAL_ROOT_URL = sandbox.url
    settings.OAUTH2_PROVIDER_URL = f"{sandbox.url}/oauth2"
    settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = sandbox.config.client_id
    settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET = sandbox.config.client_secret


def point_sign_in_at(sandbox: Sandbox, settings: Settings, *, service: str) -> None:
    """Let people sign in to the service at this root through this sandbox, and trust its tokens."""
    sandbox.configure(redirect_uris=[f"{service}/complete/edx-oauth2/"])
    settings.SOCIAL_AUTH_EDX_OAUTH2_KEY = sandbox.config.sign_in_client_id
    settings.SOCIAL_AUTH_EDX_OAUTH2_SECRET = sandbox.config.sign_in_client_secret
    settings.SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT = settings.SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT = sandbox.url
    jwk_set = json.dumps(sandbox.jwks())
    settings.JWT_AUTH = jwt_auth(issuer=sandbox.config.issuer, audience=sandbox.config.audience, jwk_set=jwk_set)


def environment_for(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment of a service with this sandbox as discovery and LMS."""
    return {
        "DISCOVERY_SERVICE_URL": sandbox.url,
        # The sandbox does not throttle.
        "DISCOVERY_REQUESTS_PER_HOUR": "0",
        "LMS_ROOT_URL": sandbox.url,
        "OAUTH2_PROVIDER_URL": f"{sandbox.url}/oauth2",
        "BACKEND_SERVICE_EDX_OAUTH2_KEY": sandbox.config.client_id,
        "BACKEND_SERVICE_EDX_OAUTH2_SECRET": sandbox.config.client_secret,
        "JWT_ISSUER": sandbox.config.issuer,
        "JWT_AUDIENCE": sandbox.config.audience,
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(sandbox.jwks()),
    }
