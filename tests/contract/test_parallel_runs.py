"""Parallel test processes get Redis databases of their own."""

import os

import pytest

pytestmark = pytest.mark.mariadb


def test_every_process_has_its_own_queue_and_cache(settings):
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    assert settings.CELERY_BROKER_URL.endswith(f"/{2 * number}")
    assert settings.CACHES["default"]["LOCATION"].endswith(f"/{2 * number + 1}")
