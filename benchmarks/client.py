"""
Send requests in a closed loop: each connection sends the next one as soon as it has an answer. Loopback only.

It uses plain sockets: it shares the machine's few cores with the service, and HTTP libraries take longer for a request
than the service does.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice

HOST = "127.0.0.1"
# Longer than anything that is measured.
SILENCE_SECONDS = 120
EXPECTED = (200, 304)
_RECEIVED_AT_ONCE = 1024 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Unanswered(Exception):
    """A connection ended, sent nothing in time, or had another status than the expected one."""


@dataclass(frozen=True)
class Timings:
    """Seconds of each request of a burst, in ascending order, and of the whole burst."""

    seconds: tuple[float, ...]
    elapsed: float
    received: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / self.elapsed

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share (0 to 1) of the requests was answered."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def request(path: str, *, token: str, **headers: str) -> bytes:
    """Return the bytes of a GET. Names of headers have underscores for hyphens."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", f"Authorization: JWT {token}", "Accept: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Answer:
    """One answer while it arrives. Bytes are counted, and kept only if wanted."""

    def __init__(self, *, keep: bool = False) -> None:
        self._head = b""
        self._length: int | None = None
        self._end = b""
        self._keep = keep
        self._parts: list[bytes] = []
        self.status = 0
        self.received = 0

    def feed(self, data: bytes) -> bool:
        """Take received bytes, and return whether the answer is complete."""
        if not self.status:
            self._head += data
            head, found, data = self._head.partition(_END_OF_HEAD)
            if not found:
                return False
            self._read_head(head)
        self.received += len(data)
        if self._keep:
            self._parts.append(data)
        if self._length is not None:
            return self.received >= self._length
        # JSON has no raw line ends, so that only the end of all chunks looks like this.
        self._end = (self._end + data)[-len(_LAST_CHUNK) :]
        return self._end == _LAST_CHUNK

    def _read_head(self, head: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
        if "content-length" in self.headers:
            self._length = int(self.headers["content-length"])
        elif self.headers.get("transfer-encoding") != "chunked":
            self._length = 0

    @property
    def body(self) -> bytes:
        raw = b"".join(self._parts)
        return raw if self._length is not None else _unchunked(raw)


def ask(port: int, question: bytes) -> Answer:
    """Return one answer with its body, on a connection of its own. Raises Unanswered."""
    answer = Answer(keep=True)
    with connect(port) as connection:
        connection.sendall(question)
        while not answer.feed(_receive(connection)):
            pass
        return answer


def burst(port: int, questions: Sequence[bytes], *, clients: int, count: int) -> Timings:
    """Send `count` requests in all, repeating the questions in order, over `clients` connections at once."""
    coming = islice(cycle(questions), count)
    return drive(port, [coming] * min(clients, count))


def drive(port: int, asked: Sequence[Iterator[bytes]], *, take: Callable[[int, Answer], None] | None = None) -> Timings:
    """
    Send the requests of each iterator on a connection of its own, one after the other; iterators may be shared.

    `take` is called with the number of the connection and each of its answers. Raises Unanswered.
    """
    seconds: list[float] = []
    received = 0
    with ExitStack() as ends:
        selector = ends.enter_context(selectors.DefaultSelector())
        connections = [ends.enter_context(connect(port)) for _ in asked]
        started = time.perf_counter()

        def ask_next(number: int) -> None:
            question = next(asked[number], None)
            if question is None:
                selector.unregister(connections[number])
                return
            pending = number, time.perf_counter(), Answer(keep=take is not None)
            selector.modify(connections[number], selectors.EVENT_READ, pending)
            connections[number].sendall(question)

        for number, connection in enumerate(connections):
            selector.register(connection, selectors.EVENT_READ)
            ask_next(number)
        while selector.get_map():
            ready = selector.select(SILENCE_SECONDS)
            if not ready:
                raise Unanswered(f"No answer within {SILENCE_SECONDS} s.")
            for key, _ in ready:
                number, asked_at, answer = key.data
                if not answer.feed(_receive(connections[number])):
                    continue
                seconds.append(time.perf_counter() - asked_at)
                if answer.status not in EXPECTED:
                    raise Unanswered(f"Status {answer.status}.")
                received += answer.received
                if take is not None:
                    take(number, answer)
                ask_next(number)
        elapsed = time.perf_counter() - started
    return Timings(tuple(sorted(seconds)), elapsed, received)


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(_RECEIVED_AT_ONCE)
    if not data:
        raise Unanswered("The connection ended.")
    return data


def connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout=SILENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _unchunked(raw: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        line_end = raw.index(b"\r\n", at)
        size = int(raw[at:line_end], 16)
        if not size:
            return b"".join(parts)
        parts.append(raw[line_end + 2 : line_end + 2 + size])
        at = line_end + 2 + size + 2
