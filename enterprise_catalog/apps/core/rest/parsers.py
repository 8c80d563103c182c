"""
Request bodies as JSON values, strictly: what could not be stored or hashed as it was sent is refused here (ERR-1).

Python's parser, not orjson: a content filter's hash depends on numbers beyond 64 bits staying what they are (HASH-1).
"""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(body: bytes | str) -> Any:
    """
    The value of a JSON text.

    Raises ValueError, with a text for the caller, for everything a JSON column could not hold.
    """
    try:
        text = body if isinstance(body, str) else body.decode(json.detect_encoding(body))
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        if _SURROGATE_ESCAPE.search(text):
            # Half of a character pair parses, but no database takes it.
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("Nested too deeply") from None
    except UnicodeError:
        raise ValueError("Not valid Unicode") from None
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("Number out of range")
    return number


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return parse_json(stream.read())
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error


class FormParser(BaseParser):
    """
    A form as the JSON object it was made from, as far as a form can tell: a name that stands once is text, one that
    is repeated is a list of texts (CQ-4). Without Django's limit on fields, since each element of a list is one.
    """

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str | list[str]]:
        values: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(stream.read().decode(), keep_blank_values=True, errors="strict")
        except UnicodeError as error:
            raise ParseError("Form parse error - Not valid Unicode") from error
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        return {name: texts if len(texts) > 1 else texts[0] for name, texts in values.items()}
