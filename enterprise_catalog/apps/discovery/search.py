"""
What a content filter finds: the complete result of discovery's search/all, or an error (DISC-2..9).

    1. ask search v2, which pages by cursor; where there is none, v1
    2. walk to the end, packing documents as pages arrive, so that memory stays small
    3. where the count does not fit what came, read everything once more, since the data may have moved
    4. sort by content key, without what is skipped or poison

An error page is never a last page, and nothing incomplete ever leaves this module.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from enterprise_catalog.apps.discovery.client import DiscoveryClient, EndpointNotFound
from enterprise_catalog.apps.discovery.errors import DiscoveryMalformed, DiscoveryRejected, WindowExceeded
from enterprise_catalog.apps.discovery.pagination import iterate_pages, retry_once_if_changed
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
# Where discovery stopped counting there is more, nobody knows how much: as large as catalogs usually are.
_HITS_BEYOND_THE_CAP = 2
# What holding a document takes beside its packed bytes, about: keys, and what is read out of it for its row.
_BYTES_BESIDE = 2_000
_FLAGS = {"exclude_expired_course_run": "True", "include_learner_pathways": "True"}


@dataclass(frozen=True)
class SearchResult:
    """
    A complete result. `documents` are sorted by content key (code points), each key once; `fetched` counts all that
    discovery returned, `skipped` those this service does not offer (REFR-11).
    """

    documents: list[FoundDocument]
    fetched: int
    skipped: int
    quarantined: list[QuarantinedContent]


def fetch_search(*, client: DiscoveryClient, content_filter: dict[str, Any]) -> SearchResult:
    """Everything this filter finds. Raises DiscoveryError."""
    body = search_request_body(content_filter)
    return retry_once_if_changed(lambda: _fetch(client, body), on_move=client.clear)


def _fetch(client: DiscoveryClient, body: dict[str, Any]) -> SearchResult:
    try:
        return _collected(client, _walk_v2(client, body))
    except EndpointNotFound:
        return _collected(client, _walk_v1(client, body))


def _walk_v2(client: DiscoveryClient, body: dict[str, Any]) -> Iterator[Any]:
    params = _FLAGS | {"page_size": settings.DISCOVERY_PAGE_SIZE}

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        if cursor is None:
            return client.post(_V2_PATH, params, body, where=where)
        try:
            # The cursor pages over the same body; a page number would override it (DISC-3).
            return client.post(_V2_PATH, params | {"search_after": cursor}, body, where=where)
        except EndpointNotFound as error:
            # It was there a page ago.
            raise DiscoveryRejected(error.detail) from error

    return _walk(client, ask, cursor_name="search_after", what="search v2")


def _walk_v1(client: DiscoveryClient, body: dict[str, Any]) -> Iterator[Any]:
    size = settings.DISCOVERY_PAGE_SIZE
    params = _FLAGS | {"page_size": size, "ordering": "aggregation_key,start"}

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        number = _page_number(cursor, where)
        if number * size > settings.DISCOVERY_WINDOW:
            raise WindowExceeded(
                f"{where}: beyond the {settings.DISCOVERY_WINDOW} hits that search v1 can page through"
            )
        return client.post(_V1_PATH, params | {"page": number}, body, where=where)

    return _walk(client, ask, cursor_name="page", what="search v1")


def _walk(
    client: DiscoveryClient, ask: Callable[[str | None, str], dict[str, Any]], *, cursor_name: str, what: str
) -> Iterator[Any]:
    """Discovery stops counting hits at its cap (DISC-8)."""
    cap = settings.DISCOVERY_COUNT_CAP

    def expect_the_other_pages(count: int) -> None:
        hits = count if count != cap else cap * _HITS_BEYOND_THE_CAP
        client.announce(max(0, math.ceil(hits / settings.DISCOVERY_PAGE_SIZE) - 1))

    return iterate_pages(
        ask, cursor_name=cursor_name, what=what, identify=identity, count_cap=cap, on_count=expect_the_other_pages
    )


def _page_number(cursor: str | None, where: str) -> int:
    if cursor is None:
        return 1
    if not re.fullmatch("[0-9]{1,9}", cursor):
        raise DiscoveryMalformed(f"{where}: next names no page number")
    return int(cursor)


def _collected(client: DiscoveryClient, documents: Iterator[Any]) -> SearchResult:
    found: list[FoundDocument] = []
    quarantined: list[QuarantinedContent] = []
    skipped = 0
    for document in documents:
        match classify_document(document):
            case FoundDocument() as of_use:
                client.hold(len(of_use.packed) + _BYTES_BESIDE)
                found.append(of_use)
            case QuarantinedContent() as poison:
                client.hold(_BYTES_BESIDE)
                quarantined.append(poison)
            case SkippedDocument():
                skipped += 1
    fetched = len(found) + len(quarantined) + skipped
    unique, doubles = _one_per_key(found)
    return SearchResult(unique, fetched, skipped, quarantined + doubles)


def _one_per_key(found: list[FoundDocument]) -> tuple[list[FoundDocument], list[QuarantinedContent]]:
    """A key names one content here; should several types share one, the same of them is kept each time."""
    unique: list[FoundDocument] = []
    doubles: list[QuarantinedContent] = []
    for document in sorted(found, key=lambda document: (document.content_key, document.content_type, document.packed)):
        if unique and unique[-1].content_key == document.content_key:
            reason = f"also the key of another document: {document.content_type}"
            doubles.append(QuarantinedContent(document.content_key, reason))
        else:
            unique.append(document)
    return unique, doubles
