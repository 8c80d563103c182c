"""
A dump of the database of a running service is restored into a new server (P2, P5, P10).

The commands are read from docs/operations.rst.
"""

import base64
import random
import re
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from requests import Response

from scripts import debian
from scripts.services import SERVICE_USER, MariaDB
from tests.contract.test_deployment_files import ROOT
from tests.contract.test_documentation import OPERATIONS
from tests.faults.stage import CATALOG, COURSES, Stage, operator_of, service_variables, staged
from tests.outcome_lines import Saw
from tests.whole_service import whole_service

pytestmark = pytest.mark.local_run

WHOLE = f"{CATALOG}get_content_metadata/?traverse_pagination=true"
# Of very many dumps.
KEPT = 4
# Nearly the largest that is stored (DISC-17), and compresses to three quarters at best: in hexadecimal more than 4 MB.
LARGE = base64.b64encode(random.Random(7).randbytes(2_250_000)).decode()


def told(name: str) -> str:
    """Return the block of the page after the mark of this name."""
    (block,) = re.findall(rf"^\.\. {name}\n\n\.\. code-block:: \w+\n\n((?:    .+\n)+)", OPERATIONS, re.MULTILINE)
    return textwrap.dedent(block)


def run(command: str, *, directory: Path, environment: Mapping[str, str] | None = None, check: bool = True) -> int:
    done = subprocess.run(
        ["bash", "-ec", command], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert not (check and done.returncode), done.stdout + done.stderr
    return done.returncode


def client_of(server: MariaDB, directory: Path) -> Path:
    """Return a directory with an option file that connects the commands to this server as the service's user."""
    debian.ensure(["dump"])
    directory.mkdir(exist_ok=True)
    lines = ("[client]", "host = 127.0.0.1", f"port = {server.port}", f"user = {SERVICE_USER}")
    (directory / "client.cnf").write_text("\n".join([*lines, f'password = "{server.password}"']))
    return directory


def generation_of(answer: Response) -> int:
    """Return the generation of the catalog's query, from the header."""
    return int(answer.headers["X-Catalog-Generation"].rpartition("-")[2])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("service")) as running:
        yield running


def test_a_backup_is_taken_in_the_middle_of_a_refresh(stage, tmp_path, saw: Saw):
    """The restored service answers as the first one did; the run that was running is done again, by the id it had."""
    key = stage.sandbox.dataset.course_keys()[5]
    document = stage.sandbox.search_document("course", key)
    stage.sandbox.upsert_search(document | {"full_description": LARGE})
    assert stage.operator.wait_for(stage.refresh())["state"] == "published"
    shown = stage.operator.ask("GET", WHOLE)
    under_way = stage.refresh_in_the_middle()
    run(told("backup"), directory=client_of(stage.servers.mariadb, tmp_path))
    assert stage.run(under_way)["state"] == "running"
    later = COURSES | {"title": "Made after the dump"}
    lost = stage.operator.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=later)["uuid"]
    assert stage.operator.wait_for(under_way)["attempts"] == 1

    def restore(server: MariaDB, environment: Mapping[str, str]) -> None:
        client_of(server, tmp_path)
        assert run(told("restore"), directory=tmp_path, check=False) != 0
        with stage.admin(server) as admin:
            admin.query(told("packet"))
        run(told("restore"), directory=tmp_path)
        run(told("generations"), directory=tmp_path)
        run(told("verify"), directory=ROOT, environment=environment)

    with whole_service(variables=service_variables(stage.sandbox), directory=tmp_path, restore=restore) as service:
        operator = operator_of(service, stage.sandbox)
        restored = operator.ask("GET", WHOLE)
        assert restored.json() == shown.json()
        # COM-18: no tag that was given out after the dump is ever given again.
        assert generation_of(restored) > generation_of(shown) + 1000
        assert operator.ask("GET", f"/api/v1/enterprise-catalogs/{lost}/").status_code == 404
        ended = operator.wait_for(under_way)
        assert (ended["state"], ended["attempts"]) == ("published", 2)
        assert operator.call("GET", WHOLE) == shown.json()
        service.run("python", "manage.py", "check_consistency", "--deep")
    saw("the same answers; published in the second attempt")


@pytest.mark.thorough
def test_backups_are_taken_while_a_refresh_is_published(stage, throwaway_services, tmp_path, saw: Saw):
    """Each of them shows one moment: the tables agree."""
    for key in stage.sandbox.dataset.course_keys()[6::3]:
        stage.sandbox.touch(key)
    stage.sandbox.remove(stage.sandbox.dataset.course_keys()[8])
    under_way = stage.refresh_in_the_middle()
    taken = 0
    while not taken or not stage.is_published(under_way):
        run(told("backup"), directory=client_of(stage.servers.mariadb, tmp_path / str(taken % KEPT)))
        taken += 1
    fresh = throwaway_services.mariadb
    with stage.admin(fresh) as admin:
        admin.query(told("packet"))
    environment = {**stage.service.environment, "DATABASE_URL": fresh.service_url}
    # The last ones before it was published, and the first one after.
    for number in range(max(0, taken - KEPT), taken):
        run(told("restore"), directory=client_of(fresh, tmp_path / str(number % KEPT)))
        run(told("verify"), directory=ROOT, environment=environment)
    saw(f"{taken} dumps, the last {min(taken, KEPT)} of them restored")
