"""Tests of the throwaway servers: they behave as the tests of faults need."""

import socket
from pathlib import Path

import pytest
import redis
from environ import Env

from scripts.services import Services

# Not there in an environment without MySQL headers, where these tests are skipped anyway.
MySQLdb = pytest.importorskip("MySQLdb")

pytestmark = pytest.mark.mariadb


def connect(services: Services):
    config = Env.db_url_config(services.mariadb.url)
    return MySQLdb.connect(
        host=config["HOST"],
        port=config["PORT"],
        user=config["USER"],
        password=config["PASSWORD"],
        database=config["NAME"],
        autocommit=True,
        read_timeout=1,
    )


def test_killed_mariadb_comes_back_with_its_data(throwaway_services):
    connection = connect(throwaway_services)
    connection.query("CREATE TABLE kept (id INT) ENGINE=InnoDB")
    throwaway_services.mariadb.kill()
    throwaway_services.mariadb.start()
    again = connect(throwaway_services)
    again.query("SELECT COUNT(*) FROM kept")
    assert again.store_result().fetch_row() == ((0,),)


def test_paused_server_hangs_until_resumed(throwaway_services):
    client = redis.Redis.from_url(throwaway_services.redis.url, socket_timeout=0.2)
    throwaway_services.redis.pause()
    with pytest.raises(redis.exceptions.TimeoutError):
        client.ping()
    throwaway_services.redis.resume()
    assert client.ping()


def test_leaving_the_block_leaves_nothing():
    with Services() as services:
        directory, port = services.directory, services.mariadb.port
    assert not Path(directory).exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_temporary_tables_of_other_servers_stay(monkeypatch, tmp_path):
    """A server that starts clears its directory for temporary files, in use by another one or not."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    table = tmp_path / "#sql-temptable-1-1-1.MAD"
    table.touch()
    with Services():
        assert table.exists()
