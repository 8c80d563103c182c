"""Run the sandbox as discovery, over real HTTP, without pauses between attempts."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.sandbox.sandbox import Sandbox
from tests.sandbox_services import point_settings_at


@pytest.fixture(scope="session")
def shared_discovery() -> Iterator[Sandbox]:
    with Sandbox(courses=30, programs=3, pathways=1, persons=2, odd_documents=False) as sandbox:
        yield sandbox


@pytest.fixture
def discovery(shared_discovery: Sandbox, settings: Settings) -> Sandbox:
    shared_discovery.reset()
    serve(shared_discovery, settings)
    return shared_discovery


@pytest.fixture
def client(discovery: Sandbox) -> DiscoveryClient:
    return DiscoveryClient()


def serve(sandbox: Sandbox, settings: Settings) -> None:
    """Send requests to this sandbox, without pauses, in small pages."""
    point_settings_at(sandbox, settings)
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    settings.DISCOVERY_PAGE_SIZE = 10
