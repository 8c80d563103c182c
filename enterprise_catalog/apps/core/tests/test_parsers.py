"""Bodies that could not be stored or hashed as they were sent are refused (ERR-1, HASH-1)."""

import pytest

from enterprise_catalog.apps.core.rest.parsers import parse_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\\ud83d"', r"\ud83d"),
    ],
)
def test_json_is_read(text, value):  # ERR-1, HASH-1
    assert parse_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *[b"", b"{", b"{'a': 1}", b"NaN", b"-Infinity", b"1e999", b'"\xff"', rb'"\ud83d"', b"[" * 100_000, b"9" * 5000],
        *[b'{"a": 1} {"b": 2}', b"\xef\xbb\xbf", b'{"a": "\x00"}'],
    ],
)
def test_other_bodies_are_refused(text):  # ERR-1, HASH-1
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
