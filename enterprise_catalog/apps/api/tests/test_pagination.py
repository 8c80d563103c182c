"""Pages of querysets and pages that SQL cuts: numbers, sizes, envelopes and links, without a database."""

from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from enterprise_catalog.apps.api.common.pagination import (
    CatalogPagination,
    PlainPagination,
    full_envelope,
    get_page_or_404,
    page_request,
)


def request(query: str = "") -> Request:
    return Request(APIRequestFactory().get(f"/things/?{query}" if query else "/things/"))


@dataclass
class Found:
    number: int
    last: int
    size: int
    envelope: dict[str, Any]


def cut_by_sql(incoming: Request, count: int) -> Found:
    wanted = page_request(incoming)
    page = get_page_or_404(wanted, count)
    items = list(range(count))[page.offset : page.offset + page.size]
    return Found(page.number, page.last, wanted.size, full_envelope(incoming, page, items))


def cut_by_the_paginator(incoming: Request, count: int) -> Found:
    pagination = CatalogPagination()
    items = pagination.paginate_queryset(range(count), incoming)
    paginator = pagination.page.paginator
    envelope = pagination.get_paginated_response(items).data
    return Found(pagination.page.number, paginator.num_pages, paginator.per_page, envelope)


@pytest.fixture(params=[cut_by_sql, cut_by_the_paginator])
def cut(request):
    return request.param


def test_the_full_envelope_and_its_order(cut):  # COM-6
    assert list(cut(request("page=2"), 25).envelope.items()) == [
        ("next", "http://testserver/things/?page=3"),
        ("previous", "http://testserver/things/"),
        ("count", 25),
        ("num_pages", 3),
        ("current_page", 2),
        ("start", 10),
        ("results", list(range(10, 20))),
    ]


def test_the_plain_envelope_and_its_order():  # COM-6
    pagination = PlainPagination()
    envelope = pagination.get_paginated_response(pagination.paginate_queryset(["x"], request())).data
    assert list(envelope.items()) == [("count", 1), ("next", None), ("previous", None), ("results", ["x"])]


@pytest.mark.parametrize(
    "text", ["0", "-1", "4", "x", "1.0", "1e3", "1_0", "%203", "%2B1", "٣", "9" * 5000, "LAST", "%00"]
)
def test_a_page_that_does_not_exist_is_404(cut, text):  # COM-7
    with pytest.raises(NotFound, match=r"^Invalid page\.$"):
        cut(request(f"page={text}"), 25)


@pytest.mark.parametrize(("text", "number"), [("", 1), ("1", 1), ("3", 3), ("003", 3), ("last", 3)])
def test_a_page_that_exists(cut, text, number):  # COM-7
    assert cut(request(f"page={text}"), 25).number == number


@pytest.mark.parametrize("text", ["1", "last", ""])
def test_an_empty_list_has_one_page(cut, text):  # COM-7
    empty = cut(request(f"page={text}"), 0)
    assert (empty.number, empty.last, empty.envelope["results"]) == (1, 1, [])


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 10), ("50", 50), ("100", 100), ("101", 100), ("9" * 5000, 100), ("007", 7), ("0", 10), ("-5", 10),
        ("x", 10), ("1_0", 10), ("%203", 10), ("٣", 10),
    ],
)  # fmt: skip
def test_page_sizes(cut, text, size):  # COM-8
    assert cut(request(f"page_size={text}"), 25).size == size


def test_links_keep_every_other_parameter(cut):  # COM-10
    envelope = cut(request("content_keys=edX%2BA&page=2&content_keys=edX+B&empty=&page=2"), 25).envelope
    kept = "content_keys=edX%2BA&content_keys=edX+B&empty="
    assert envelope["next"] == f"http://testserver/things/?{kept}&page=3"
    assert envelope["previous"] == f"http://testserver/things/?{kept}"


def test_links_keep_what_came_unencoded(cut):  # COM-10
    link = cut(request("q=Université"), 11).envelope["next"]
    assert link == "http://testserver/things/?q=Universit%C3%A9&page=2"


def test_links_name_the_incoming_host_and_scheme(cut):  # COM-10
    incoming = Request(APIRequestFactory().get("/things/", secure=True, headers={"Host": "localhost:8443"}))
    assert cut(incoming, 25).envelope["next"] == "https://localhost:8443/things/?page=2"
