"""Malformed and too large requests fail, and affect no others (COM-16)."""

import json
import socket

import pytest

from tests.attacks.conftest import Target
from tests.outcome_lines import Saw

pytestmark = [pytest.mark.attack, pytest.mark.local_run]

HOST = b"Host: 127.0.0.1\r\n"
MALFORMED = {
    "no request line": b"rubbish\r\n\r\n",
    "lines that end in a line feed alone": b"GET / HTTP/1.1\n" + b"Host: 127.0.0.1\n\n",
    "binary": bytes(range(256)) + b"\r\n\r\n",
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + b"\0" * 200 + b"\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\n" + HOST + b"nothing\r\n\r\n",
    "a control character in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: \0\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\r\n b\r\n\r\n",
    "a header name with a blank": b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length : 0\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc",
    "a length and chunks": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    "chunks": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "an unknown transfer coding": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gopher\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a request line of two MB": b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header of a hundred kB": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "a thousand headers": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\r\n" * 1000 + b"\r\n",
    "an unknown expectation": b"GET / HTTP/1.1\r\n" + HOST + b"Expect: miracles\r\n\r\n",
}


def exchange(target: Target, request: bytes) -> bytes:
    received = bytearray()
    with socket.create_connection(target.address, timeout=30) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            while more := client.recv(100_000):
                received += more
        except ConnectionError:
            # It is refused before all of it was read.
            pass
    return bytes(received)


@pytest.mark.parametrize("name", MALFORMED)
def test_bytes_that_are(target: Target, name: str, saw: Saw) -> None:
    """One plain 4xx or 501, one line in the log without a stack, and others are served (COM-16)."""
    before = target.logs()["web"].splitlines()
    answer = exchange(target, MALFORMED[name])
    assert answer.count(b"HTTP/1.") == 1, answer
    status = int(answer.split()[1])
    assert 400 <= status < 500 or status == 501
    assert b"Traceback" not in answer
    target.must_serve()
    new = [json.loads(line) for line in target.logs()["web"].splitlines()[len(before) :]]
    told = [line for line in new if line["event"] != "request"]
    assert len(told) == 1
    assert "exception" not in told[0]
    saw(f"{status}, logged as {told[0]['event']}")


def test_a_second_request_hidden_in_the_first(target: Target, saw: Saw) -> None:
    """What one reader takes for a body and another for a request is answered once, as an error (COM-16)."""
    hidden = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
    heads = (
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(hidden),
        b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(hidden),
        b"Content-Length: 0, %d\r\n" % len(hidden),
        b"Content-Length: +%d\r\n" % len(hidden),
        b"Content-Length: " + b"9" * 400 + b"\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Content-Length: 0x%x\r\n" % len(hidden),
    )
    answers = [exchange(target, b"POST / HTTP/1.1\r\n" + HOST + head + b"\r\n0\r\n\r\n" + hidden) for head in heads]
    assert [answer.count(b"HTTP/1.1 ") for answer in answers] == [1] * len(heads)
    assert all(answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501")) for answer in answers)
    saw(f"{len(heads)} of {len(heads)} refused, and nothing after them was read")


def test_a_body_of_sixty_megabytes(target: Target, saw: Saw) -> None:
    """It is refused by its length, and not read (COM-16)."""
    token = target.token("large", "enterprise_openedx_operator:*").encode()
    head = b"POST /api/v1/enterprise-catalogs/ HTTP/1.1\r\n" + HOST + b"Authorization: JWT " + token
    head += b"\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n"
    answer = exchange(target, head + b" " * 100_000)
    assert answer.startswith(b"HTTP/1.1 413")
    target.must_serve()
    saw("413")
