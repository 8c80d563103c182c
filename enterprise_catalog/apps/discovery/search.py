"""
Fetch everything that a content filter finds in discovery's search/all, or raise an error (DISC-2..9).

    1. request search v2, which pages by cursor; v1 if discovery has no v2
    2. read all pages, packing documents as they arrive, so that memory stays small
    3. read everything once more if the count does not fit, because the data may have changed, or if two documents have
       one key: discovery's keys are unique only per partner
    4. choose one document per key, and sort them, without skipped and quarantined documents

An error page is never taken for the last page, and no incomplete result is returned.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.core.uuids import canonical_uuid
from enterprise_catalog.apps.discovery.client import DiscoveryClient, EndpointNotFound
from enterprise_catalog.apps.discovery.errors import DiscoveryMalformed, DiscoveryRejected, WindowExceeded
from enterprise_catalog.apps.discovery.pagination import iterate_pages, positions_of_doubles, read_reliably
from enterprise_catalog.apps.discovery.records import fetch_courses
from enterprise_catalog.apps.discovery.search_documents import (
    FoundDocument,
    QuarantinedContent,
    SkippedDocument,
    classify_document,
    identity,
)
from enterprise_catalog.apps.discovery.search_request import search_request_body

_V1_PATH = "/api/v1/search/all/"
_V2_PATH = "/api/v2/search/all/"
# Beyond its cap discovery does not count. The number of hits is then estimated as this multiple of the cap.
_HITS_BEYOND_THE_CAP = 2
# Bytes that a document takes in memory beside its packed form, about: keys and columns.
_OVERHEAD_BYTES = 2_000
_FLAGS = {"exclude_expired_course_run": "True", "include_learner_pathways": "True"}


@dataclass(frozen=True)
class SearchResult:
    """
    A complete result.

    `documents` are sorted by content key (code points), each key once. `fetched` counts all that discovery returned,
    `skipped` those that this service does not offer (REFR-11).
    """

    documents: list[FoundDocument]
    fetched: int
    skipped: int
    quarantined: list[QuarantinedContent]


@dataclass(frozen=True)
class _Reading:
    """All documents of one reading, in discovery's order, and where documents of one type and key came."""

    found: list[FoundDocument]
    quarantined: list[QuarantinedContent]
    skipped: int
    doubles: dict[tuple[str, str], tuple[int, ...]]


def fetch_search(*, client: DiscoveryClient, content_filter: dict[str, Any]) -> SearchResult:
    """Return everything that this filter finds. Raises DiscoveryError."""
    body = search_request_body(content_filter)
    reading = read_reliably(lambda: _read(client, body), on_change=client.clear)
    documents, not_chosen = _one_per_key(reading.found, _confirmed_uuids(client, reading))
    fetched = len(reading.found) + len(reading.quarantined) + reading.skipped
    return SearchResult(documents, fetched, reading.skipped, reading.quarantined + not_chosen)


def _read(client: DiscoveryClient, body: dict[str, Any]) -> _Reading:
    try:
        return _collect(client, _search_v2(client, body))
    except EndpointNotFound:
        return _collect(client, _search_v1(client, body))


def _search_v2(client: DiscoveryClient, body: dict[str, Any]) -> Iterator[Any]:
    params = _FLAGS | {"page_size": settings.DISCOVERY_PAGE_SIZE}

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        if cursor is None:
            return client.post(_V2_PATH, params, body, where=where)
        try:
            # The body stays the same; a page number would override the cursor (DISC-3).
            return client.post(_V2_PATH, params | {"search_after": cursor}, body, where=where)
        except EndpointNotFound as error:
            # Discovery has v2: it answered the page before.
            raise DiscoveryRejected(error.detail) from error

    return _iterate(client, ask, cursor_name="search_after", what="search v2")


def _search_v1(client: DiscoveryClient, body: dict[str, Any]) -> Iterator[Any]:
    size = settings.DISCOVERY_PAGE_SIZE
    params = _FLAGS | {"page_size": size, "ordering": "aggregation_key,start"}

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        number = _page_number(cursor, where)
        if number * size > settings.DISCOVERY_WINDOW:
            raise WindowExceeded(
                f"{where}: beyond the {settings.DISCOVERY_WINDOW} hits that search v1 can page through"
            )
        return client.post(_V1_PATH, params | {"page": number}, body, where=where)

    return _iterate(client, ask, cursor_name="page", what="search v1")


def _iterate(
    client: DiscoveryClient, ask: Callable[[str | None, str], dict[str, Any]], *, cursor_name: str, what: str
) -> Iterator[Any]:
    """Yield all documents. Discovery stops counting hits at its cap (DISC-8)."""
    cap = settings.DISCOVERY_COUNT_CAP

    def announce_other_pages(count: int) -> None:
        hits = count if count != cap else cap * _HITS_BEYOND_THE_CAP
        client.announce(max(0, math.ceil(hits / settings.DISCOVERY_PAGE_SIZE) - 1))

    return iterate_pages(
        ask, cursor_name=cursor_name, what=what, identify=identity, count_cap=cap, on_count=announce_other_pages
    )


def _page_number(cursor: str | None, where: str) -> int:
    if cursor is None:
        return 1
    if not re.fullmatch("[0-9]{1,9}", cursor):
        raise DiscoveryMalformed(f"{where}: next names no page number")
    return int(cursor)


def _collect(client: DiscoveryClient, documents: Iterator[Any]) -> _Reading:
    found: list[FoundDocument] = []
    quarantined: list[QuarantinedContent] = []
    skipped = 0
    for document in documents:
        match classify_document(document):
            case FoundDocument() as accepted:
                client.hold(len(accepted.packed) + _OVERHEAD_BYTES)
                found.append(accepted)
            case QuarantinedContent() as rejected:
                client.hold(_OVERHEAD_BYTES)
                quarantined.append(rejected)
            case SkippedDocument():
                skipped += 1
    doubles = positions_of_doubles((document.content_type, document.content_key) for document in found)
    return _Reading(found, quarantined, skipped, doubles)


def _confirmed_uuids(client: DiscoveryClient, reading: _Reading) -> dict[str, str]:
    """Return the uuids, by key, that courses/ knows the courses by of which the search found several (DISC-8)."""
    keys = sorted(key for content_type, key in reading.doubles if content_type == "course")
    if not keys:
        return {}
    records = fetch_courses(client=client, keys=keys).packed
    uuids = {key: canonical_uuid(unpack(record).get("uuid")) for key, record in records.items()}
    return {key: uuid for key, uuid in uuids.items() if uuid}


def _one_per_key(
    found: list[FoundDocument], confirmed: Mapping[str, str]
) -> tuple[list[FoundDocument], list[QuarantinedContent]]:
    """
    Keep one document per key, the same one in whatever order they come, and quarantine the others.

    The document with the uuid in `confirmed` comes first, then the one with the smallest uuid.
    """

    def preference(document: FoundDocument) -> tuple[Any, ...]:
        key, uuid = document.content_key, document.content_uuid
        is_other = uuid is None or confirmed.get(key) != uuid
        return key, document.content_type, is_other, uuid is None, uuid or "", document.packed

    unique: list[FoundDocument] = []
    quarantined: list[QuarantinedContent] = []
    for document in sorted(found, key=preference):
        if unique and unique[-1].content_key == document.content_key:
            quarantined.append(QuarantinedContent(document.content_key, _why_not_chosen(document, unique[-1])))
        else:
            unique.append(document)
    return unique, quarantined


def _why_not_chosen(document: FoundDocument, chosen: FoundDocument) -> str:
    if document.content_type != chosen.content_type:
        return f"also the key of another document: {document.content_type}"
    return f"double: {document.content_uuid or 'this one'} has the key of {chosen.content_uuid or 'another document'}"
