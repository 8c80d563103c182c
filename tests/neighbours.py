"""Discovery and LMS for tests that run in this process."""

from pytest_django import Settings

from enterprise_catalog.sandbox.sandbox import Sandbox


def lead_to(sandbox: Sandbox, settings: Settings) -> None:
    """Let the service's settings name this sandbox as every neighbour."""
    settings.DISCOVERY_SERVICE_URL = sandbox.url
    settings.LMS_ROOT_URL = sandbox.url
    settings.OAUTH2_PROVIDER_URL = f"{sandbox.url}/oauth2"
    settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = sandbox.config.client_id
    settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET = sandbox.config.client_secret
