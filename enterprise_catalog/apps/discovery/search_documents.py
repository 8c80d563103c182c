"""
Accept, skip or quarantine each document of a search result (REFR-11, REFR-12, DISC-17).

A document that cannot be used does not affect the others: `classify_document` never raises (P7).
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.json_depth import is_deeper_than
from enterprise_catalog.apps.core.packed_json import digest_bytes, pack_bytes
from enterprise_catalog.apps.core.uuids import canonical_uuid

# Before compression, so that memory and packets of the database are bounded whatever a document compresses to.
MAX_STORED_BYTES = 3 * 1024 * 1024
# Each is a row of the index of nested runs, and is in every list of the runs of several courses.
MAX_NESTED_RUNS = 5_000
# The XML renderer and other code that recurses into items must not exceed Python's limit.
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
# Some drivers refuse NUL. MariaDB compares texts as if blanks followed, so a key with a character that sorts before the
# blank would sort before a shorter key, unlike everywhere else (ADR 0021).
_CONTROL = re.compile(r"[\x00-\x1f]")
# Callers cannot ask for such a key, since a blank in it is read as a plus sign (COM-12).
_BLANK = re.compile(r"\s")
# Search v2 adds these for its own paging (DISC-3).
_PAGING_FIELDS = frozenset({"aggregation_uuid", "sort"})


@dataclass(frozen=True)
class FoundDocument:
    """An accepted document. `packed` is the search document as discovery sent it, packed by `core.packed_json`."""

    content_key: str
    content_type: str
    parent_content_key: str | None
    content_uuid: str | None
    packed: bytes


@dataclass(frozen=True)
class SkippedDocument:
    """A document that this service does not offer."""

    reason: str


@dataclass(frozen=True)
class QuarantinedContent:
    """
    A document that cannot be stored or served, and why. `content_key` is cut to fit, and empty if there is none.

    The other fields say which content the document is of, as far as it can be read: a valid key, a uuid, a type, and
    whether it is a restricted run.
    """

    content_key: str
    reason: str
    readable_key: str | None = None
    content_uuid: str | None = None
    content_type: str | None = None
    restricted: bool = False


class InvalidDocument(ValueError):
    """The document must be quarantined; the message is the reason."""


Classified = FoundDocument | SkippedDocument | QuarantinedContent


def classify_document(document: Any) -> Classified:
    """Decide whether a document of a search result is accepted, skipped or quarantined."""
    if not isinstance(document, dict):
        return QuarantinedContent("", "not an object")
    content_type, _, aggregated_key = _text(document.get("aggregation_key")).partition(":")
    if content_type == "person" or document.get("content_type") == "person":
        return SkippedDocument("person")
    key: Any = document.get("key") or document.get("uuid")
    error_text = _content_type_error(content_type) or content_key_error(key) or _unreadable_field(document)
    if error_text:
        return _quarantined(document, error_text)
    reason = _reason_to_skip(content_type, document)
    if reason:
        return SkippedDocument(reason)
    try:
        packed = pack_document({field: value for field, value in document.items() if field not in _PAGING_FIELDS})
    except InvalidDocument as error:
        return _quarantined(document, str(error))
    return FoundDocument(
        content_key=key,
        content_type=content_type,
        parent_content_key=_parent_key(content_type, aggregated_key),
        content_uuid=canonical_uuid(document.get("uuid")),
        packed=packed,
    )


def _quarantined(document: dict[str, Any], reason: str) -> QuarantinedContent:
    type_text, _, aggregated_key = _text(document.get("aggregation_key")).partition(":")
    key = document.get("key") or document.get("uuid")
    shown_key = _text(key or aggregated_key)[:CONTENT_KEY_MAX_LENGTH].replace("\x00", "")
    content_type = type_text or _text(document.get("content_type"))
    if content_type not in CONTENT_TYPES and content_type:
        # Something else, whatever its key is.
        return QuarantinedContent(shown_key, reason)
    own_key = document.get("key") if content_type in ("course", "courserun") else key
    return QuarantinedContent(
        content_key=shown_key,
        reason=reason,
        readable_key=own_key if content_key_error(own_key) is None else None,
        content_uuid=canonical_uuid(document.get("uuid")),
        content_type=content_type or None,
        restricted=document.get("restriction_type") is not None,
    )


def pack_document(document: dict[str, Any]) -> bytes:
    """Pack a document or record for storage. Raises InvalidDocument."""
    try:
        plain = orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        # orjson parses deeper nesting than it serialises.
        raise InvalidDocument(_TOO_DEEP) from error
    if len(plain) > MAX_STORED_BYTES:
        raise InvalidDocument(f"{len(plain)} bytes as stored, at most {MAX_STORED_BYTES} are allowed")
    # Each level has an opening bracket, so most documents need not be searched.
    if plain.count(b"[") + plain.count(b"{") > _MAX_LEVELS and is_deeper_than(document, _MAX_LEVELS):
        raise InvalidDocument(_TOO_DEEP)
    runs = document.get("course_runs")
    if isinstance(runs, list) and len(runs) > MAX_NESTED_RUNS:
        raise InvalidDocument(f"{len(runs)} course runs, at most {MAX_NESTED_RUNS} are allowed")
    return pack_bytes(plain)


def identity(document: Any) -> tuple[str, str, str] | None:
    """
    Return the identity of a document within a result (DISC-8): type, key and a digest of all it says.

    The same document on two pages comes from paging and counts once. Two documents with one key are discovery's own and
    count twice. None, which always counts, if there is no key and no uuid, or the document is nested too deeply.
    """
    if not isinstance(document, dict):
        return None
    key = document.get("key") or document.get("uuid")
    if not isinstance(key, str):
        return None
    try:
        return _text(document.get("content_type")), key, digest_bytes(orjson.dumps(document))
    except orjson.JSONEncodeError:
        return None


def content_key_error(key: Any) -> str | None:
    """Return why this cannot be a content key, or None if it can (DISC-17)."""
    if not key:
        return "no key and no uuid"
    if not isinstance(key, str):
        return "a key that is no text"
    if len(key) > CONTENT_KEY_MAX_LENGTH:
        return f"a key of {len(key)} characters, at most {CONTENT_KEY_MAX_LENGTH} are allowed"
    if _CONTROL.search(key):
        return "a key with control characters"
    if _BLANK.search(key):
        return "a key with blanks"
    return None


def _content_type_error(content_type: str) -> str | None:
    return None if content_type in CONTENT_TYPES else f"unknown type {content_type[:32]!r}"


def _unreadable_field(document: dict[str, Any]) -> str | None:
    """Return which of the fields that decide whether the document is offered cannot be read, or None."""
    source = document.get("product_source")
    slug = source.get("slug") if isinstance(source, dict) else source
    for field, value in (("product_source", slug), ("course_type", document.get("course_type"))):
        if value and not isinstance(value, str):
            return f"a {field} that cannot be read"
    return None


def _reason_to_skip(content_type: str, document: dict[str, Any]) -> str | None:
    source = document.get("product_source")
    slug = source.get("slug") if isinstance(source, dict) else source
    if slug and _text(slug).lower() not in _PRODUCT_SOURCES:
        return "product source"
    course_type = document.get("course_type")
    if content_type == "course" and course_type and _text(course_type) not in _COURSE_TYPES:
        return "course type"
    return None


def _parent_key(content_type: str, aggregated_key: str) -> str | None:
    """Return the key of a run's course, which is in the run's aggregation key."""
    if content_type != "courserun" or content_key_error(aggregated_key):
        return None
    return aggregated_key


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
