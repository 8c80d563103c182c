"""Stream a whole catalog as one answer, in JSON or XML, item by item (META-3)."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.http import HttpResponseBase
from rest_framework.request import Request

from enterprise_catalog.apps.catalog.reading.pages import ContentStream
from enterprise_catalog.apps.core.rest.renderers import XML_DECLARATION, to_json, to_xml, xml_element
from enterprise_catalog.apps.core.rest.streaming import stream


def stream_catalog(
    request: Request,
    *,
    read: Callable[[], ContentStream],
    fill: Callable[[bytes], bytes],
    tail: dict[str, Any],
    headers: Callable[[ContentStream], dict[str, str]],
) -> HttpResponseBase:
    """Stream `previous`, `next`, `count`, `results` and then `tail`, in the negotiated format."""
    is_xml = request.accepted_renderer.format == "xml"
    made: dict[str, str] = {}

    def pieces() -> Iterator[bytes]:
        content = read()
        made.update(headers(content))
        yield from _xml(content, fill, tail) if is_xml else _json(content, fill, tail)

    content_type = "application/xml; charset=utf-8" if is_xml else "application/json"
    return stream(request, pieces=pieces, content_type=content_type, headers=made)


def _json(content: ContentStream, fill: Callable[[bytes], bytes], tail: dict[str, Any]) -> Iterator[bytes]:
    yield b'{"previous":null,"next":null,"count":%d,"results":[' % content.count
    separator = b""
    for item in content.items:
        yield separator + fill(item)
        separator = b","
    yield b"]," + to_json(tail)[1:]


def _xml(content: ContentStream, fill: Callable[[bytes], bytes], tail: dict[str, Any]) -> Iterator[bytes]:
    head = to_xml({"previous": None, "next": None, "count": content.count})
    yield f"{XML_DECLARATION}<root>{head}<results>".encode()
    for item in content.items:
        yield xml_element("list-item", to_xml(orjson.loads(fill(item)))).encode()
    yield f"</results>{to_xml(tail)}</root>".encode()
