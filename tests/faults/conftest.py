"""Real workers on real servers, and a discovery that can be told to fail."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from enterprise_catalog.sandbox.sandbox import Sandbox
from scripts import processes

# Nothing here takes that long unless it hangs.
PATIENCE_SECONDS = 60


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(courses=30, programs=2) as running:
        yield running


def eventually(happened: Callable[[], bool]) -> None:
    """Wait for something other processes do."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


class Workers:
    """Celery workers of a test, each with a beat of its own (ten beats do no harm)."""

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        number = len(self._running)
        worker = processes.spawn(
            [
                *["celery", "-A", "enterprise_catalog", "worker", "--concurrency", "1", "--loglevel", "INFO"],
                *["--beat", "--schedule", str(self._directory / f"schedule-{number}"), "--hostname", f"worker{number}"],
            ],
            log=self._directory / f"worker-{number}.log",
            env=self._environment,
        )
        self._running.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """Like a machine that loses power: parent and pool at once, nobody says goodbye."""
        processes.signal_group(worker, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        for worker in self._running:
            processes.signal_group(worker, signal.SIGCONT)
        processes.stop(*self._running, grace_seconds=10)

    def logs(self) -> str:
        return "\n".join(processes.tail(path, lines=60) for path in sorted(self._directory.glob("worker-*.log")))


@pytest.fixture
def workers(process_environment: dict[str, str], sandbox: Sandbox, tmp_path: Path) -> Iterator[Workers]:
    environment = process_environment | {
        "DISCOVERY_SERVICE_URL": sandbox.url,
        "LMS_ROOT_URL": sandbox.url,
        "OAUTH2_PROVIDER_URL": f"{sandbox.url}/oauth2",
        "BACKEND_SERVICE_EDX_OAUTH2_KEY": sandbox.config.client_id,
        "BACKEND_SERVICE_EDX_OAUTH2_SECRET": sandbox.config.client_secret,
        # What takes two minutes in production takes seconds here.
        "LEASE_SECONDS": "3",
        "TICK_SECONDS": "1",
        "DISCOVERY_PAGE_SIZE": "10",
    }
    workers = Workers(environment, tmp_path)
    yield workers
    workers.stop()
    print(workers.logs())
    # The test's own connection may still see the past.
    connection.close()
