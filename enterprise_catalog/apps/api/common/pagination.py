"""
Pages and their envelopes (COM-6 to COM-10). Arithmetic on numbers and URLs only: whoever asks brings the count and
cuts the page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.conf import settings
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

# Beyond any page number and size; so few digits that an offset fits every database's integers.
_MOST_DIGITS = 10


@dataclass(frozen=True)
class PageRequest:
    """What the caller asked for; `number` is None for the last page, and 0 for what can be none."""

    number: int | None
    size: int

    def offset(self, count: int) -> int:
        """How many of a set of `count` results come before the page, also before one beyond the end."""
        number = _last_page(count, self.size) if self.number is None else self.number
        return max(0, number - 1) * self.size


@dataclass(frozen=True)
class Page:
    """A page that exists, of a set of `count` results."""

    number: int
    size: int
    count: int

    @property
    def last(self) -> int:
        return _last_page(self.count, self.size)

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def page_request(request: Request) -> PageRequest:
    """Read `page` and `page_size` (COM-7, COM-8)."""
    number = request.query_params.get("page") or "1"
    if len(number) > settings.PAGE_MAX_CHARACTERS:
        number = ""
    return PageRequest(
        number=None if number == "last" else _positive(number, default=0),
        size=page_size(request, default=settings.PAGE_SIZE_DEFAULT, most=settings.PAGE_SIZE_MAX),
    )


def page_size(request: Request, *, default: int, most: int) -> int:
    """Larger ones clamp silently, and what is no size is the default (COM-8)."""
    return min(_positive(request.query_params.get("page_size", ""), default=default), most)


def get_page_or_404(wanted: PageRequest, count: int) -> Page:
    """The page of a set of `count` results; an empty set has one empty page."""
    last = _last_page(count, wanted.size)
    number = last if wanted.number is None else wanted.number
    if not 1 <= number <= last:
        raise NotFound("Invalid page.")
    return Page(number=number, size=wanted.size, count=count)


def plain_envelope(request: Request, page: Page, results: Any) -> dict[str, Any]:
    """Of catalog lists (COM-6)."""
    return {"count": page.count, **_neighbours(request, page), "results": results}


def full_envelope(request: Request, page: Page, results: Any) -> dict[str, Any]:
    """With seven keys, of content (COM-6)."""
    return {
        **_neighbours(request, page),
        "count": page.count,
        "num_pages": page.last,
        "current_page": page.number,
        "start": page.offset,
        "results": results,
    }


def _neighbours(request: Request, page: Page) -> dict[str, str | None]:
    with_number = urls_with(request, "page")

    def url(number: int) -> str:
        return with_number(str(number) if number > 1 else None)

    return {
        "next": url(page.number + 1) if page.number < page.last else None,
        "previous": url(page.number - 1) if page.number > 1 else None,
    }


def urls_with(request: Request, name: str) -> Callable[[str | None], str]:
    """
    A function to the incoming URL with another value of this parameter, None to drop it; every other one stays,
    repeated ones too (COM-10).
    """
    path = request.build_absolute_uri(request.path)
    given = request.query_params.lists()
    kept = urlencode([(other, value) for other, values in given if other != name for value in values])

    def url(value: str | None) -> str:
        added = "" if value is None else f"{name}={quote_plus(value)}"
        query = f"{kept}&{added}" if kept and added else kept or added
        return f"{path}?{query}" if query else path

    return url


def _last_page(count: int, size: int) -> int:
    return max(1, -(-count // size))


def _positive(text: str, *, default: int) -> int:
    if not (text.isascii() and text.isdigit()):
        return default
    # A longer number is cut, and still beyond everything.
    return int(text.lstrip("0")[:_MOST_DIGITS] or 0) or default
