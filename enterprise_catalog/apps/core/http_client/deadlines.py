"""
Reads that end at a given moment, however an answer drips, its headers included.

The read timeout of `requests` bounds the wait for the next byte only: a peer that sends one now and then could keep a
worker for days. Here each wait is also cut at the deadline of the whole answer. Never decides what is an error worth
retrying; a deadline that passed is a read timeout like any other.
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
    """A moment of the monotonic clock."""

    until: float = float("inf")

    def remaining(self) -> float:
        return self.until - time.monotonic()


class DeadlineAdapter(HTTPAdapter):
    """Transport of a session that one thread uses: whatever it reads, it reads before the deadline of the moment."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        connection_class = pool.ConnectionCls
        if "response_class" not in vars(connection_class):
            # The standard library makes every answer of a connection by its `response_class`, a tunnel's too.
            answers = {"response_class": functools.partial(_Answer, self._deadline)}
            pool.ConnectionCls = type(connection_class.__name__, (connection_class,), answers)
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
        patience = self._sock.gettimeout()
        if patience is None or remaining < patience:
            self._sock.settimeout(remaining)
        return cast(int | None, self._reads.readinto(buffer))

    def close(self) -> None:
        self._reads.close()
        super().close()
