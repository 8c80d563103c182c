"""
Walking over pages: every answer is one page of something, and the whole is complete or an error (DISC-5, DISC-8).

A page is an object with a list of results, a count that stays, and a `next` of which only the query is used: its host
is never followed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from enterprise_catalog.apps.discovery.errors import DiscoveryIncomplete, DiscoveryMalformed


class CountMoved(DiscoveryIncomplete):
    """The data changed under the walk, or the count does not fit what came: reading once more may help."""


@dataclass(frozen=True)
class Page:
    """`count` is what discovery says the whole walk holds; None where the endpoint counts nothing."""

    number: int
    count: int | None
    results: list[Any]


def walk(ask: Callable[[str | None, str], dict[str, Any]], *, cursor_name: str, what: str) -> Iterator[Page]:
    """
    All pages in order. `ask(cursor, where)` fetches the first page (cursor None) or the one that `next` names by its
    parameter `cursor_name`; `where` says in errors which page it is.
    """
    cursor: str | None = None
    seen: set[str] = set()
    number = 1
    count: int | None = None
    while True:
        where = f"{what} page {number}"
        answer = ask(cursor, where)
        page = _page(answer, number, where)
        if number > 1 and page.count != count:
            raise CountMoved(f"{where}: count moved from {count} to {page.count}")
        count = page.count
        yield page
        cursor = _next_cursor(answer.get("next"), cursor_name, where)
        if cursor is None:
            return
        if cursor in seen:
            raise DiscoveryIncomplete(f"{where}: next leads back to a page that was read")
        seen.add(cursor)
        number += 1


def _page(answer: dict[str, Any], number: int, where: str) -> Page:
    results = answer.get("results")
    count = answer.get("count")
    if not isinstance(results, list):
        raise DiscoveryMalformed(f"{where}: no list of results")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
        raise DiscoveryMalformed(f"{where}: the count is no number")
    return Page(number, count, results)


def _next_cursor(next_url: Any, cursor_name: str, where: str) -> str | None:
    if next_url is None:
        return None
    try:
        values = parse_qs(urlsplit(next_url).query).get(cursor_name, [])
    except (TypeError, ValueError, AttributeError) as error:
        raise DiscoveryMalformed(f"{where}: next is no URL") from error
    if len(values) != 1:
        raise DiscoveryMalformed(f"{where}: next names no {cursor_name}")
    return values[0]
