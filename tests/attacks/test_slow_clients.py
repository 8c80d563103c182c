"""64 slow clients of each kind send or read nothing, while others are served (SEC-1)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.attacks.conftest import ACME_CATALOG, Target
from tests.outcome_lines import Saw

pytestmark = [pytest.mark.attack, pytest.mark.local_run]

CLIENTS = 64
DRIP_SECONDS = 0.02
ROUNDS = 3
HEADERS = b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /api/v1/enterprise-catalogs/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
BODY = POST + b"Content-Length: 100000\r\n\r\n{"


def connect(target: Target, data: bytes, *, takes: int | None = None) -> socket.socket:
    client = socket.socket()
    if takes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
    client.settimeout(30)
    client.connect(target.address)
    client.sendall(data)
    return client


@contextmanager
def dripping(clients: list[socket.socket], byte: bytes) -> Iterator[None]:
    """Each client sends one more byte now and then."""
    over = threading.Event()

    def drip() -> None:
        while not over.wait(DRIP_SECONDS):
            for client in clients:
                client.sendall(byte)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def is_held(client: socket.socket) -> bool:
    """Whether the service has not ended the connection, and so has had to bear it all the time."""
    client.setblocking(False)
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True


def hold_and_ask(target: Target, open_one: Callable[[], socket.socket], saw: Saw, drip: bytes = b"") -> int:
    """Returns how many of the connections the service still holds when the others have been answered."""
    with ExitStack() as ends:
        clients = [ends.enter_context(open_one()) for _ in range(CLIENTS)]
        if drip:
            ends.enter_context(dripping(clients, drip))
        started = time.monotonic()
        answered = sum(target.must_serve() for _ in range(ROUNDS))
        seconds = time.monotonic() - started
        held = sum(map(is_held, clients))
        saw(f"{answered} requests of others took {seconds:.1f} s while {held} connections were held")
        return held


@pytest.mark.parametrize(
    ("begun", "drip"),
    [
        pytest.param(b"", b"", id="that say nothing"),
        pytest.param(b"G", b"", id="that send one byte"),
        pytest.param(HEADERS, b"", id="that send half of the headers"),
        pytest.param(HEADERS + b"X-Slow: ", b"x", id="whose headers drip"),
        pytest.param(BODY, b"", id="that send one byte of a body"),
        pytest.param(BODY, b" ", id="whose bodies drip"),
    ],
)
def test_many_clients(target: Target, begun: bytes, drip: bytes, saw: Saw) -> None:
    """Other callers are answered as ever (SEC-1, P12)."""
    assert hold_and_ask(target, lambda: connect(target, begun), saw, drip) == CLIENTS


@pytest.mark.parametrize(
    "path", ["get_content_metadata/?page_size=100", "get_content_metadata/?traverse_pagination=true"]
)
def test_many_clients_that_do_not_read(target: Target, path: str, saw: Saw) -> None:
    """Other callers are answered as ever (SEC-1, P12)."""
    token = target.token("reader", "enterprise_openedx_operator:*").encode()
    request = b"GET %s%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: JWT %s\r\n\r\n"
    asked = request % (ACME_CATALOG.encode(), path.encode(), token)
    assert hold_and_ask(target, lambda: connect(target, asked, takes=4096), saw) == CLIENTS


def test_many_idle_connections(target: Target, saw: Saw) -> None:
    """Connections that are kept open between two requests take no thread (SEC-1)."""
    hold_and_ask(target, lambda: connect(target, HEADERS + b"\r\n"), saw)
