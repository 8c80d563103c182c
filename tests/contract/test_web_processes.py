"""How the web processes share their work, and what their connections may do (P9, P12, SEC-1, COM-16)."""

import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import psutil
import pytest
import requests

from tests.contract.test_metrics_port import has_booted, wait_for, web
from tests.security.environments import ROOT, environment

THREADS = 4
LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
# It asks the database, and waits for it.
READY = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n"
END = b"Connection: close\r\n\r\n"
POST = b"POST /api/v1/enterprise-catalogs/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@contextmanager
def silent_database():
    """An address that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"mysql://nobody:nothing@127.0.0.1:{server.getsockname()[1]}/none"


def held_connections(process: psutil.Process, port: int) -> int:
    return sum(
        connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port
        for connection in process.net_connections()
    )


def address(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rpartition(":")[2])


def connect(url: str, data: bytes = b"") -> socket.socket:
    connection = socket.create_connection(address(url), timeout=60)
    connection.sendall(data)
    return connection


def all_of(connection: socket.socket) -> bytes:
    received = b""
    while more := connection.recv(1_000_000):
        received += more
    return received


def test_no_process_takes_more_connections_than_it_has_threads_for(tmp_path):
    with (
        silent_database() as database,
        web(tmp_path, WEB_CONCURRENCY="2", DATABASE_URL=database) as (server, url),
        ExitStack() as ends,
    ):
        wait_for(lambda: has_booted(tmp_path, 2), server, tmp_path)
        workers = psutil.Process(server.pid).children()
        port = address(url)[1]
        for taken in range(1, 2 * THREADS + 1):
            ends.enter_context(connect(url, READY + b"\r\n"))
            wait_for(lambda: sum(held_connections(worker, port) for worker in workers) >= taken, server, tmp_path)  # noqa: B023
        assert [held_connections(worker, port) for worker in workers] == [THREADS, THREADS]
        # And again, as soon as there is a thread.
        with connect(url, LIVE + END) as waiting:
            assert waiting.recv(12) == b"HTTP/1.1 200"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    directory = tmp_path_factory.mktemp("served")
    with web(directory) as (_, url):
        yield url, directory / "log"


def test_requests_that_come_one_behind_the_other_are_answered_in_their_order(served):
    with connect(served[0], (LIVE + b"\r\n") * 3 + LIVE + END) as client:
        assert all_of(client).count(b"HTTP/1.1 200 OK") == 4


def test_a_body_without_a_length_is_refused_at_once(served):
    """COM-16: its end could be found only by reading it."""
    url, log = served
    answer = requests.post(f"{url}/api/v1/enterprise-catalogs/", data=iter([b"{}"]), timeout=10)
    assert (answer.status_code, answer.headers["Connection"]) == (411, "close")
    assert "request_refused" in log.read_text()


def test_too_long_a_body_is_refused_by_its_length_and_never_read(served):
    with connect(served[0], POST + b"Content-Length: 6000000\r\n\r\n{") as client:
        answer = all_of(client)
    # Who calls is asked first (AUTH-9).
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"\r\nConnection: close\r\n" in answer


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(served):
    with connect(served[0], POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n" + END) as client:
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert all_of(client).startswith(b"HTTP/1.1 401")


def test_two_lengths_are_refused_and_hide_no_second_request(served):
    hidden = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
    doubled = b"Content-Length: %d\r\nContent-Length: 0\r\n\r\n" % len(hidden)
    with connect(served[0], POST + doubled + hidden) as client:
        answer = all_of(client)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_stopping_process_answers_what_is_under_way(tmp_path):
    with web(tmp_path) as (server, url), connect(url, LIVE) as half, connect(url, LIVE + b"\r\n") as idle:
        assert idle.recv(12) == b"HTTP/1.1 200"
        server.send_signal(signal.SIGTERM)
        wait_for(lambda: "Handling signal: term" in (tmp_path / "log").read_text(), server, tmp_path)
        half.sendall(END)
        assert all_of(half).startswith(b"HTTP/1.1 200")
        assert all_of(idle).endswith(b"}")
        assert server.wait(60) == 0


def test_tls_in_the_web_process_is_refused_by_name(tmp_path):
    # Any two files: they are not opened.
    files = ["--certfile", "LICENSE", "--keyfile", "LICENSE"]
    command = [sys.executable, "-m", "gunicorn", "enterprise_catalog.wsgi", *files]
    started = subprocess.run(
        command, cwd=ROOT, env=environment("local", directory=tmp_path), capture_output=True, timeout=60, check=False
    )
    assert started.returncode != 0
    assert b"TLS" in started.stdout + started.stderr
