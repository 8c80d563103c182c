"""
Parse request bodies strictly: values that could not be stored or hashed as they were sent are refused (ERR-1).

The parser is Python's, not orjson, because a filter's hash needs exact numbers beyond 64 bits (HASH-1).
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
    Return the value of a JSON text.

    Raises ValueError, with a message for the caller, for everything that a JSON column could not hold.
    """
    try:
        text = body if isinstance(body, str) else body.decode(json.detect_encoding(body))
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        if _SURROGATE_ESCAPE.search(text):
            # Half of a surrogate pair parses, but no database stores it.
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
    """Parse a JSON body."""

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
    Parse a form as a JSON object: a name becomes a text, a repeated name a list of texts (CQ-4).

    Django's limit on the number of fields does not apply, because each element of a list is a field.
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
