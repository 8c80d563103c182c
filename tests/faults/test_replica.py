"""
A replica that is killed, hangs or falls behind, under the whole service (ADR 0018).

Content is read there while it is healthy, and callers do not notice when it is not.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from uuid import uuid4

import pytest
import requests

from scripts.services import DATABASE, READER_USER, Replica, ReplicatedServices
from tests.faults.conftest import eventually
from tests.faults.stage import CATALOG, COURSES, Stage, staged
from tests.outcome_lines import Saw

pytestmark = pytest.mark.local_run

CATALOGS = "/api/v1/enterprise-catalogs/"
CONTENT = f"{CATALOG}get_content_metadata/"
# The replica alone has the catalog under this title, so that an answer tells where it was read.
HERE = "All courses of the replica"
THERE = COURSES["title"]
# Silence until it has failed (REPLICA_READ_TIMEOUT_SECONDS), a new connection, and a busy machine.
BOUND_SECONDS = 5 + 3 + 4
# REPLICA_PAUSE_SECONDS, the same once more for a thread that was asking meanwhile, and a busy machine.
BACK_SECONDS = 10 + 10 + 10


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("replica"), replicated=True) as stage:
        replicated(stage)
        told(stage, f"UPDATE {DATABASE}.catalog_enterprisecatalog SET title = '{HERE}'")
        yield stage


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """Yield the stage with a replica that is up to date, and wait for that at the end."""
    eventually(lambda: titles(running) == {HERE}, patience=BACK_SECONDS)
    yield running
    eventually(lambda: titles(running) == {HERE}, patience=BACK_SECONDS)
    replicated(running)


def replica_of(stage: Stage) -> Replica:
    return cast(ReplicatedServices, stage.servers).replica


def told(stage: Stage, statement: str, *, primary: bool = False) -> tuple[tuple[Any, ...], ...]:
    """Return a server's answer to an administrator's statement."""
    with stage.admin(None if primary else replica_of(stage)) as admin:
        admin.autocommit(True)
        with admin.cursor() as cursor:
            cursor.execute(statement)
            rows: tuple[tuple[Any, ...], ...] = cursor.fetchall()
            return rows


def replicated(stage: Stage) -> None:
    """Wait until the replica has everything written so far."""
    ((position,),) = told(stage, "SELECT @@gtid_binlog_pos", primary=True)
    assert told(stage, f"SELECT MASTER_GTID_WAIT('{position}', 20)") == ((0,),)


def titles(stage: Stage) -> set[str]:
    """Return the titles that readers see, from so many requests that every process answers."""
    return {stage.operator.call("GET", CONTENT)["title"] for _ in range(12)}


def statements(stage: Stage, *, primary: bool) -> list[str]:
    """Return the statements of a server about this catalog and its content."""
    uuid = CATALOG.split("/")[-2].replace("-", "")
    rows = told(stage, "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log", primary=primary)
    words = (uuid, "catalog_contentdocuments", "catalog_catalogcontentkey")
    return [text for (text,) in rows if "general_log" not in text and any(word in text for word in words)]


def test_content_is_read_on_the_replica_alone(stage: Stage) -> None:
    """By a user who may only SELECT; the primary says who calls, and everything about catalogs themselves."""
    grants = [grant for (grant,) in told(stage, f"SHOW GRANTS FOR {READER_USER}@127.0.0.1")]
    assert [grant.partition(" ON ")[0] for grant in grants] == ["GRANT USAGE", "GRANT SELECT"]
    for primary in (True, False):
        told(stage, "SET GLOBAL log_output = 'TABLE'", primary=primary)
        told(stage, "SET GLOBAL general_log = 1", primary=primary)
    assert titles(stage) == {HERE}
    assert requests_of_content(stage) == {200}
    assert statements(stage, primary=True) == []
    assert statements(stage, primary=False)
    assert stage.operator.call("GET", CATALOG)["title"] == THERE
    assert len(statements(stage, primary=True)) == 1
    for primary in (True, False):
        told(stage, "SET GLOBAL general_log = 0", primary=primary)


def requests_of_content(stage: Stage) -> set[int]:
    paths = ("contains_content_items/?course_run_ids=a", "get_content_metadata/?traverse_pagination=1", "changes/")
    return {stage.status("GET", CATALOG + path) for path in paths}


def test_the_replica_is_killed_and_comes_back(stage: Stage, saw: Saw) -> None:
    """The primary answers, every time; some seconds after the replica is back it is read again."""
    replica_of(stage).kill()
    assert titles(stage) == {THERE}
    assert stage.reads() | requests_of_content(stage) == {200}
    replica_of(stage).start()
    seconds = eventually(lambda: titles(stage) == {HERE}, patience=BACK_SECONDS)
    saw(f"read again {seconds:.1f} s after it was back", recovery=seconds)


@pytest.mark.thorough
def test_the_replica_hangs(stage: Stage, saw: Saw) -> None:
    """Who asks it first waits for some seconds, and is answered by the primary; all others are at once."""

    def seconds_of_a_read(_: int) -> float:
        started = time.monotonic()
        assert stage.operator.call("GET", CONTENT)["title"] == THERE
        return time.monotonic() - started

    replica_of(stage).pause()
    with ThreadPoolExecutor(8) as callers:
        first = max(callers.map(seconds_of_a_read, range(8)))
    assert first < BOUND_SECONDS
    then = max(seconds_of_a_read(number) for number in range(12))
    assert then < 1
    replica_of(stage).resume()
    seconds = eventually(lambda: titles(stage) == {HERE}, patience=BACK_SECONDS)
    saw(f"{first:.1f} s at first, then {then:.2f} s; read again after {seconds:.1f} s", recovery=seconds)


@pytest.mark.thorough
def test_replication_stops(stage: Stage) -> None:
    """What the replica has is served as it is; what it has never heard of comes from the primary, and is not 404."""
    key = stage.sandbox.dataset.course_keys()[5]
    old = shown(stage, key)
    told(stage, "STOP SLAVE")
    new = stage.sandbox.touch(key)
    stage.operator.wait_for(stage.refresh())
    made = COURSES | {"uuid": str(uuid4()), "title": "Made meanwhile"}
    stage.operator.call("POST", CATALOGS, status=201, json=made)
    path = f"{CATALOGS}{made['uuid']}/"
    assert stage.operator.call("GET", f"{path}get_content_metadata/")["title"] == made["title"]
    assert stage.operator.call("GET", f"{path}contains_content_items/?course_run_ids={key.replace('+', '%2B')}") == {
        "contains_content_items": True
    }
    assert stage.status("GET", f"{CATALOGS}{uuid4()}/get_content_metadata/") == requests.codes.not_found
    assert (titles(stage), shown(stage, key)) == ({HERE}, old)
    told(stage, "START SLAVE")
    eventually(lambda: shown(stage, key) == new)


def shown(stage: Stage, key: str) -> str:
    items = stage.operator.call("POST", CONTENT, json={"content_keys": [key]})["results"]
    (title,) = [item["title"] for item in items if item["content_type"] == "course"]
    return str(title)


@pytest.mark.thorough
def test_the_primary_is_killed_and_comes_back(stage: Stage, saw: Saw) -> None:
    """Nobody can say who calls: 503 meanwhile; then all goes on by itself, replication too."""
    stage.servers.mariadb.kill()
    assert {stage.status("GET", CONTENT) for _ in range(12)} == {503}
    stage.servers.mariadb.start()
    seconds = eventually(lambda: stage.reads() == {200})
    saw(f"reads again {seconds:.1f} s after it was back", recovery=seconds)
    assert stage.operator.wait_for(stage.refresh())["state"] == "published"
