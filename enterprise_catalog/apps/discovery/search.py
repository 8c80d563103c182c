"""
What a content filter finds: the complete result of discovery's search/all, or an error (DISC-2..9).

    1. ask search v2, which pages by cursor; where there is none, v1
    2. walk to the end, packing documents as pages arrive, so that memory stays small
    3. compare what came with the count; on a difference read everything once more, since the data may have moved
    4. sort: by content key, without what is skipped or poison

An error page is never a last page, and nothing incomplete ever leaves this module.
"""

from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings

from enterprise_catalog.apps.discovery.client import DiscoveryClient, NotThere
from enterprise_catalog.apps.discovery.documents import (
    FoundDocument,
    QuarantinedDocument,
    SkippedDocument,
    classify,
    identity,
)
from enterprise_catalog.apps.discovery.errors import DiscoveryMalformed, WindowExceeded
from enterprise_catalog.apps.discovery.filters import sent_filter
from enterprise_catalog.apps.discovery.walks import CountMoved, Page, walk

log = structlog.get_logger(__name__)

_V1_PATH = "/api/v1/search/all/"
_V2_PATH = "/api/v2/search/all/"
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
    quarantined: list[QuarantinedDocument]


@dataclass
class _Collected:
    """What a walk has brought so far."""

    identities: set[tuple[str, str]] = field(default_factory=set)
    without_id: int = 0
    skipped: int = 0
    count: int | None = None
    found: list[FoundDocument] = field(default_factory=list)
    quarantined: list[QuarantinedDocument] = field(default_factory=list)

    @property
    def distinct(self) -> int:
        return len(self.identities) + self.without_id

    def add(self, page: Page) -> None:
        self.count = page.count
        for document in page.results:
            own = identity(document)
            if own is None:
                self.without_id += 1
            elif own in self.identities:
                continue
            else:
                self.identities.add(own)
            match classify(document):
                case FoundDocument() as found:
                    self.found.append(found)
                case QuarantinedDocument() as quarantined:
                    self.quarantined.append(quarantined)
                case SkippedDocument():
                    self.skipped += 1

    def check_complete(self) -> None:
        """DISC-8: discovery stops counting at its cap, where the count means "at least"."""
        if self.count is None:
            raise DiscoveryMalformed("search: no count")
        saturated = self.count == settings.DISCOVERY_COUNT_CAP and self.distinct >= self.count
        if self.distinct != self.count and not saturated:
            raise CountMoved(f"search: count says {self.count}, {self.distinct} distinct documents came")


def fetch_search(*, client: DiscoveryClient, content_filter: dict[str, Any]) -> SearchResult:
    """Everything this filter finds. Raises DiscoveryError."""
    body = sent_filter(content_filter)
    try:
        return _fetch(client, body)
    except CountMoved as error:
        log.info("search_read_again", reason=error.detail)
    return _fetch(client, body)


def _fetch(client: DiscoveryClient, body: dict[str, Any]) -> SearchResult:
    try:
        collected = _walk_v2(client, body)
    except NotThere:
        collected = _walk_v1(client, body)
    collected.check_complete()
    return _sorted_result(collected)


def _walk_v2(client: DiscoveryClient, body: dict[str, Any]) -> _Collected:
    params = _FLAGS | {"page_size": settings.DISCOVERY_PAGE_SIZE}

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        # The cursor pages over the same body; a page number would override it (DISC-3).
        return client.post(_V2_PATH, params | ({"search_after": cursor} if cursor else {}), body, where=where)

    collected = _Collected()
    for page in walk(ask, cursor_name="search_after", what="search v2"):
        collected.add(page)
    return collected


def _walk_v1(client: DiscoveryClient, body: dict[str, Any]) -> _Collected:
    size = settings.DISCOVERY_PAGE_SIZE
    params = _FLAGS | {"page_size": size, "ordering": "aggregation_key,start"}

    def ask(cursor: str | None, where: str) -> dict[str, Any]:
        number = _page_number(cursor, where)
        if number * size > settings.DISCOVERY_WINDOW:
            raise WindowExceeded(
                f"{where}: beyond the {settings.DISCOVERY_WINDOW} hits that search v1 can page through"
            )
        return client.post(_V1_PATH, params | {"page": number}, body, where=where)

    collected = _Collected()
    for page in walk(ask, cursor_name="page", what="search v1"):
        collected.add(page)
    return collected


def _page_number(cursor: str | None, where: str) -> int:
    if cursor is None:
        return 1
    if not cursor.isdecimal():
        raise DiscoveryMalformed(f"{where}: next names no page number")
    return int(cursor)


def _sorted_result(collected: _Collected) -> SearchResult:
    documents: dict[str, FoundDocument] = {}
    quarantined = list(collected.quarantined)
    # A key names one content here; should two types share one, the same of them is kept each time.
    for found in sorted(collected.found, key=lambda document: (document.content_key, document.content_type)):
        if found.content_key in documents:
            quarantined.append(
                QuarantinedDocument(found.content_key, f"also the key of another type: {found.content_type}")
            )
        else:
            documents[found.content_key] = found
    return SearchResult(list(documents.values()), collected.distinct, collected.skipped, quarantined)
