"""Workers of `make run`, which use files as broker, no pool, and SQLite (P5)."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from scripts import processes
from scripts.run_tests import clean_environment
from scripts.sample_data import SAMPLES
from tests.contract.session import Session
from tests.contract.test_deployment_files import ROOT
from tests.faults.conftest import eventually
from tests.launched import Launched, all_gone

pytestmark = [pytest.mark.local_run, pytest.mark.thorough]

CATALOG = f"/api/v1/enterprise-catalogs/{SAMPLES[0].uuid}/"


@pytest.fixture
def launch(tmp_path) -> Iterator[Callable[[], Launched]]:
    """Each on the same data."""
    started: list[Launched] = []

    def start() -> Launched:
        started.append(Launched(tmp_path / "local"))
        started[-1].wait_until_serving()
        return started[-1]

    yield start
    processes.stop(*(launched.process for launched in started), grace_seconds=20)


def operator_of(launched: Launched) -> Session:
    return Session(f"http://127.0.0.1:{launched.port}", (launched.directory / "operator.jwt").read_text())


def test_the_embedded_worker_is_killed_at_work(launch, saw):
    """`make run` ends and says so; after the next one the refresh is done, once, within two minutes of the kill."""
    first = launch()
    hanging = {"endpoint": "search", "delay": 30, "times": 1}
    requests.post(f"http://127.0.0.1:{first.sandbox_port}/sandbox/faults", json=hanging, timeout=10).raise_for_status()
    operator = operator_of(first)
    run = f"/api/v1/refresh-runs/{operator.call('POST', f'{CATALOG}refresh_metadata/')['async_task_id']}/"
    eventually(lambda: operator.call("GET", run)["state"] == "running")
    family = first.family()
    worker = first.child("worker")
    assert worker.children() == [], "a pool, whose processes could be killed without an end of the worker"
    worker.kill()
    killed = time.monotonic()
    assert first.process.wait(60) == 1
    assert "worker ended with exit code -9" in first.printed
    assert all_gone(family)

    operator = operator_of(launch())
    eventually(lambda: operator.call("GET", run)["state"] == "published", patience=120)
    seconds = time.monotonic() - killed
    assert seconds < 120
    assert operator.call("GET", run)["attempts"] == 2
    local = clean_environment() | {"LOCAL_DATA_DIR": str(first.directory)}
    subprocess.run([sys.executable, "manage.py", "check_consistency", "--deep"], cwd=ROOT, env=local, check=True)
    saw(f"published {seconds:.0f} s after the kill, second attempt", recovery=seconds)
