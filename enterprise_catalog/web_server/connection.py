"""A client's connection, and the socket object of it that gunicorn's HTTP code uses."""

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
# SO_LINGER: on, for 0 seconds.
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Limits:
    """Limits of one client, in seconds and bytes; `gunicorn.conf.py` sets them and says why (SEC-1)."""

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
    The socket that gunicorn reads a request from and writes an answer to. It never waits.

    The whole request has arrived before gunicorn reads it, and bytes that the client does not take at once are kept.
    """

    def __init__(self, connection: "BufferedConnection") -> None:
        self._connection = connection

    def recv(self, size: int) -> bytes:
        return self._connection.incoming.read(size)

    def sendall(self, data: bytes) -> None:
        self._connection.write(data)

    def send(self, data: bytes) -> int:
        """Ignore gunicorn's `100 Continue`, which the event loop has already sent."""
        return len(data)

    def getsockname(self) -> Any:
        return self._connection.client_socket.getsockname()

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, blocking: bool) -> None:
        """Do nothing: neither reading nor writing ever blocks."""

    def shutdown(self, how: int) -> None:
        """Refuse to shut down: the event loop closes broken answers."""
        raise OSError(errno.ENOTCONN, "The event loop closes the connection.")

    def close(self) -> None:
        """Do nothing: the event loop closes the connection."""


class BufferedConnection(TConn):
    """
    A connection of a client, used by one thread at a time and therefore without locks.

    The event loop uses it while a request arrives and an answer is sent, a pool thread while the application works.
    `deadline` is the monotonic time at which the event loop closes it.
    """

    def __init__(
        self, cfg: Any, client_socket: socket.socket, client: Any, server: Any, *, limits: Limits, budget: DiskBudget
    ) -> None:
        super().__init__(cfg, client_socket, client, server)
        self.client_socket = client_socket
        # gunicorn's code uses this one from now on, and need not wait for the first byte.
        self.sock = BufferedSocket(self)
        self.data_ready = True
        self._limits = limits
        self._budget = budget
        self._outbox = Outbox(budget, memory_bytes=limits.memory_bytes)
        self._after_request = b""
        self._must_end_by = 0.0
        # Bytes in the kernel's send buffer at the last progress.
        self._in_kernel = 0
        self.keeps_open = True
        self.is_lingering = False
        self.has_written = False
        # Its answer was cut off.
        self.is_broken = False
        self.expect_request(within_seconds=limits.header_seconds)

    # --- Used by the event loop

    @property
    def is_idle(self) -> bool:
        """Whether no byte of a request has arrived yet."""
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
        """Take bytes from the client. Return True when a request is ready for the application."""
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
        """Begin the next request after an answer. Return True if the client has already sent it."""
        self.incoming.close()
        after, self._after_request = self._after_request, b""
        self.expect_request(within_seconds=self.cfg.keepalive)
        return bool(after) and self.receive(after)

    def begin_sending(self) -> None:
        now = time.monotonic()
        self._must_end_by = now + self._limits.answer_seconds
        self._progressed(now)

    def send_unsent(self) -> None:
        """Send what the client takes now. Raises OSError if it has disconnected."""
        if self._outbox.send(self.client_socket):
            self._progressed(time.monotonic())

    def has_taken_more(self) -> bool:
        """
        Extend the deadline if the client took bytes from the kernel's send buffer; return whether it has more time.

        The kernel reports room for more only when a third of its buffer is free. A slow client needs longer for that
        than it may stall.
        """
        before = self._in_kernel
        if not self.has_unsent or _bytes_in_kernel(self.client_socket) >= before:
            return False
        now = time.monotonic()
        self._progressed(now)
        return self.deadline > now

    def begin_lingering(self) -> None:
        """
        Shut down the sending side, and leave the client time to read the answer.

        Closing while the client still sends would discard the answer on its side (RFC 9112, 9.6).
        """
        self.is_lingering = True
        self.client_socket.shutdown(socket.SHUT_WR)
        self.deadline = time.monotonic() + self._limits.linger_seconds

    def close(self, graceful: bool = False) -> None:
        if self.is_broken or self.has_unsent:
            # Reset: after a clean end, an answer without a length would seem complete. The kernel drops its part, too.
            self.client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.incoming.close()
        self._outbox.clear()
        self.client_socket.close()

    def _progressed(self, now: float) -> None:
        self.deadline = min(self._must_end_by, now + self._limits.stall_seconds)
        self._in_kernel = _bytes_in_kernel(self.client_socket) if self.has_unsent else 0

    # --- Used by a pool thread

    @property
    def can_serve_more(self) -> bool:
        """Whether the next request begins where this one ends, for gunicorn's parser as for the event loop."""
        missing = getattr(self.parser.mesg.body.reader, "length", 0)
        return not (self.incoming.is_cut or missing or self.parser.unreader.buf.getvalue())

    def write(self, data: bytes) -> None:
        """Send, and keep what the client does not take. Raises BrokenPipeError if the disk budget is used up."""
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
    """Return the bytes that are sent but not acknowledged by the client yet."""
    try:
        return int.from_bytes(ioctl(sending, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        # Not every system reports it.
        return 0
