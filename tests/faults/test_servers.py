"""
Servers that stop, hang, refuse or forget, under the whole service (P5, P6, P10; ERR-7, SURF-6, REFR-1).

Reads work while the database does, accepted work is done when the server is back, and nobody has to help.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import MySQLdb
import pytest
from redis import Redis

from tests.faults.conftest import eventually
from tests.faults.stage import CATALOG, PAGE_SECONDS, Stage, staged
from tests.outcome_lines import Saw

pytestmark = pytest.mark.local_run


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("servers")) as stage:
        yield stage


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """Yield the stage, and check that catalog and discovery agree at the end, and the tables, too."""
    key = running.sandbox.dataset.course_keys()[3]
    title = running.sandbox.touch(key)
    running.sandbox.clear_calls()
    yield running
    running.sandbox.clear_faults()
    eventually(lambda: running.reads() == {200})
    last = running.refresh()
    eventually(lambda: running.is_published(last))
    shown = running.operator.call("POST", f"{CATALOG}get_content_metadata/", json={"content_keys": [key]})["results"]
    assert [item["title"] for item in shown if item["content_type"] == "course"] == [title]
    running.service.run("python", "manage.py", "check_consistency", "--deep")


@pytest.fixture
def published_again(stage: Stage, saw: Saw) -> Callable[[str], None]:
    def check(run: str) -> None:
        seconds = eventually(lambda: stage.is_published(run), patience=60)
        attempts = stage.run(run)["attempts"]
        saw(f"published {seconds:.1f} s after the server was back, attempt {attempts}", recovery=seconds)

    return check


@pytest.mark.parametrize("end", ["kill", pytest.param("stop", marks=pytest.mark.thorough)])
def test_mariadb_restarts(end, stage, published_again):
    """Meanwhile 503 and nothing else; then all of it goes on by itself."""
    run = stage.refresh_in_the_middle()
    getattr(stage.servers.mariadb, end)()
    assert stage.reads() == {503}
    assert stage.status("GET", "/health/") == 503
    assert stage.status("GET", "/health/freshness/") == 503
    stage.servers.mariadb.start()
    eventually(lambda: stage.reads() == {200})
    published_again(run)


@pytest.mark.thorough
def test_mariadb_hangs(stage, published_again):
    """Connections stay open and nobody answers: 503 after a while; when it wakes up everything goes on."""
    run = stage.refresh_in_the_middle()
    stage.servers.mariadb.pause()
    assert stage.status("GET", CATALOG) == 503
    time.sleep(PAGE_SECONDS)
    stage.servers.mariadb.resume()
    eventually(lambda: stage.reads() == {200})
    published_again(run)


def test_mariadb_is_read_only(stage, published_again):
    """Reads go on, writes are refused with 503, and what was accepted before is done later."""
    run = stage.refresh_in_the_middle()
    with stage.admin() as admin:
        admin.query("SET GLOBAL read_only = 1")
        assert stage.reads() == {200}
        assert stage.status("POST", f"{CATALOG}refresh_metadata/") == 503
        time.sleep(PAGE_SECONDS)
        assert stage.run(run)["state"] != "published"
        assert stage.reads() == {200}
        admin.query("SET GLOBAL read_only = 0")
    published_again(run)


def test_mariadb_has_no_connection_left(stage, published_again):
    """Some requests get 503, none anything worse; what was accepted before is done later."""
    run = stage.refresh_in_the_middle()
    with stage.admin() as admin:
        admin.query("SET GLOBAL max_connections = 10")
        taken = []
        with suppress(MySQLdb.OperationalError):
            while True:
                taken.append(stage.admin())
        assert stage.reads() <= {200, 503}
        time.sleep(PAGE_SECONDS)
        assert stage.reads() <= {200, 503}
        for connection in taken:
            connection.close()
        admin.query("SET GLOBAL max_connections = 151")
    published_again(run)


def test_redis_is_killed_and_comes_back_empty(stage, published_again):
    """Reads go on, a refresh is accepted all the same, and done when Redis is back."""
    stage.servers.redis.kill()
    assert stage.reads() == {200}
    run = stage.refresh()
    assert stage.run(run)["state"] == "queued"
    stage.servers.redis.start()
    published_again(run)


def test_redis_is_flushed(stage, published_again):
    """The row waits, and is found."""
    running = stage.refresh_in_the_middle()
    waiting = stage.refresh()
    assert waiting != running
    Redis.from_url(stage.servers.redis.url).flushall()
    published_again(running)
    published_again(waiting)


def test_redis_hangs(stage, published_again):
    """Reads go on, and a refresh is accepted without waiting for it; done when Redis answers again."""
    stage.servers.redis.pause()
    assert stage.reads() == {200}
    run = stage.refresh()
    assert stage.run(run)["state"] == "queued"
    stage.servers.redis.resume()
    published_again(run)


def test_discovery_and_lms_are_away(stage, published_again):
    """Reads go on, a refresh is accepted and fails by name, the catalog stays; the next one works (P1, P6)."""
    before = stage.operator.ask("GET", f"{CATALOG}get_content_metadata/?traverse_pagination=true").content
    stage.sandbox.stop()
    assert stage.reads() == {200}
    run = stage.refresh()
    ended = stage.operator.wait_for(run)
    assert (ended["state"], ended["reason"]["code"]) == ("failed", "discovery_unavailable")
    assert stage.operator.ask("GET", f"{CATALOG}get_content_metadata/?traverse_pagination=true").content == before
    stage.sandbox.start()
    published_again(stage.refresh())
