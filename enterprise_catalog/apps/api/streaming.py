"""
A whole catalog as one answer, in constant memory and from one snapshot (META-3, EXP-1).

A failure before the first byte is an ordinary error; after it the exception goes up, so that the server breaks the
connection and a cut answer is never taken for a whole one. Nothing here collects what it sends.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import orjson
import structlog
from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from enterprise_catalog.apps.catalog.pages import ContentWalk
from enterprise_catalog.apps.core import replica
from enterprise_catalog.apps.core.db import snapshot
from enterprise_catalog.apps.core.renderers import XML_DECLARATION, to_json, to_xml, xml_element

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
            if replica.reads_replica():
                replica.leave_replica(because=error)
            raise

    def close(self) -> None:
        self._rest.close()


def stream_whole(
    request: Request,
    *,
    walk: Callable[[], ContentWalk],
    link: Callable[[bytes], bytes],
    tail: dict[str, Any],
    headers: Callable[[ContentWalk], dict[str, str]],
) -> HttpResponseBase:
    """`previous`, `next`, `count`, `results` and then the tail, in the format that was negotiated."""
    is_xml = request.accepted_renderer.format == "xml"
    made: dict[str, str] = {}

    def pieces() -> Iterator[bytes]:
        content = walk()
        made.update(headers(content))
        yield from _xml(content, link, tail) if is_xml else _json(content, link, tail)

    content_type = "application/xml; charset=utf-8" if is_xml else "application/json"
    return stream(request, pieces=pieces, content_type=content_type, headers=made)


def stream(
    request: Request, *, pieces: Callable[[], Iterator[bytes]], content_type: str, headers: dict[str, str]
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


def _json(content: ContentWalk, link: Callable[[bytes], bytes], tail: dict[str, Any]) -> Iterator[bytes]:
    yield b'{"previous":null,"next":null,"count":%d,"results":[' % content.count
    separator = b""
    for item in content.items:
        yield separator + link(item)
        separator = b","
    yield b"]," + to_json(tail)[1:]


def _xml(content: ContentWalk, link: Callable[[bytes], bytes], tail: dict[str, Any]) -> Iterator[bytes]:
    head = to_xml({"previous": None, "next": None, "count": content.count})
    yield f"{XML_DECLARATION}<root>{head}<results>".encode()
    for item in content.items:
        yield xml_element("list-item", to_xml(orjson.loads(link(item)))).encode()
    yield f"</results>{to_xml(tail)}</root>".encode()


def _lumps(pieces: Iterator[bytes]) -> Iterator[bytes]:
    lump = bytearray()
    for piece in pieces:
        lump += piece
        if len(lump) >= _LUMP_BYTES:
            yield bytes(lump)
            lump.clear()
    yield bytes(lump)
