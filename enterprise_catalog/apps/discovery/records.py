"""
Fetch full records by key, and course reviews (DISC-18, DISC-19, DISC-21).

A key that is missing in a complete answer does not exist. A failed or incomplete call is an error. A record that comes
twice is taken once (DISC-8).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any
from urllib.parse import quote_plus

import structlog
from django.conf import settings
from more_itertools import constrained_batches

from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.pagination import iterate_pages, positions_of_doubles, read_reliably
from enterprise_catalog.apps.discovery.search_documents import InvalidDocument, content_key_error, pack_document

log = structlog.get_logger(__name__)

_LIMIT = 200
# The largest value of the column.
_MAX_COUNT = 2**31 - 1


@dataclass(frozen=True)
class CourseReview:
    """Number of reviews and mean rating of a course."""

    course_key: str
    reviews_count: int
    avg_course_rating: float


@dataclass(frozen=True)
class FullRecords:
    """
    Packed full records by key, and why others cannot be used, by key.

    A key in neither does not exist. `doubles` maps keys that came more than once to the positions of their records.
    """

    packed: dict[str, bytes] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    doubles: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __or__(self, other: "FullRecords") -> "FullRecords":
        return FullRecords(
            self.packed | other.packed, self.unusable | other.unusable, {**self.doubles, **other.doubles}
        )


def fetch_courses(*, client: DiscoveryClient, keys: Sequence[str], include_restricted: bool = False) -> FullRecords:
    """
    Return full records by course key. Raises DiscoveryError.

    Runs restricted to enterprises are included only if `include_restricted` is set (V2-5).
    """
    extra = {"include_restricted": "custom-b2b-enterprise"} if include_restricted else {}
    return _fetch_by_key(client, "/api/v1/courses/", key_field="key", parameter="keys", keys=keys, extra=extra)


def fetch_programs(*, client: DiscoveryClient, uuids: Sequence[str]) -> FullRecords:
    """Return full records by program uuid. Raises DiscoveryError."""
    extended = {"extended": "True"}
    return _fetch_by_key(client, "/api/v1/programs/", key_field="uuid", parameter="uuids", keys=uuids, extra=extended)


@dataclass(frozen=True)
class _Reviews:
    reviews: list[CourseReview]
    # A review that comes twice is taken once, wherever it comes (DISC-21).
    doubles: Mapping[str, Sequence[int]] = field(default_factory=dict)


def fetch_reviews(*, client: DiscoveryClient) -> list[CourseReview]:
    """Return all course reviews, without malformed rows. Raises DiscoveryError."""

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        return client.get("/api/v1/course_review/", {"page": cursor or 1}, where=where)

    def read() -> _Reviews:
        rows = iterate_pages(
            ask, cursor_name="page", what="course reviews", identify=partial(_text_field, "course_key")
        )
        return _Reviews([review for row in rows if (review := _review(row)) is not None])

    return read_reliably(read, on_change=client.clear).reviews


def _fetch_by_key(
    client: DiscoveryClient,
    path: str,
    *,
    key_field: str,
    parameter: str,
    keys: Sequence[str],
    extra: dict[str, Any],
) -> FullRecords:
    records = FullRecords()
    chunks = list(_keys_per_request(keys))
    client.announce(len(chunks))
    for chunk in chunks:
        params = {parameter: ",".join(chunk), "ordering": "key", "limit": _LIMIT} | extra
        answered = read_reliably(partial(_read_records, client, path, params, key_field, frozenset(chunk)))
        client.hold(sum(map(len, answered.packed.values())))
        records |= answered
    return records


def _keys_per_request(keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Split keys so that each batch fits a request line. Keys with a comma, the separator, are left out."""
    return constrained_batches(
        sorted({key for key in keys if "," not in key}),
        settings.DISCOVERY_KEYS_MAX_CHARACTERS,
        settings.DISCOVERY_KEYS_PER_CALL,
        get_len=lambda key: len(quote_plus(key)) + len("%2C"),
        strict=False,
    )


def _read_records(
    client: DiscoveryClient, path: str, params: dict[str, Any], key_field: str, wanted: frozenset[str]
) -> FullRecords:
    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        return client.get(path, params | {"offset": cursor or 0}, where=where)

    found: list[tuple[str, bytes]] = []
    unusable: dict[str, str] = {}
    keys = []
    # Each record counts, since discovery's count includes those that its joins repeat (DISC-8).
    for record in iterate_pages(ask, cursor_name="offset", what=path, identify=lambda record: None):
        key = _text_field(key_field, record)
        # Discovery may match more loosely than by exact key.
        if key is None or key not in wanted:
            continue
        keys.append(key)
        try:
            error_text = content_key_error(key)
            if error_text:
                raise InvalidDocument(error_text)
            found.append((key, pack_document(record)))
        except InvalidDocument as error:
            log.warning("record_ignored", key=key, reason=str(error))
            unusable[key] = str(error)
    # The same one of several, in whatever order they come.
    packed = dict(sorted(found, reverse=True))
    return FullRecords(
        packed=packed,
        unusable={key: reason for key, reason in unusable.items() if key not in packed},
        doubles=positions_of_doubles(keys),
    )


def _text_field(field: str, row: Any) -> str | None:
    value = row.get(field) if isinstance(row, dict) else None
    return value if isinstance(value, str) else None


def _review(row: Any) -> CourseReview | None:
    course_key = _text_field("course_key", row)
    if course_key is None or content_key_error(course_key):
        return None
    try:
        count, rating = int(row["reviews_count"]), float(row["avg_course_rating"])
    except (KeyError, TypeError, ValueError, OverflowError):
        log.warning("review_ignored", course_key=course_key)
        return None
    return CourseReview(course_key, count, rating) if 0 <= count <= _MAX_COUNT and 0 <= rating < inf else None
