"""
Read all pages of a result: every distinct item, or an error (DISC-5, DISC-8).

A page is an object with a list of results, a constant count, and a `next` of which only the query string is used, so
its host is never followed. No page is held while the next one is requested, and paging always ends. If the items do not
agree with the count, an error is raised at the end. So a caller who reads to the end never takes a part for the whole.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

import structlog
from django.conf import settings

from enterprise_catalog.apps.core.packed_json import digest_bytes
from enterprise_catalog.apps.discovery.errors import DiscoveryIncomplete, DiscoveryMalformed, WindowExceeded

log = structlog.get_logger(__name__)

R = TypeVar("R", bound="Reading")
K = TypeVar("K", bound=Hashable)

# Pages may overlap while data changes, but paging that brings nothing new would never end.
_MAX_PAGES_WITHOUT_NEW_ITEMS = 3


class CountChanged(DiscoveryIncomplete):
    """The data changed while it was read, or the count does not fit: reading once more may help."""


class Reading(Protocol):
    """
    A result that was read to its end.

    `doubles` maps each identity that came more than once to the positions of its items.
    """

    @property
    def doubles(self) -> Mapping[Any, Sequence[int]]: ...


def read_reliably(read: Callable[[], R], *, on_change: Callable[[], None] = lambda: None) -> R:
    """
    Read, and read once more if the data changed meanwhile or an identity came twice (DISC-8).

    Both readings must show the same doubles at the same places, else DiscoveryIncomplete is raised: then they are not
    in discovery's data, but come from paging. `on_change` is called between the readings.
    """
    expected: Mapping[Any, Sequence[int]] = {}
    try:
        reading = read()
    except CountChanged as error:
        log.info("walk_read_again", reason=error.detail)
    else:
        if not reading.doubles:
            return reading
        expected = reading.doubles
        log.info("walk_read_again", reason="doubles", count=len(expected))
        # Two results at once would need twice the memory.
        del reading
    on_change()
    reading = read()
    if reading.doubles != expected:
        differing = len(expected.items() ^ reading.doubles.items())
        raise DiscoveryIncomplete(f"{differing} results came twice in one of two readings only, or at another place")
    return reading


def positions_of_doubles(identities: Iterable[K]) -> dict[K, tuple[int, ...]]:
    """Return the positions of each identity that comes more than once."""
    first: dict[K, int] = {}
    doubles: dict[K, tuple[int, ...]] = {}
    for position, identity in enumerate(identities):
        if identity in first:
            doubles[identity] = (*doubles.get(identity, (first[identity],)), position)
        else:
            first[identity] = position
    return doubles


def iterate_pages(
    ask: Callable[[str | None, str], dict[str, Any]],
    *,
    cursor_name: str,
    what: str,
    identify: Callable[[Any], Hashable | None],
    count_cap: int | None = None,
    on_count: Callable[[int], None] = lambda count: None,
) -> Iterator[Any]:
    """
    Yield all items in order, each identity once. An item without an identity (None) is always new.

    `ask(cursor, where)` fetches the first page (cursor None), or the one that `next` names by its parameter
    `cursor_name`; `where` names the page in errors. A count of `count_cap` means "at least". `on_count` gets the first
    page's count before the second page is requested.
    """
    tally = _Tally(identify, count_cap)
    cursor: str | None = None
    cursors: set[str] = set()
    while True:
        where = f"{what} page {tally.pages + 1}"
        answer = ask(cursor, where)
        items = tally.new_items(answer, where)
        if cursor is None:
            on_count(tally.count)
        cursor = _next_cursor(answer.get("next"), cursor_name, where)
        # Two pages at once would need twice the memory.
        del answer
        while items:
            yield items.pop()
        if cursor is None:
            tally.check_complete(what)
            return
        if _digest(cursor) in cursors:
            raise DiscoveryIncomplete(f"{where}: next leads back to a page that was read")
        cursors.add(_digest(cursor))


class _Tally:
    """Compares the items read so far with discovery's count."""

    def __init__(self, identify: Callable[[Any], Hashable | None], count_cap: int | None) -> None:
        self._identify = identify
        self._count_cap = count_cap
        # Digests, because identities may be of any length.
        self._identities: set[str] = set()
        self._without_identity = 0
        self.count = 0
        self._pages_without_new_items = 0
        self.pages = 0

    @property
    def _distinct(self) -> int:
        return len(self._identities) + self._without_identity

    def new_items(self, answer: dict[str, Any], where: str) -> list[Any]:
        count, results = _count(answer, where), _results(answer, where)
        if self.pages and count != self.count:
            raise CountChanged(f"{where}: count moved from {self.count} to {count}")
        self.count = count
        self.pages += 1
        new = [item for item in results if self._is_new(item)]
        # The caller takes items from the end.
        new.reverse()
        self._pages_without_new_items += not new
        if self._pages_without_new_items > _MAX_PAGES_WITHOUT_NEW_ITEMS:
            raise DiscoveryIncomplete(f"{where}: one more page without anything new")
        if max(count, self._distinct) > settings.DISCOVERY_MAX_ITEMS:
            raise WindowExceeded(f"{where}: more than {settings.DISCOVERY_MAX_ITEMS} items (DISCOVERY_MAX_ITEMS)")
        if count != self._count_cap and self._distinct > count:
            raise CountChanged(f"{where}: count says {count}, {self._distinct} distinct items came already")
        return new

    def check_complete(self, what: str) -> None:
        saturated = self.count == self._count_cap and self._distinct >= self.count
        if self._distinct != self.count and not saturated:
            raise CountChanged(f"{what}: count says {self.count}, {self._distinct} distinct items came")

    def _is_new(self, item: Any) -> bool:
        identity = self._identify(item)
        if identity is None:
            self._without_identity += 1
        elif (digest := _digest(identity)) in self._identities:
            return False
        else:
            self._identities.add(digest)
        return True


def _digest(identity: Hashable) -> str:
    return digest_bytes(repr(identity).encode())


def _count(answer: dict[str, Any], where: str) -> int:
    count = answer.get("count")
    if isinstance(count, bool) or not isinstance(count, int):
        raise DiscoveryMalformed(f"{where}: the count is no whole number")
    return count


def _results(answer: dict[str, Any], where: str) -> list[Any]:
    results = answer.get("results")
    if not isinstance(results, list):
        raise DiscoveryMalformed(f"{where}: no list of results")
    if len(results) > settings.DISCOVERY_LARGEST_PAGE:
        raise DiscoveryMalformed(
            f"{where}: {len(results)} items, at most {settings.DISCOVERY_LARGEST_PAGE} make a page"
        )
    return results


def _next_cursor(next_url: Any, cursor_name: str, where: str) -> str | None:
    if next_url is None:
        return None
    if isinstance(next_url, str) and len(next_url) > settings.DISCOVERY_NEXT_MAX_CHARACTERS:
        raise DiscoveryMalformed(f"{where}: next has {len(next_url)} characters")
    try:
        values = parse_qs(urlsplit(next_url).query).get(cursor_name, [])
    except (TypeError, ValueError, AttributeError) as error:
        raise DiscoveryMalformed(f"{where}: next is no URL") from error
    if len(values) != 1:
        raise DiscoveryMalformed(f"{where}: next names no {cursor_name}")
    return values[0]
