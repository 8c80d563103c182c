"""
One document of a search result: of use, to be skipped, or poison (REFR-11, REFR-12, DISC-17).

A document that is of no use costs itself only. Nothing here raises for what a document holds (P7).
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from enterprise_catalog.apps.core.json_depth import is_deeper_than
from enterprise_catalog.apps.core.packed_json import pack_bytes

MAX_KEY_LENGTH = 255
# Before compression, so that memory and a database's packet stay bounded whatever a document compresses to.
MAX_STORED_BYTES = 3 * 1024 * 1024
# Each is a row of an index, and an entry of whatever lists the runs of several courses.
MAX_NESTED_RUNS = 5_000
# XML and whoever else recurses into items must get to their end.
_MAX_LEVELS = 100
_TOO_DEEP = f"nested too deeply, at most {_MAX_LEVELS} levels are allowed"

CONTENT_TYPES = frozenset({"course", "courserun", "program", "learnerpathway"})
_PRODUCT_SOURCES = frozenset({"2u", "edx"})
_COURSE_TYPES = frozenset(
    {
        "audit", "professional", "verified-audit", "credit-verified-audit", "masters", "masters-verified-audit",
        "verified",
        "spoc-verified-audit", "honor", "verified-honor", "credit-verified-honor", "executive-education-2u",
    }
)  # fmt: skip
# Only search v2 adds these, for its own paging (DISC-3).
# NUL is no text to some drivers. And MariaDB compares texts as if blanks followed: what sorts before a blank would come
# before the end of a shorter key, which it does nowhere else (ADR 0021).
_CONTROL = re.compile(r"[\x00-\x1f]")
_PAGING_FIELDS = frozenset({"aggregation_uuid", "sort"})


@dataclass(frozen=True)
class FoundDocument:
    """A document of use. `packed` is the search document as sent, by `core.packed_json`."""

    content_key: str
    content_type: str
    parent_content_key: str | None
    content_uuid: str | None
    packed: bytes


@dataclass(frozen=True)
class SkippedDocument:
    """A document this service does not offer."""

    reason: str


@dataclass(frozen=True)
class QuarantinedContent:
    """A document that cannot be stored or served, and why; `content_key` is empty if it has none, and cut to fit."""

    content_key: str
    reason: str


class InvalidDocument(ValueError):
    """The text is the reason to quarantine it."""


Classified = FoundDocument | SkippedDocument | QuarantinedContent


def classify_document(document: Any) -> Classified:
    """Say what a document of a search result is."""
    if not isinstance(document, dict):
        return QuarantinedContent("", "not an object")
    content_type, _, named = _text(document.get("aggregation_key")).partition(":")
    if content_type == "person" or document.get("content_type") == "person":
        return SkippedDocument("person")
    key: Any = document.get("key") or document.get("uuid")
    problem = _problem_with_type(content_type) or content_key_error(key)
    if problem:
        return QuarantinedContent(_text(key or named)[:MAX_KEY_LENGTH].replace("\x00", ""), problem)
    reason = _reason_to_skip(content_type, document)
    if reason:
        return SkippedDocument(reason)
    try:
        packed = pack_document({field: value for field, value in document.items() if field not in _PAGING_FIELDS})
    except InvalidDocument as error:
        return QuarantinedContent(key, str(error))
    return FoundDocument(
        content_key=key,
        content_type=content_type,
        parent_content_key=_parent(content_type, named),
        content_uuid=_uuid(document.get("uuid")),
        packed=packed,
    )


def pack_document(document: dict[str, Any]) -> bytes:
    """A document or record as it is stored. Raises Unstorable."""
    try:
        plain = orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        # The parser reads deeper nesting than the writer writes.
        raise InvalidDocument(_TOO_DEEP) from error
    if len(plain) > MAX_STORED_BYTES:
        raise InvalidDocument(f"{len(plain)} bytes as stored, at most {MAX_STORED_BYTES} are allowed")
    # Each level opens at least once, so most documents need no closer look.
    if plain.count(b"[") + plain.count(b"{") > _MAX_LEVELS and is_deeper_than(document, _MAX_LEVELS):
        raise InvalidDocument(_TOO_DEEP)
    runs = document.get("course_runs")
    if isinstance(runs, list) and len(runs) > MAX_NESTED_RUNS:
        raise InvalidDocument(f"{len(runs)} course runs, at most {MAX_NESTED_RUNS} are allowed")
    return pack_bytes(plain)


def identity(document: Any) -> tuple[str, str] | None:
    """What makes two documents of one result the same (DISC-8); None without an id, such documents count one by one."""
    if not isinstance(document, dict):
        return None
    key = document.get("key") or document.get("uuid")
    return (_text(document.get("content_type")), key) if isinstance(key, str) else None


def content_key_error(key: Any) -> str | None:
    """Why this cannot be a content key, or None if it can (DISC-17)."""
    if not key:
        return "no key and no uuid"
    if not isinstance(key, str):
        return "a key that is no text"
    if len(key) > MAX_KEY_LENGTH:
        return f"a key of {len(key)} characters, at most {MAX_KEY_LENGTH} are allowed"
    if _CONTROL.search(key):
        return "a key with control characters"
    if key != key.strip():
        return "a key with blanks at its ends"
    return None


def _problem_with_type(content_type: str) -> str | None:
    return None if content_type in CONTENT_TYPES else f"unknown type {content_type[:32]!r}"


def _reason_to_skip(content_type: str, document: dict[str, Any]) -> str | None:
    source = document.get("product_source")
    slug = source.get("slug") if isinstance(source, dict) else source
    if slug and _text(slug).lower() not in _PRODUCT_SOURCES:
        return "product source"
    course_type = document.get("course_type")
    if content_type == "course" and course_type and _text(course_type) not in _COURSE_TYPES:
        return "course type"
    return None


def _parent(content_type: str, named: str) -> str | None:
    """A run's aggregation key names its course."""
    if content_type != "courserun" or content_key_error(named):
        return None
    return named


def _uuid(value: Any) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
