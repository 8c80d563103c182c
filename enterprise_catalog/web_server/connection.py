"""One client's connection, and the socket of it that gunicorn's HTTP code sees."""

import errno
import socket
import struct
import sys
import termios
import time
from dataclasses import dataclass
from fcntl import ioctl
from typing import Any

import structlog
from gunicorn.workers.gthread import TConn

from enterprise_catalog.web_server.buffers import DiskBudget, Outbox, send_now
from enterprise_catalog.web_server.incoming import IncomingRequest

log = structlog.get_logger(__name__)

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# On, for 0 seconds.
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes of one client; `gunicorn.conf.py` sets them and says why (SEC-1)."""

    header_seconds: float
    body_seconds: float
    answer_seconds: float
    stall_seconds: float
    linger_seconds: float
    memory_bytes: int
    header_bytes: int
    body_bytes: int


class BufferedSocket:
    """
    What gunicorn reads a request from and writes an answer to: reading never waits, since the request is here, and
    writing never waits, since what the client does not take at once is kept for it.
    """

    def __init__(self, connection: "BufferedConnection") -> None:
        self._connection = connection

    def recv(self, size: int) -> bytes:
        return self._connection.incoming.read(size)

    def sendall(self, data: bytes) -> None:
        self._connection.write(data)

    def send(self, data: bytes) -> int:
        """gunicorn sends `100 Continue` by this when the request is parsed; the event loop has sent it long before."""
        return len(data)

    def getsockname(self) -> Any:
        return self._connection.client_socket.getsockname()

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, blocking: bool) -> None:
        """Neither reading nor writing ever blocks."""

    def shutdown(self, how: int) -> None:
        """gunicorn would break off a broken answer here. The event loop does."""
        raise OSError(errno.ENOTCONN, "The event loop closes the connection.")

    def close(self) -> None:
        """The event loop closes the connection."""


class BufferedConnection(TConn):
    """
    A connection is used by one thread at a time, so nothing here is locked: by the event loop while a request comes in
    and an answer goes out, by a pool thread while the application works. `deadline` is the monotonic time at which the
    event loop closes it.
    """

    def __init__(
        self, cfg: Any, client_socket: socket.socket, client: Any, server: Any, *, limits: Limits, budget: DiskBudget
    ) -> None:
        super().__init__(cfg, client_socket, client, server)
        self.client_socket = client_socket
        # From here on, gunicorn's own code sees this one, and need not wait for the first byte.
        self.sock = BufferedSocket(self)
        self.data_ready = True
        self._limits = limits
        self._budget = budget
        self._outbox = Outbox(budget, memory_bytes=limits.memory_bytes)
        self._after_request = b""
        self._must_end_by = 0.0
        # Bytes that the kernel had for the client at the last progress.
        self._in_kernel = 0
        self.keeps_open = True
        self.is_lingering = False
        self.has_written = False
        # Its answer ends before its end.
        self.is_broken = False
        self.expect_request(within_seconds=limits.header_seconds)

    # --- The event loop's

    @property
    def is_idle(self) -> bool:
        """Nothing of a request has come yet."""
        return not self.incoming.size

    @property
    def has_unsent(self) -> bool:
        return not self._outbox.is_empty

    def expect_request(self, *, within_seconds: float) -> None:
        self.incoming = IncomingRequest(
            self._budget,
            memory_bytes=self._limits.memory_bytes,
            header_bytes=self._limits.header_bytes,
            body_bytes=self._limits.body_bytes,
        )
        self.deadline = time.monotonic() + within_seconds

    def receive(self, data: bytes) -> bool:
        """Take bytes of the client; True when a request is ready for the application."""
        now = time.monotonic()
        if self.is_idle:
            self.deadline = now + self._limits.header_seconds
        had_headers = self.incoming.has_headers
        self._after_request = self.incoming.receive(data)
        if self.incoming.is_ready:
            self.incoming.rewind()
            return True
        if self.incoming.has_headers:
            if not had_headers:
                self._must_end_by = now + self._limits.body_seconds
                if self.incoming.expects_continue:
                    send_now(self.client_socket, _CONTINUE)
            self._progressed(now)
        return False

    def next_request(self) -> bool:
        """After an answer: True when the client has sent the next request already."""
        self.incoming.close()
        after, self._after_request = self._after_request, b""
        self.expect_request(within_seconds=self.cfg.keepalive)
        return bool(after) and self.receive(after)

    def begin_sending(self) -> None:
        now = time.monotonic()
        self._must_end_by = now + self._limits.answer_seconds
        self._progressed(now)

    def send_unsent(self) -> None:
        """Send what the client takes now. Raises OSError when it is gone."""
        if self._outbox.send(self.client_socket):
            self._progressed(time.monotonic())

    def has_taken_more(self) -> bool:
        """
        Whether the client has taken bytes of the kernel's since the last progress, and so has more time. The kernel has
        room for more only when a third of its megabytes is gone, which takes a slow client longer than it may stall.
        """
        before = self._in_kernel
        if not self.has_unsent or _bytes_in_kernel(self.client_socket) >= before:
            return False
        now = time.monotonic()
        self._progressed(now)
        return self.deadline > now

    def begin_lingering(self) -> None:
        """
        Say that nothing more comes, and leave the client time to read it: closing while it still sends would discard
        the answer on its side (RFC 9112, 9.6).
        """
        self.is_lingering = True
        self.client_socket.shutdown(socket.SHUT_WR)
        self.deadline = time.monotonic() + self._limits.linger_seconds

    def close(self, graceful: bool = False) -> None:
        if self.is_broken or self.has_unsent:
            # An answer without a length would seem whole after a clean end, and the kernel would keep its part of it.
            self.client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.incoming.close()
        self._outbox.clear()
        self.client_socket.close()

    def _progressed(self, now: float) -> None:
        self.deadline = min(self._must_end_by, now + self._limits.stall_seconds)
        self._in_kernel = _bytes_in_kernel(self.client_socket) if self.has_unsent else 0

    # --- The pool thread's

    @property
    def can_serve_more(self) -> bool:
        """Whether the next request begins where this one ends, for the parser as for us."""
        missing = getattr(self.parser.mesg.body.reader, "length", 0)
        return not (self.incoming.is_cut or missing or self.parser.unreader.buf.getvalue())

    def write(self, data: bytes) -> None:
        """Send, and keep what the client does not take. Raises BrokenPipeError when there is no room for it."""
        rest = memoryview(data)
        self.has_written = True
        if self.has_unsent and self._outbox.has_grown:
            self._outbox.send(self.client_socket)
        if not self.has_unsent:
            rest = rest[send_now(self.client_socket, rest) :]
        if rest and not self._outbox.append(rest):
            log.warning("answer_broken_off", why="too much is kept for slow clients")
            raise BrokenPipeError(errno.EPIPE, "Too much is kept for slow clients.")


def _bytes_in_kernel(sending: socket.socket) -> int:
    """Sent, but not acknowledged by the peer yet."""
    try:
        return int.from_bytes(ioctl(sending, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        # Not every system tells.
        return 0
