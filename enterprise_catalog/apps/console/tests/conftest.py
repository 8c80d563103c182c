"""A discovery of the test's own, on loopback, and people who sign in to the admin."""

from collections.abc import Iterator

import pytest
from django.test import Client

from enterprise_catalog.apps.console.tests.people import signed_in
from enterprise_catalog.sandbox.sandbox import Sandbox


@pytest.fixture
def sandbox(settings) -> Iterator[Sandbox]:
    with Sandbox(courses=12, programs=2) as running:
        settings.DISCOVERY_SERVICE_URL = running.url
        settings.LMS_ROOT_URL = running.url
        settings.OAUTH2_PROVIDER_URL = f"{running.url}/oauth2"
        settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = running.config.client_id
        settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET = running.config.client_secret
        yield running


@pytest.fixture
def admin(db) -> Client:
    """A superuser's browser."""
    return signed_in("olga", is_superuser=True)
