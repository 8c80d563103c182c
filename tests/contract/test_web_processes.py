"""Web processes share their work, and limit what connections may do (P9, P12, SEC-1, COM-16)."""

import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import psutil
import pytest
import requests

from tests.contract.large_answers import PIECE, PIECES
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
    """An address that accepts connections and sends nothing."""
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
    received = bytearray()
    while more := connection.recv(1_000_000):
        received += more
    return bytes(received)


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


def test_a_file_is_sent_whole(served):
    answer = requests.get(f"{served[0]}/static/admin/css/base.css", headers={"Host": "localhost"}, timeout=10)
    assert len(answer.content) == int(answer.headers["Content-Length"]) > 0


def test_a_body_without_a_length_is_refused_at_once(served):
    """Its end could be found only by reading it (COM-16)."""
    url, log = served
    answer = requests.post(f"{url}/api/v1/enterprise-catalogs/", data=iter([b"{}"]), timeout=10)
    assert (answer.status_code, answer.headers["Connection"]) == (411, "close")
    assert "LengthRequired" in log.read_text()


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


# --- Clients that send or read slowly (SEC-1)

SHORT_TIMES = {
    "WEB_HEADER_SECONDS": "1",
    "WEB_BODY_SECONDS": "2",
    "WEB_STALL_SECONDS": "1",
    "WEB_ANSWER_SECONDS": "2",
}
HALF_A_BODY = POST + b"Content-Length: 1000\r\n\r\n{"
GET_LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def large_answers(directory, **variables):
    """Run a web process like the service's, with an application of the test's."""
    with web(directory, application="tests.contract.large_answers", **variables) as (_, url):
        yield url


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """Run a web process with short timeouts."""
    directory = tmp_path_factory.mktemp("impatient")
    with large_answers(directory, **SHORT_TIMES) as url:
        yield url, directory / "log"


def reader(url: str) -> socket.socket:
    """Request a large answer with a small buffer, so that most of it stays with the service."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(60)
    client.connect(address(url))
    client.sendall(GET_LARGE)
    return client


def is_broken_off(client: socket.socket) -> bool:
    """Check for a reset: after a clean end, an answer without a length would seem complete."""
    with pytest.raises(ConnectionResetError):
        all_of(client)
    return True


def is_cut_off(client: socket.socket, *, dripping: bytes) -> bool:
    """Return whether the service ends the connection, while bytes are sent from time to time."""
    client.settimeout(0.2)
    for _ in range(100):
        try:
            client.sendall(dripping)
            if not client.recv(1000):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize("dripping", [b"", b"x"], ids=["stops", "drips"])
@pytest.mark.parametrize("begun", [b"", b"G", LIVE, HALF_A_BODY], ids=["nothing", "a byte", "headers", "a body"])
def test_a_client_that_does_not_finish_its_request_is_cut_off(impatient, begun, dripping):
    with connect(impatient[0], begun) as client:
        assert is_cut_off(client, dripping=dripping)


def test_a_client_that_stops_reading_is_cut_off_and_the_log_counts_it(impatient):
    url, log = impatient
    counted = log.read_text().count("slow_clients_closed")
    with reader(url) as client:
        wait_until(lambda: log.read_text().count("slow_clients_closed") > counted)
        assert is_broken_off(client)


def read_a_little_at_a_time(client: socket.socket) -> None:
    for _ in range(100):
        assert client.recv(1000)
        time.sleep(0.1)


def test_a_client_that_reads_a_little_at_a_time_is_cut_off_in_the_end(impatient):
    with reader(impatient[0]) as client:
        with pytest.raises(ConnectionResetError):
            read_a_little_at_a_time(client)


def test_a_client_that_reads_all_the_time_does_not_stall(tmp_path):
    """For far longer than it may stall, it takes less than the kernel has for it."""
    with large_answers(tmp_path, WEB_STALL_SECONDS="1") as url, reader(url) as client:
        for _ in range(40):
            assert client.recv(1000)
            time.sleep(0.1)
        assert "slow_clients_closed" not in (tmp_path / "log").read_text()


def test_a_slow_client_that_goes_on_gets_all_of_its_answer_and_the_next(tmp_path):
    with large_answers(tmp_path) as url, reader(url) as client:
        client.sendall(LIVE + END)
        _, large, small = all_of(client).split(b"HTTP/1.1 200 OK")
        assert large.partition(b"\r\n\r\n")[2] == PIECE * PIECES
        assert small.partition(b"\r\n\r\n")[2] == PIECE


def test_a_client_that_vanishes_during_its_answer_ends_nothing_else(tmp_path):
    with large_answers(tmp_path) as url:
        for _ in range(3):
            with reader(url) as client:
                client.recv(1)
                vanish(client)
            with connect(url, LIVE + END) as other:
                assert all_of(other).startswith(b"HTTP/1.1 200")
    assert (tmp_path / "log").read_text().count("Booting worker") == 1


def vanish(client: socket.socket) -> None:
    """Close the connection with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_answers_that_nobody_reads_fill_no_disk(tmp_path):
    with large_answers(tmp_path, WEB_DISK_MEGABYTES="1") as url:
        with reader(url) as greedy:
            wait_until(lambda: "answer_broken_off" in (tmp_path / "log").read_text())
            assert is_broken_off(greedy)
        with connect(url, LIVE + END) as other:
            assert all_of(other).startswith(b"HTTP/1.1 200")


def test_of_more_clients_than_a_process_takes_the_idle_ones_go(tmp_path):
    with large_answers(tmp_path, GUNICORN_CMD_ARGS="--worker-connections 20") as url, ExitStack() as ends:
        for _ in range(50):
            ends.enter_context(connect(url))
        with connect(url, LIVE + END) as caller:
            assert all_of(caller).startswith(b"HTTP/1.1 200")


def test_of_more_clients_than_a_process_takes_the_last_one_stays(tmp_path):
    """Those that send a body have more time left than it."""
    with large_answers(tmp_path, GUNICORN_CMD_ARGS="--worker-connections 20") as url, ExitStack() as ends:
        for _ in range(25):
            ends.enter_context(connect(url, HALF_A_BODY))
        time.sleep(1)
        with connect(url) as caller:
            time.sleep(0.1)
            caller.sendall(LIVE + END)
            assert all_of(caller).startswith(b"HTTP/1.1 200")


def test_a_process_without_a_file_for_one_more_connection_goes_on(tmp_path):
    application = "tests.contract.large_answers"
    with web(tmp_path, application=application) as (server, url), ExitStack() as ends:
        (worker,) = psutil.Process(server.pid).children()
        before = worker.num_fds()
        worker.rlimit(psutil.RLIMIT_NOFILE, (before + 5, before + 5))
        clients = [ends.enter_context(connect(url, b"G")) for _ in range(8)]
        wait_until(lambda: "accept_failed" in (tmp_path / "log").read_text())
        for client in clients:
            client.close()
        with connect(url, LIVE + END) as caller:
            assert all_of(caller).startswith(b"HTTP/1.1 200")
    assert (tmp_path / "log").read_text().count("Booting worker") == 1


def test_connections_that_say_nothing_hold_up_nobody(tmp_path):
    with large_answers(tmp_path) as url, ExitStack() as ends:
        for _ in range(400):
            ends.enter_context(connect(url))
        started = time.monotonic()
        with connect(url, LIVE + END) as caller:
            assert all_of(caller).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 1


def wait_until(condition) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("did not happen")


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
