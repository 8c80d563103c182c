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
    settings = environment("local", directory=directory) | {
        "WEB_CONCURRENCY": "1",
        "WEB_BIND": f"127.0.0.1:{port}",
        "TMPDIR": str(directory / "tmp"),
    }
    command = [sys.executable, "-m", "gunicorn", application]
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


def test_it_serves_metrics_and_nothing_else_also_after_a_reload(tmp_path):
    metrics = f"http://127.0.0.1:{(port := processes.free_port())}"
    with web(tmp_path, METRICS_PORT=str(port)) as (server, url):
        for reload in range(1, 3):
            assert (status(f"{metrics}/metrics"), status(f"{metrics}/health/live"), status(f"{url}/metrics")) == (
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


def test_it_listens_on_ipv6(tmp_path):
    port = processes.free_port()
    with web(tmp_path, METRICS_PORT=str(port), METRICS_HOST="::1"):
        assert status(f"http://[::1]:{port}/metrics") == 200


def test_an_address_that_hides_it_stops_the_server(tmp_path):
    """gunicorn's --bind replaces all addresses of the configuration file."""
    settings = environment("local", directory=tmp_path) | {"METRICS_PORT": str(processes.free_port())}
    command = [sys.executable, "-m", "gunicorn", "enterprise_catalog.wsgi", "--bind", "127.0.0.1:0"]
    server = subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )
    assert server.returncode == 1
    assert "give the web address by WEB_BIND instead of --bind" in server.stderr
    assert "Listening at" not in server.stderr


def test_an_address_that_names_it_is_accepted(tmp_path):
    """Several --bind may list the metrics port themselves."""
    metrics, port = processes.free_port(), processes.free_port()
    command = [sys.executable, "-m", "gunicorn", "enterprise_catalog.wsgi"]
    command += ["--bind", f"127.0.0.1:{port}", "--bind", f"127.0.0.1:{metrics}"]
    settings = environment("local", directory=tmp_path) | {"WEB_CONCURRENCY": "1", "METRICS_PORT": str(metrics)}
    server = processes.spawn(command, log=tmp_path / "log", env=settings, cwd=ROOT)
    try:
        wait_for(lambda: status(f"http://127.0.0.1:{metrics}/metrics") == 200, server, tmp_path)
    finally:
        processes.stop(server, grace_seconds=10)


def test_zero_is_none(tmp_path):
    with web(tmp_path, METRICS_PORT="0"):
        listening = (tmp_path / "log").read_text().count("Listening at")
        addresses = (tmp_path / "log").read_text().partition("Listening at")[2].partition("\n")[0]
        assert (listening, addresses.count("http://")) == (1, 1)
