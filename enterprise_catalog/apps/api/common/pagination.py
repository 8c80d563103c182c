"""
Pages and their envelopes (COM-6 to COM-10): `CatalogPagination` for querysets, `PageRequest` and `Page` for pages that
SQL cuts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.conf import settings
from django.core.paginator import Paginator
from edx_rest_framework_extensions.paginators import DefaultPagination
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

# More than the digits of any page number or size; an offset of so many still fits every database's integers.
_MOST_DIGITS = 10


@dataclass(frozen=True)
class PageRequest:
    """The page that a caller asks for. `number` is None for the last page, and 0 if no page can have it."""

    number: int | None
    size: int


@dataclass(frozen=True)
class Page:
    """A page that exists in a list of `count` results."""

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
    """Read `page_size`: at most `most`, and `default` if it is not a size (COM-8)."""
    return min(_positive(request.query_params.get("page_size", ""), default=default), most)


def get_page_or_404(wanted: PageRequest, count: int) -> Page:
    """The page of a list of `count` results; an empty list has one empty page."""
    last = _last_page(count, wanted.size)
    number = last if wanted.number is None else wanted.number
    if not 1 <= number <= last:
        raise NotFound("Invalid page.")
    return Page(number=number, size=wanted.size, count=count)


class CatalogPagination(DefaultPagination):
    """
    Pages of ORM lists in the envelope with seven keys (COM-6). The library takes `1_0` and ` 3` for numbers, a size of
    5,000 digits for none, and sorts the parameters of links.
    """

    page_size = settings.PAGE_SIZE_DEFAULT
    max_page_size = settings.PAGE_SIZE_MAX

    def get_page_size(self, request: Request) -> int:
        return page_size(request, default=self.page_size, most=self.max_page_size)

    def get_page_number(self, request: Request, paginator: Paginator) -> int:
        number = page_request(request).number
        return paginator.num_pages if number is None else number

    def get_next_link(self) -> str | None:
        return _page_url(self.request, self.page.next_page_number()) if self.page.has_next() else None

    def get_previous_link(self) -> str | None:
        return _page_url(self.request, self.page.previous_page_number()) if self.page.has_previous() else None


class PlainPagination(CatalogPagination):
    """Pages of ORM lists in the plain envelope (COM-6)."""

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": self.page.paginator.count,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "results": data,
            }
        )


def full_envelope(request: Request, page: Page, results: Any) -> dict[str, Any]:
    """The envelope with seven keys, for a page that SQL cut (COM-6)."""
    return {
        "next": _page_url(request, page.number + 1) if page.number < page.last else None,
        "previous": _page_url(request, page.number - 1) if page.number > 1 else None,
        "count": page.count,
        "num_pages": page.last,
        "current_page": page.number,
        "start": page.offset,
        "results": results,
    }


def _page_url(request: Request, number: int) -> str:
    """The incoming URL with the number of another page, which the first one does not have (COM-10)."""
    return urls_with(request, "page")(str(number) if number > 1 else None)


def urls_with(request: Request, name: str) -> Callable[[str | None], str]:
    """
    Return a function that makes the incoming URL with another value of this parameter; None drops it. All others stay,
    also repeated ones (COM-10).
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
    # A longer number is cut, and is still larger than every limit.
    return int(text.lstrip("0")[:_MOST_DIGITS] or 0) or default
