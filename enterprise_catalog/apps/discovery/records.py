"""
Full records and reviews, asked for by key (DISC-18, DISC-19, DISC-21).

A complete answer in which a key is missing is an answer; a failing or incomplete call is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings

from enterprise_catalog.apps.core.db import in_chunks
from enterprise_catalog.apps.core.packing import pack
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.documents import MAX_STORED_BYTES
from enterprise_catalog.apps.discovery.walks import CountMoved, walk

log = structlog.get_logger(__name__)

_LIMIT = 200


@dataclass(frozen=True)
class CourseReview:
    """Number of reviews and mean rating of a course."""

    course_key: str
    reviews_count: int
    avg_course_rating: float


def fetch_courses(*, client: DiscoveryClient, keys: Sequence[str]) -> dict[str, bytes]:
    """Packed full records by course key; keys discovery does not know are absent. Raises DiscoveryError."""
    return _fetch_by_key(client, "/api/v1/courses/", key_field="key", parameter="keys", keys=keys, extra={})


def fetch_programs(*, client: DiscoveryClient, uuids: Sequence[str]) -> dict[str, bytes]:
    """Packed full records by program uuid; unknown ones are absent. Raises DiscoveryError."""
    extended = {"extended": "True"}
    return _fetch_by_key(client, "/api/v1/programs/", key_field="uuid", parameter="uuids", keys=uuids, extra=extended)


def fetch_reviews(*, client: DiscoveryClient) -> list[CourseReview]:
    """All course reviews, the last one of each course; rows that make no sense are left out. Raises DiscoveryError."""

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        return client.get("/api/v1/course_review/", {"page": cursor or 1}, where=where)

    reviews: dict[str, CourseReview] = {}
    for page in walk(ask, cursor_name="page", what="course reviews"):
        for row in page.results:
            review = _review(row)
            if review is not None:
                reviews[review.course_key] = review
    return list(reviews.values())


def _fetch_by_key(
    client: DiscoveryClient,
    path: str,
    *,
    key_field: str,
    parameter: str,
    keys: Sequence[str],
    extra: dict[str, Any],
) -> dict[str, bytes]:
    records: dict[str, bytes] = {}
    # A comma separates keys in the request, so a key that holds one cannot be asked for.
    askable = sorted({key for key in keys if "," not in key})
    for chunk in in_chunks(askable, settings.DISCOVERY_KEYS_PER_CALL):
        asked = {parameter: ",".join(chunk), "ordering": "key", "limit": _LIMIT} | extra
        wanted = set(chunk)
        for record in _walk_records(client, path, asked, key_field):
            # Discovery may match more loosely than we mean.
            if record.get(key_field) not in wanted:
                continue
            packed = pack(record)
            if len(packed) > MAX_STORED_BYTES:
                log.warning("record_too_large", key=record[key_field], bytes=len(packed))
                continue
            records[record[key_field]] = packed
    return records


def _walk_records(client: DiscoveryClient, path: str, asked: dict[str, Any], key_field: str) -> list[dict[str, Any]]:
    try:
        return _read_records(client, path, asked, key_field)
    except CountMoved as error:
        log.info("records_read_again", reason=error.detail)
    return _read_records(client, path, asked, key_field)


def _read_records(client: DiscoveryClient, path: str, asked: dict[str, Any], key_field: str) -> list[dict[str, Any]]:
    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        return client.get(path, asked | {"offset": cursor or 0}, where=where)

    records: list[Any] = []
    count: int | None = None
    for page in walk(ask, cursor_name="offset", what=path):
        records += page.results
        count = page.count
    objects = [record for record in records if isinstance(record, dict)]
    distinct = {record.get(key_field) for record in objects if isinstance(record.get(key_field), str)}
    without_key = len(records) - sum(isinstance(record.get(key_field), str) for record in objects)
    if count != len(distinct) + without_key:
        raise CountMoved(f"{path}: count says {count}, {len(distinct) + without_key} distinct records came")
    return objects


def _review(row: Any) -> CourseReview | None:
    try:
        review = CourseReview(str(row["course_key"]), int(row["reviews_count"]), float(row["avg_course_rating"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        log.warning("review_ignored")
        return None
    return review if review.reviews_count >= 0 and 0 <= review.avg_course_rating < float("inf") else None
