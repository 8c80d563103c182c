"""Where a request ends, however its bytes arrive (SEC-1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.web_server.buffers import DiskBudget
from enterprise_catalog.web_server.incoming import IncomingRequest

HEADER_BYTES = 400
BODY_BYTES = 100
GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


def request(*, disk_bytes: int = 10_000) -> IncomingRequest:
    return IncomingRequest(DiskBudget(disk_bytes), memory_bytes=64, header_bytes=HEADER_BYTES, body_bytes=BODY_BYTES)


def post(body: bytes, *, name: bytes = b"Content-Length", extra: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n%s: %d\r\n%s\r\n%s" % (name, len(body), extra, body)


def taken(incoming: IncomingRequest) -> bytes:
    incoming.rewind()
    return incoming.read(1_000_000)


whole_requests = st.one_of(
    st.just(GET),
    st.builds(
        post,
        st.binary(max_size=BODY_BYTES),
        name=st.sampled_from([b"Content-Length", b"content-length", b"CONTENT-LENGTH"]),
        extra=st.sampled_from([b"", b"X-Other: 1\r\n", b"X-Content-Length: 7\r\n"]),
    ),
)


@given(whole=whole_requests, after=st.binary(max_size=20), data=st.data())
def test_it_takes_exactly_one_request_however_it_is_cut(whole, after, data):
    incoming, rest = request(), whole + after
    while not incoming.is_ready:
        assert rest, "all of it came, and it is not ready"
        size = data.draw(st.integers(1, len(rest)))
        rest = incoming.receive(rest[:size]) + rest[size:]
    assert not incoming.is_cut
    assert (taken(incoming), rest) == (whole, after)


@given(part=st.integers(0, len(post(b"x" * BODY_BYTES)) - 1))
def test_a_part_of_a_request_is_not_ready(part):
    incoming = request()
    assert incoming.receive(post(b"x" * BODY_BYTES)[:part]) == b""
    assert not incoming.is_ready


def test_headers_without_an_end_are_cut_for_the_parser_to_refuse():
    incoming = request()
    for _ in range(HEADER_BYTES):
        incoming.receive(b"x")
    assert not incoming.is_ready
    incoming.receive(b"x")
    assert incoming.is_cut
    assert incoming.is_ready


def test_a_longer_body_is_not_waited_for():
    incoming = request()
    incoming.receive(post(b"x" * (BODY_BYTES + 1))[:60])
    assert incoming.is_cut
    assert incoming.is_ready
    assert taken(incoming).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "lengths", [b"Content-Length: 5\r\nContent-Length: 5\r\n", b"Content-Length: +5\r\n", b"Content-Length: five\r\n"]
)
def test_what_the_parser_refuses_is_not_waited_for(lengths):
    incoming = request()
    incoming.receive(b"POST / HTTP/1.1\r\n" + lengths + b"\r\n")
    assert incoming.is_ready


@pytest.mark.parametrize(("extra", "expects"), [(b"Expect: 100-continue\r\n", True), (b"", False)])
def test_a_client_that_waits_to_be_asked_for_its_body(extra, expects):
    incoming = request()
    incoming.receive(post(b"body", extra=extra)[:-4])
    assert incoming.expects_continue is expects


def test_a_request_for_which_the_disk_exceeds_disk_budget_is_cut():
    whole = post(b"x" * BODY_BYTES)
    incoming = request(disk_bytes=len(whole) - 1)
    incoming.receive(whole[:-50])
    assert incoming.is_ready
    assert incoming.exceeds_disk_budget


def test_a_request_gives_its_room_back():
    budget = DiskBudget(200)
    whole = post(b"x" * BODY_BYTES)
    for _ in range(3):
        incoming = IncomingRequest(budget, memory_bytes=64, header_bytes=HEADER_BYTES, body_bytes=BODY_BYTES)
        incoming.receive(whole)
        assert not incoming.exceeds_disk_budget
        incoming.close()
        incoming.close()


def test_headers_without_an_end_need_room_too():
    incoming = request(disk_bytes=100)
    for _ in range(101):
        incoming.receive(b"x")
    assert incoming.exceeds_disk_budget


@pytest.mark.parametrize("part", [b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nHost: a\n\n", b"\n"])
def test_bare_line_feeds_are_not_waited_for(part):
    incoming = request()
    incoming.receive(part)
    assert incoming.is_ready


def test_a_line_feed_that_comes_apart_from_its_carriage_return_is_not_bare():
    incoming = request()
    for byte in GET:
        incoming.receive(bytes([byte]))
    assert not incoming.is_cut
