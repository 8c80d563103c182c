"""Keep the rest of answers for slow clients: in memory while it is small, beyond that in temporary files."""

import socket
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import IO

# The most bytes that one call sends or receives.
CHUNK_BYTES = 256 * 1024
# After so many chunks other clients are served, because one may take a large answer as fast as the disk can read.
_CHUNKS_PER_EVENT = 4


class DiskBudget:
    """The bytes that one process may keep in files for slow clients. Pool threads and the event loop share it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._lock = Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if self._used + size > self._limit:
                return False
            self._used += size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._used -= size


class Outbox:
    """The bytes of an answer that the client has not taken yet."""

    def __init__(self, budget: DiskBudget, *, memory_bytes: int) -> None:
        self._budget = budget
        self._memory_bytes = memory_bytes
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._size = self._sent = self._tried_at = self._on_disk = 0

    @property
    def has_grown(self) -> bool:
        """Whether a chunk has been added since the last attempt to send: most pieces of an answer are far smaller."""
        return self._size - self._tried_at >= CHUNK_BYTES

    @property
    def is_empty(self) -> bool:
        return self._file is None

    def append(self, data: bytes | memoryview) -> bool:
        """Keep these bytes. Return False and keep nothing if the disk budget is used up."""
        size = self._size + len(data)
        more_on_disk = max(0, size - self._memory_bytes) - self._on_disk
        if more_on_disk and not self._budget.take(more_on_disk):
            return False
        self._on_disk += more_on_disk
        self._file = self._file or SpooledTemporaryFile(max_size=self._memory_bytes)  # noqa: SIM115
        self._file.seek(self._size)
        self._file.write(data)
        self._size = size
        return True

    def send(self, to: socket.socket) -> bool:
        """
        Send what the client takes without waiting. Return True if it took something.

        Raises OSError if the client has disconnected.
        """
        progress = False
        self._tried_at = self._size
        for _ in range(_CHUNKS_PER_EVENT):
            if self._file is None:
                break
            self._file.seek(self._sent)
            sent = send_now(to, self._file.read(CHUNK_BYTES))
            if not sent:
                break
            progress = True
            self._sent += sent
            if self._sent == self._size:
                self.clear()
        return progress

    def clear(self) -> None:
        if self._file is not None:
            close_file(self._file)
            self._file = None
        self._budget.give_back(self._on_disk)
        self._size = self._sent = self._tried_at = self._on_disk = 0


def close_file(file: IO[bytes]) -> None:
    """Close a file. A full disk may refuse the last bytes, which nobody reads."""
    with suppress(OSError):
        file.close()


def send_now(to: socket.socket, data: bytes | memoryview) -> int:
    """Send by a non-blocking socket and return the bytes it took, perhaps 0. Raises OSError if the peer is gone."""
    try:
        return to.send(data)
    except BlockingIOError:
        return 0
