"""
Collect the bytes of a request until it is complete, so that no thread waits for the rest (SEC-1).

Only the end of the request is searched for. gunicorn's parser decides whether a request is well-formed and what it
means, from these bytes and no others. If the parser sees another end, it finds too few bytes and refuses the request.
"""

import re
from tempfile import SpooledTemporaryFile

from enterprise_catalog.web_server.buffers import DiskBudget, close_file

_END_OF_HEADERS = b"\r\n\r\n"
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?=\r\n)", re.IGNORECASE)
# Python refuses numbers of thousands of digits.
_MAX_DIGITS = 18
_EXPECT_CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


class IncomingRequest:
    """The bytes of one request, in memory up to `memory_bytes`, beyond that in a temporary file."""

    def __init__(self, budget: DiskBudget, *, memory_bytes: int, header_bytes: int, body_bytes: int) -> None:
        self._budget = budget
        self._on_disk = 0
        self._memory_bytes = memory_bytes
        self._header_bytes = header_bytes
        self._body_bytes = body_bytes
        self._file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=memory_bytes)  # noqa: SIM115
        # The last bytes, which may hold the beginning of the end of the headers.
        self._tail = b""
        # Bytes of the whole request, known when its headers have arrived.
        self._expected: int | None = None
        self.size = 0
        self.expects_continue = False
        # Too long or malformed. The rest is not read, and the request is refused.
        self.is_cut = False
        # Other large requests use up the disk budget of the process.
        self.exceeds_disk_budget = False

    @property
    def has_headers(self) -> bool:
        return self._expected is not None

    @property
    def is_ready(self) -> bool:
        return self.is_cut or (self._expected is not None and self.size >= self._expected)

    def receive(self, data: bytes) -> bytes:
        """Take the bytes of this request, and return those that follow it."""
        if self._expected is None:
            joined = self._tail + data
            end = joined.find(_END_OF_HEADERS)
            if end < 0:
                self._append(data)
                self._reserve(self.size)
                # The parser refuses a bare line feed, so waiting for the end would be useless. The first byte of a
                # tail was checked with the byte before it.
                self.is_cut |= bool(_BARE_LINE_FEED.search(joined, 1 if self._tail else 0))
                self.is_cut |= self.size > self._header_bytes
                self._tail = joined[1 - len(_END_OF_HEADERS) :]
                return b""
            end += len(_END_OF_HEADERS) - len(self._tail)
            self._append(data[:end])
            data = data[end:]
            self._expected = self.size + self._body_length()
            self._reserve(self._expected)
        missing = self._expected - self.size
        if missing:
            self._append(data[:missing])
        return data[missing:]

    def read(self, size: int) -> bytes:
        """Return the next bytes for the parser; after `rewind` from the first one, at the end none."""
        return self._file.read(size)

    def rewind(self) -> None:
        self._file.seek(0)

    def close(self) -> None:
        close_file(self._file)
        self._budget.give_back(self._on_disk)
        self._on_disk = 0

    def _reserve(self, size: int) -> None:
        """Reserve disk budget for a request of this size, unless it fits in memory."""
        more = size - self._on_disk if size > self._memory_bytes and not self.is_cut else 0
        if more > 0 and self._budget.take(more):
            self._on_disk += more
        elif more > 0:
            self.is_cut = self.exceeds_disk_budget = True

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def _body_length(self) -> int:
        self._file.seek(0)
        headers = self._file.read()
        lengths = _CONTENT_LENGTH.findall(headers)
        if len(lengths) != 1:
            # No body, or several lengths, which the parser refuses. The worker refuses a body in chunks.
            return 0
        if len(lengths[0]) > _MAX_DIGITS or int(lengths[0]) > self._body_bytes:
            self.is_cut = True
            return 0
        length = int(lengths[0])
        self.expects_continue = length > 0 and bool(_EXPECT_CONTINUE.search(headers))
        return length
