"""
Fixtures of real workers on real servers, and of a discovery that can be told to fail.

`make faults` prints a line for each test.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings
from redis import Redis

from enterprise_catalog.sandbox.sandbox import Sandbox
from scripts import processes
from tests.outcome_lines import *  # noqa: F403
from tests.sandbox_services import point_settings_at

# Nothing here takes that long unless it hangs.
PATIENCE_SECONDS = 20
# What takes two minutes in production takes seconds here.
SHORT_TIMES = {"LEASE_SECONDS": "3", "TICK_SECONDS": "1"}


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """30 courses: three pages for a worker."""
    with Sandbox(courses=30, programs=2) as running:
        point_settings_at(running, settings)
        yield running


@pytest.fixture
def broker() -> Redis:
    """Return the queue of the workers, emptied."""
    redis = Redis.from_url(django_settings.CELERY_BROKER_URL)
    redis.flushdb()
    return redis


def eventually(happened: Callable[[], bool], *, patience: float = PATIENCE_SECONDS) -> float:
    """Wait for something that other processes do, and return the seconds until it was seen."""
    started = time.monotonic()
    while not happened():
        assert time.monotonic() < started + patience, "did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - started


@pytest.fixture
def silence() -> Iterator[None]:
    """Write no logs, which take a third of the time of thousands of steps."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Workers:
    """Celery workers of a test, each with a beat of its own unless told otherwise (ten beats do no harm)."""

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._mark = directory / "stopped"
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        *,
        stop_at: str | None = None,
        by: tuple[str, ...] = (),
        concurrency: int = 1,
        has_beat: bool = True,
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        """Start a worker. The first stops at the step `stop_at` of tests.faults.stepping; `by` runs the worker."""
        number = len(self._running)
        variables = self._environment | environment
        if stop_at:
            variables |= {"STOP_AT": stop_at, "STOP_MARK": str(self._mark)}
        worker = processes.spawn(
            [
                *[*by, "celery", "-A", "tests.faults.stepping" if stop_at else "enterprise_catalog", "worker"],
                *["--concurrency", str(concurrency), "--loglevel", "INFO", "--hostname", f"worker{number}"],
                *(["--beat"] if has_beat else []),
            ],
            log=self._directory / f"worker-{number}.log",
            env=variables,
        )
        self._running.append(worker)
        return worker

    def start_beat(self, *options: str) -> None:
        """Start a beat without a worker."""
        name = f"beat-{len(self._running)}"
        command = ["celery", "-A", "enterprise_catalog", "beat", "--loglevel", "INFO", *options]
        log = self._directory / f"{name}.log"
        self._running.append(processes.spawn(command, log=log, env=self._environment))

    def ticks_sent(self) -> int:
        """Return the ticks that beats without a worker sent."""
        logs = (path.read_text(errors="replace") for path in self._directory.glob("beat-*.log"))
        return sum(log.count("Sending due task tick") for log in logs)

    def stopped_at_its_step(self) -> bool:
        return self._mark.exists()

    def let_go(self) -> None:
        self._mark.with_suffix(".go").touch()

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """Kill parent and pool at once, as when a machine loses power."""
        processes.signal_group(worker, signal.SIGKILL)
        worker.wait()

    def kill_child(self) -> None:
        """Kill the process that is at its step and not its parent, as the kernel does without memory."""
        os.kill(int(self._mark.read_text()), signal.SIGKILL)

    def kill_children(self, worker: subprocess.Popen[bytes]) -> int:
        """Kill all child processes at once, with the beat in one of them, and return their number."""
        children = psutil.Process(worker.pid).children()
        for child in children:
            child.kill()
        return len(children)

    def stop(self) -> None:
        for worker in self._running:
            processes.signal_group(worker, signal.SIGCONT)
        processes.stop(*self._running, grace_seconds=10)

    def log_of(self, worker: subprocess.Popen[bytes]) -> str:
        return (self._directory / f"worker-{self._running.index(worker)}.log").read_text(errors="replace")

    def logs(self) -> str:
        return "\n".join(processes.tail(path, lines=60) for path in sorted(self._directory.glob("worker-*.log")))


@pytest.fixture
def workers(process_environment: dict[str, str], broker: Redis, sandbox: Sandbox, tmp_path: Path) -> Iterator[Workers]:
    environment = process_environment | {
        "DISCOVERY_SERVICE_URL": sandbox.url,
        "LMS_ROOT_URL": sandbox.url,
        "OAUTH2_PROVIDER_URL": f"{sandbox.url}/oauth2",
        "BACKEND_SERVICE_EDX_OAUTH2_KEY": sandbox.config.client_id,
        "BACKEND_SERVICE_EDX_OAUTH2_SECRET": sandbox.config.client_secret,
        "DISCOVERY_PAGE_SIZE": "10",
        **SHORT_TIMES,
    }
    workers = Workers(environment, tmp_path)
    yield workers
    workers.stop()
    print(workers.logs())
    # The test's own connection may still see the past.
    connection.close()
