"""
Stream answers of any length in constant memory and from one snapshot (META-3, EXP-1).

A failure before the first byte is an ordinary error. After it, the exception reaches the web server, which closes the
connection, so that nobody takes a cut answer for a complete one.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

import structlog
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from enterprise_catalog.apps.core.db import replica
from enterprise_catalog.apps.core.db.snapshots import snapshot

log = structlog.get_logger(__name__)

# Bytes. Items are sent together, because a write to the socket costs more than an item.
_CHUNK_BYTES = 64 * 1024


class _Primed:
    """A generator that has already yielded its first value. Closing it ends its snapshot."""

    def __init__(self, chunks: Generator[bytes]) -> None:
        self._first = next(chunks)
        self._rest = chunks

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self._first
            yield from self._rest
        except Exception as error:
            log.exception("stream_broken")
            if replica.is_reading_replica():
                replica.fall_back_to_primary(because=error)
            raise

    def close(self) -> None:
        self._rest.close()


def stream(
    request: HttpRequest, *, pieces: Callable[[], Iterator[bytes]], content_type: str, headers: dict[str, str]
) -> HttpResponseBase:
    """Stream what `pieces` yields, read in one snapshot. `headers` is read after the first piece."""

    def chunks() -> Generator[bytes]:
        with snapshot():
            yield from _chunked(pieces())

    started = _Primed(chunks())
    if request.method == "HEAD":
        with closing(started):
            return StreamingHttpResponse((), content_type=content_type, headers=headers)
    return StreamingHttpResponse(started, content_type=content_type, headers=headers)


def attachment(
    request: HttpRequest, *, pieces: Callable[[], Iterator[bytes]], content_type: str, filename: str
) -> HttpResponseBase:
    """Stream a download: an answer that a browser saves as a file."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return stream(request, pieces=pieces, content_type=content_type, headers=headers)


def _chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    chunk = bytearray()
    for piece in pieces:
        chunk += piece
        if len(chunk) >= _CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)
