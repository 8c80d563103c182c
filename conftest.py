"""What every test may ask for: real throwaway servers, and the markers that say where a test makes sense."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings

from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.properties import examples
from scripts.services import Services
from tests.sandbox_services import point_settings_at

# Property tests without settings of their own try the same examples every time, and have no deadline, which a busy
# machine would miss.
hypothesis_settings.register_profile("tests", examples(100))
hypothesis_settings.load_profile("tests")

# What a test asks for when it has to do with the database of its settings.
_DATABASE_FIXTURES = frozenset({"db", "transactional_db", "live_server"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("DATABASE_URL", "").startswith("mysql"):
        # The others were passed on SQLite, and would do the same here.
        others = [item for item in items if not _depends_on_servers(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if _depends_on_servers(item)]
        return
    elsewhere = pytest.mark.skip(reason="makes sense on MariaDB and Redis only: make test, or make services")
    for item in items:
        # Django gives all threads of a live server the one connection to SQLite's database in memory. Two threads can
        # then wait for each other forever: one, in a function that Django adds to SQLite, for the interpreter's lock,
        # the other, which holds that lock, for the connection.
        if item.get_closest_marker("mariadb") or item.get_closest_marker("browser"):
            item.add_marker(elsewhere)


def _depends_on_servers(item: pytest.Item) -> bool:
    marked = any(item.get_closest_marker(name) for name in ("django_db", "mariadb"))
    return marked or bool(_DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """A discovery and LMS of the test's own, on loopback."""
    with Sandbox(courses=12, programs=2) as running:
        point_settings_at(running, settings)
        yield running


@pytest.fixture
def throwaway_services() -> Iterator[Services]:
    """A MariaDB and a Redis of the test's own, to kill, pause and start again."""
    with Services() as services:
        yield services


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """For processes that a test starts (a worker, a command): they see the test's database, broker, cache and keys.

    On MariaDB and Redis only, since nobody else can open an in-memory database.
    """
    database = connection.settings_dict
    address = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.test",
        "DATABASE_URL": f"mysql://{address}/{database['NAME']}",
        "JWT_PUBLIC_SIGNING_JWK_SET": django_settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"],
    }
