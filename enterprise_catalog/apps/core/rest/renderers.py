"""
Render answers as JSON with orjson, or as well-formed XML (COM-4, COM-5, COM-13).

Items are rendered when they are stored. `RawJson` passes their bytes on unchanged.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson
from django.utils.encoding import force_str
from rest_framework.renderers import BaseRenderer

XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
# Characters that XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Colons would be namespace prefixes, and names that begin with "xml" are reserved.
_NAME = re.compile(r"(?!xml)[a-z_][a-z0-9_.-]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class RawJson:
    """A value that is already rendered as JSON."""

    json: bytes


# Without the last one, orjson would write `RawJson` as an object.
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS


def to_json(value: Any) -> bytes:
    """Render a value as JSON, with datetimes in UTC (COM-13)."""
    return orjson.dumps(value, default=_default, option=_OPTIONS)


def _default(value: Any) -> Any:
    return orjson.Fragment(value.json) if isinstance(value, RawJson) else force_str(value)


def to_xml(value: Any) -> str:
    """
    Render a value as the content of an XML element.

    List elements become `<list-item>`, null becomes nothing, and keys that are not XML names `<item key="...">`.
    """
    return "".join(_pieces(value))


def xml_element(key: str, inside: str) -> str:
    """Wrap rendered content in an element."""
    if _NAME.fullmatch(key):
        return f"<{key}>{inside}</{key}>"
    return f"<item key={quoteattr(_FORBIDDEN.sub('', key))}>{inside}</item>"


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, RawJson):
        value = orjson.loads(value.json)
    if isinstance(value, Mapping):
        yield from (xml_element(str(key), to_xml(member)) for key, member in value.items())
    elif isinstance(value, list | tuple):
        yield from (xml_element("list-item", to_xml(member)) for member in value)
    elif isinstance(value, bool | int | float):
        yield str(value)
    elif isinstance(value, str):
        yield escape(_FORBIDDEN.sub("", value), {"\r": "&#13;"})
    elif value is not None:
        # Dates and uuids look as in JSON.
        yield to_xml(orjson.loads(to_json(value)))


class JSONRenderer(BaseRenderer):
    """Render JSON, the default format."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else to_json(data)


class XMLRenderer(BaseRenderer):
    """Render XML, for browsers and for callers who ask for it."""

    media_type = "application/xml"
    format = "xml"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        return f"{XML_DECLARATION}<root>{to_xml(data)}</root>".encode()
