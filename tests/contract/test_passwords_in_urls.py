"""Passwords in the URLs of database, broker and cache may have any characters, percent-encoded (DEP-1)."""

import string
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import environ
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis import ConnectionPool

from enterprise_catalog.celery import app
from scripts.services import DATABASE, SERVICE_USER, MariaDB, Redis, Services
from tests.security.environments import environment, run

# Every special character, what looks encoded already, and what is not ASCII.
PASSWORD = f"K7{string.punctuation} %41%zz+é€x"
USE = [
    "-c",
    "import django; django.setup()\n"
    "from django.core.cache import cache; from django.db import connection; from enterprise_catalog.celery import app\n"
    "for use in (connection.ensure_connection, lambda: cache.set('a', 1),\n"
    "            lambda: app.connection(transport_options={}).ensure_connection(max_retries=1, timeout=5)):\n"
    "    try:\n"
    "        use(); print('let in')\n"
    "    except Exception as error:\n"
    "        print('refused')\n",
]


class ProtectedMariaDB(MariaDB):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        # As text of an SQL statement.
        self.password = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")


class ProtectedRedis(Redis):
    def command(self) -> list[str]:
        return [*super().command(), "--requirepass", PASSWORD]

    def answers(self) -> bool:
        return self._first_bytes(b"PING\r\n").startswith(b"-NOAUTH")


class ProtectedServices(Services):
    def __init__(self) -> None:
        super().__init__()
        self.redis = ProtectedRedis(self.directory / "protected")

    def database(self) -> MariaDB:
        (self.directory / "protected").mkdir()
        return ProtectedMariaDB(self.directory)

    def urls(self, password: str) -> dict[str, str]:
        encoded = quote(password, safe="")
        database, redis = f"127.0.0.1:{self.mariadb.port}", f"redis://:{encoded}@127.0.0.1:{self.redis.port}"
        return {
            "DATABASE_URL": f"mysql://{SERVICE_USER}:{encoded}@{database}/{DATABASE}",
            "CACHE_URL": f"{redis}/1",
            "CELERY_BROKER_URL": f"{redis}/0",
        }


@pytest.fixture(scope="module")
def services() -> Iterator[ProtectedServices]:
    with ProtectedServices() as running:
        yield running


@pytest.mark.local_run
@pytest.mark.parametrize(("password", "outcome"), [(PASSWORD, "let in"), (PASSWORD + "x", "refused")])
def test_servers_with_such_a_password_let_the_service_in(services, password, outcome, tmp_path):  # DEP-1
    done = run(USE, environment("production", directory=tmp_path) | services.urls(password))
    assert done.output.splitlines() == [outcome] * 3, done.errors
    assert password not in done.errors


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
@example(PASSWORD)
def test_any_password_is_read_as_it_was(password):  # DEP-1
    encoded = quote(password, safe="")
    database = environ.Env.db_url_config(f"mysql://u:{encoded}@db.example.org:3306/catalog")
    assert (database["PASSWORD"], database["HOST"], database["NAME"]) == (password, "db.example.org", "catalog")
    cache = environ.Env.cache_url_config(f"redis://:{encoded}@redis.example.org:6379/1")["LOCATION"]
    connection = ConnectionPool.from_url(cache).connection_kwargs
    assert (connection["password"], connection["host"], connection["db"]) == (password, "redis.example.org", 1)
    broker = app.connection(f"redis://:{encoded}@redis.example.org:6379/0")
    assert (broker.password, broker.hostname, broker.virtual_host) == (password, "redis.example.org", "0")
