"""Run the sandbox as LMS on loopback, without pauses between attempts."""

from collections.abc import Iterator

import pytest

from enterprise_catalog.sandbox.sandbox import Sandbox
from tests.sandbox_services import point_settings_at


@pytest.fixture
def lms(settings) -> Iterator[Sandbox]:
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    with Sandbox(courses=1, programs=0) as running:
        point_settings_at(running, settings)
        yield running
