"""COM-6 to COM-10: numbers and links, without a database."""

import pytest
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from enterprise_catalog.apps.api.common.pagination import full_envelope, get_page_or_404, page_request, plain_envelope


def request(query: str = "") -> Request:
    return Request(APIRequestFactory().get(f"/things/?{query}" if query else "/things/"))


def page(query: str, count: int):
    return get_page_or_404(page_request(request(query)), count)


def test_the_full_envelope_and_its_order():  # COM-6
    envelope = full_envelope(request("page=2"), page("page=2", 25), ["x"])
    assert list(envelope.items()) == [
        ("next", "http://testserver/things/?page=3"),
        ("previous", "http://testserver/things/"),
        ("count", 25),
        ("num_pages", 3),
        ("current_page", 2),
        ("start", 10),
        ("results", ["x"]),
    ]


def test_the_plain_envelope_and_its_order():  # COM-6
    envelope = plain_envelope(request(), page("", 1), ["x"])
    assert list(envelope.items()) == [("count", 1), ("next", None), ("previous", None), ("results", ["x"])]


@pytest.mark.parametrize("text", ["0", "-1", "4", "x", "1.0", "1e3", "٣", "9" * 5000, "LAST"])
def test_pages_that_do_not_exist(text):  # COM-7
    with pytest.raises(NotFound, match="Invalid page"):
        page(f"page={text}", 25)


@pytest.mark.parametrize(("text", "number"), [("", 1), ("1", 1), ("3", 3), ("last", 3)])
def test_pages_that_do(text, number):  # COM-7
    assert page(f"page={text}", 25).number == number


@pytest.mark.parametrize("text", ["1", "last", ""])
def test_an_empty_set_has_one_page(text):  # COM-7
    empty = page(f"page={text}", 0)
    assert (empty.number, empty.last) == (1, 1)


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 10), ("50", 50), ("100", 100), ("101", 100), ("9" * 5000, 100), ("007", 7), ("0", 10), ("-5", 10), ("x", 10)],
)
def test_page_sizes(text, size):  # COM-8
    assert page_request(request(f"page_size={text}")).size == size


def test_links_keep_every_other_parameter():  # COM-10
    query = "content_keys=edX%2BA&page=2&content_keys=edX+B&empty=&page=2"
    envelope = full_envelope(request(query), page(query, 25), [])
    kept = "content_keys=edX%2BA&content_keys=edX+B&empty="
    assert envelope["next"] == f"http://testserver/things/?{kept}&page=3"
    assert envelope["previous"] == f"http://testserver/things/?{kept}"


def test_links_keep_what_came_unencoded():  # COM-10
    link = plain_envelope(request("q=Université"), page("", 11), [])["next"]
    assert link == "http://testserver/things/?q=Universit%C3%A9&page=2"


def test_links_name_the_incoming_host_and_scheme():  # COM-10
    incoming = Request(APIRequestFactory().get("/things/", secure=True, headers={"Host": "localhost:8443"}))
    assert full_envelope(incoming, page("", 25), [])["next"] == "https://localhost:8443/things/?page=2"
