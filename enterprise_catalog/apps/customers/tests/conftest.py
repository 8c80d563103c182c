"""An LMS of the test's own, on loopback, and no pauses between attempts."""

from collections.abc import Iterator

import pytest

from enterprise_catalog.sandbox.sandbox import Sandbox


@pytest.fixture
def lms(settings) -> Iterator[Sandbox]:
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    with Sandbox(courses=1, programs=0) as running:
        settings.LMS_ROOT_URL = running.url
        settings.OAUTH2_PROVIDER_URL = f"{running.url}/oauth2"
        settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = running.config.client_id
        settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET = running.config.client_secret
        yield running
