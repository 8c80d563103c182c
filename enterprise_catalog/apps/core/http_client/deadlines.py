"""
Bound the time in which a whole answer, headers included, must have arrived.

The read timeout of `requests` bounds only the wait for the next byte: a service that sends one now and then could keep
a worker for days. Here each wait also ends at the deadline of the whole answer, as a read timeout.
"""

import functools
import io
import socket
import time
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool


@dataclass
class Deadline:
    """A time of the monotonic clock, in seconds."""

    until: float = float("inf")

    def remaining(self) -> float:
        return self.until - time.monotonic()


class DeadlineAdapter(HTTPAdapter):
    """Transport adapter of a session that one thread uses. It reads nothing after the deadline that is set."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        connection_class = pool.ConnectionCls
        if "response_class" not in vars(connection_class):
            # The standard library creates each answer with the connection's `response_class`, those of proxies too.
            attributes = {"response_class": functools.partial(_Answer, self._deadline)}
            pool.ConnectionCls = type(connection_class.__name__, (connection_class,), attributes)
        return pool


class _Answer(HTTPResponse):
    def __init__(self, deadline: Deadline, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReads(deadline, sock, self.fp.detach()))


class _DeadlineReads(io.RawIOBase):
    def __init__(self, deadline: Deadline, sock: socket.socket, reads: io.RawIOBase) -> None:
        self._deadline = deadline
        self._sock = sock
        self._reads = reads

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline.remaining()
        if remaining <= 0:
            raise TimeoutError("the answer took too long")
        timeout = self._sock.gettimeout()
        if timeout is None or remaining < timeout:
            self._sock.settimeout(remaining)
        return cast(int | None, self._reads.readinto(buffer))

    def close(self) -> None:
        self._reads.close()
        super().close()
