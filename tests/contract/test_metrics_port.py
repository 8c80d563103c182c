"""The separate port for metrics, on a gunicorn that is started, reloaded and stopped (ADD-7)."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import requests

from scripts import processes
from tests.security.environments import ROOT, environment

# A fresh process imports everything.
START_SECONDS = 60


@contextmanager
def web(
    directory: Path, *, application: str = "enterprise_catalog.wsgi", **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A gunicorn with one worker, and its address; its temporary files are in `tmp` of the directory."""
    (directory / "tmp").mkdir()
    port = processes.free_port()
    settings = environment("local", directory=directory) | {"WEB_CONCURRENCY": "1", "TMPDIR": str(directory / "tmp")}
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"]
    server = processes.spawn(command, log=directory / "log", env=settings | variables, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: status(f"{url}/health/live") == 200, server, directory)
        yield server, url
    finally:
        processes.stop(server, grace_seconds=10)


def wait_for(condition, server, directory: Path) -> None:
    processes.wait_until(condition, process=server, log=directory / "log", what="web", seconds=START_SECONDS)


def status(url: str) -> int | None:
    with suppress(requests.ConnectionError):
        return requests.get(url, headers={"Host": "localhost"}, timeout=10).status_code
    return None


def has_booted(directory: Path, workers: int) -> bool:
    return (directory / "log").read_text().count("Booting worker") >= workers


def directories(directory: Path) -> list[Path]:
    return list((directory / "tmp").glob("enterprise-catalog-metrics-*"))


def test_it_serves_figures_and_nothing_else_also_after_a_reload(tmp_path):
    figures = f"http://127.0.0.1:{(port := processes.free_port())}"
    with web(tmp_path, METRICS_PORT=str(port)) as (server, url):
        for reload in range(1, 3):
            assert (status(f"{figures}/metrics"), status(f"{figures}/health/live"), status(f"{url}/metrics")) == (
                200,
                404,
                404,
            )
            server.send_signal(signal.SIGHUP)
            wait_for(partial(has_booted, tmp_path, 1 + reload), server, tmp_path)
            wait_for(lambda: status(f"{url}/health/live") == 200, server, tmp_path)
        assert server.poll() is None
        assert len(directories(tmp_path)) == 1
    assert directories(tmp_path) == []


def test_zero_is_none(tmp_path):
    with web(tmp_path, METRICS_PORT="0"):
        listening = (tmp_path / "log").read_text().count("Listening at")
        addresses = (tmp_path / "log").read_text().partition("Listening at")[2].partition("\n")[0]
        assert (listening, addresses.count("http://")) == (1, 1)
