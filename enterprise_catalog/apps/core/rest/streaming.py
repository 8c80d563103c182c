"""
An answer of any length in constant memory and from one snapshot (META-3, EXP-1).

A failure before the first byte is an ordinary error; after it the exception goes up, so that the server breaks the
connection and a cut answer is never taken for a whole one. Nothing here collects what it sends.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

import structlog
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from enterprise_catalog.apps.core.db import replica
from enterprise_catalog.apps.core.db.snapshots import snapshot

log = structlog.get_logger(__name__)

# Items are sent in lumps: a write to the socket for each would cost more than the item.
_LUMP_BYTES = 64 * 1024


class _Primed:
    """A started generator whose first value is already known. Closing it ends the snapshot it reads from."""

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
    """What `pieces` yields, read in one snapshot. Headers may be added until the first piece."""

    def chunks() -> Generator[bytes]:
        with snapshot():
            yield from _lumps(pieces())

    started = _Primed(chunks())
    if request.method == "HEAD":
        with closing(started):
            return StreamingHttpResponse((), content_type=content_type, headers=headers)
    return StreamingHttpResponse(started, content_type=content_type, headers=headers)


def attachment(
    request: HttpRequest, *, pieces: Callable[[], Iterator[bytes]], content_type: str, filename: str
) -> HttpResponseBase:
    """The same, for a browser to keep as a file."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return stream(request, pieces=pieces, content_type=content_type, headers=headers)


def _lumps(pieces: Iterator[bytes]) -> Iterator[bytes]:
    lump = bytearray()
    for piece in pieces:
        lump += piece
        if len(lump) >= _LUMP_BYTES:
            yield bytes(lump)
            lump.clear()
    yield bytes(lump)
