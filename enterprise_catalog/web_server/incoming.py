"""
Tells when a request is whole, so that no thread has to wait for the rest of it (SEC-1).

It looks for the end only. Whether a request is well-formed, and what it says, is up to gunicorn's parser, which reads
these bytes and no others. Where the two see different ends, the parser finds too few bytes and refuses the request.
"""

import re
from tempfile import SpooledTemporaryFile

from enterprise_catalog.web_server.buffers import DiskBudget, close_file

_END_OF_HEADERS = b"\r\n\r\n"
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?=\r\n)", re.IGNORECASE)
# Python reads no number of thousands of digits.
_MAX_DIGITS = 18
_EXPECT_CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


class IncomingRequest:
    """The bytes of one request as they arrive: in memory up to `memory_bytes`, beyond that in a temporary file."""

    def __init__(self, budget: DiskBudget, *, memory_bytes: int, header_bytes: int, body_bytes: int) -> None:
        self._budget = budget
        self._on_disk = 0
        self._memory_bytes = memory_bytes
        self._header_bytes = header_bytes
        self._body_bytes = body_bytes
        self._file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=memory_bytes)  # noqa: SIM115
        # The last bytes, in which the end of the headers may have begun.
        self._tail = b""
        # Bytes of the whole request, known as soon as its headers are here.
        self._expected: int | None = None
        self.size = 0
        self.expects_continue = False
        # Too long, or not to be read to its end: the rest is not waited for, and it is refused for what is here.
        self.is_cut = False
        # The process keeps so many large requests already that there is no room for this one.
        self.has_no_room = False

    @property
    def has_headers(self) -> bool:
        return self._expected is not None

    @property
    def is_ready(self) -> bool:
        return self.is_cut or (self._expected is not None and self.size >= self._expected)

    def receive(self, data: bytes) -> bytes:
        """Take what belongs to this request; returns what comes after it."""
        if self._expected is None:
            joined = self._tail + data
            end = joined.find(_END_OF_HEADERS)
            if end < 0:
                self._append(data)
                self._reserve(self.size)
                # The parser takes no bare line feed; waiting for an end that it would see could take for ever.
                # What the first byte of a tail followed was looked at before.
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
        """The next bytes for the parser, from the first after `rewind`; none when there are no more."""
        return self._file.read(size)

    def rewind(self) -> None:
        self._file.seek(0)

    def close(self) -> None:
        close_file(self._file)
        self._budget.give_back(self._on_disk)
        self._on_disk = 0

    def _reserve(self, size: int) -> None:
        """Of the disk, for a request of this size; what is kept in memory needs none."""
        more = size - self._on_disk if size > self._memory_bytes and not self.is_cut else 0
        if more > 0 and self._budget.take(more):
            self._on_disk += more
        elif more > 0:
            self.is_cut = self.has_no_room = True

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def _body_length(self) -> int:
        self._file.seek(0)
        headers = self._file.read()
        lengths = _CONTENT_LENGTH.findall(headers)
        if len(lengths) != 1:
            # None, or several, which the parser refuses; so does the worker a body that comes in chunks.
            return 0
        if len(lengths[0]) > _MAX_DIGITS or int(lengths[0]) > self._body_bytes:
            self.is_cut = True
            return 0
        length = int(lengths[0])
        self.expects_continue = length > 0 and bool(_EXPECT_CONTINUE.search(headers))
        return length
