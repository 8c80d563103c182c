"""What every test may ask for: real throwaway servers, and the markers that say where a test makes sense."""

import os
from collections.abc import Iterator

import pytest

from scripts.services import Services


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("DATABASE_URL", "").startswith("mysql"):
        return
    elsewhere = pytest.mark.skip(reason="makes sense on MariaDB and Redis only: make test, or make services")
    for item in items:
        if item.get_closest_marker("mariadb"):
            item.add_marker(elsewhere)


@pytest.fixture
def throwaway_services() -> Iterator[Services]:
    """A MariaDB and a Redis of the test's own, to kill, pause and start again."""
    with Services() as services:
        yield services
