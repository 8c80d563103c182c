"""Which answers are compressed, and that they decompress to the same bytes (COM-17)."""

import gzip
import os

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from enterprise_catalog.apps.core.middleware.gzip import GZipMiddleware

TEXT = b"compressible " * 1000


def answered(response, accepts="gzip, deflate"):
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepts})
    return GZipMiddleware(lambda _: response)(request)


def test_a_body_is_compressed():
    response = answered(HttpResponse(TEXT, headers={"ETag": '"strong"', "Content-Length": str(len(TEXT))}))
    assert gzip.decompress(response.content) == TEXT
    assert response["Content-Length"] == str(len(response.content))
    assert (response["Content-Encoding"], response["ETag"]) == ("gzip", 'W/"strong"')
    assert "Accept-Encoding" in response["Vary"]


def test_a_stream_is_compressed():
    response = answered(StreamingHttpResponse(iter([TEXT, b"", b"end"]), headers={"ETag": 'W/"weak"'}))
    assert gzip.decompress(b"".join(response.streaming_content)) == TEXT + b"end"
    assert (response["Content-Encoding"], response["ETag"]) == ("gzip", 'W/"weak"')
    assert "Content-Length" not in response


def test_a_broken_stream_never_seems_complete():  # META-3

    def pieces():
        yield os.urandom(100_000)
        raise LookupError

    got = []
    with pytest.raises(LookupError):
        got += answered(StreamingHttpResponse(pieces())).streaming_content
    with pytest.raises((EOFError, IndexError)):
        gzip.decompress(b"".join(got) or got[0])


@pytest.mark.parametrize(
    ("body", "accepts", "headers"),
    [
        (b"short", "gzip", {}),
        (TEXT, "identity", {}),
        (TEXT, "", {}),
        (os.urandom(1000), "gzip", {}),
        (TEXT, "gzip", {"Content-Encoding": "br"}),
    ],
)
def test_other_answers_are_not_compressed(body, accepts, headers):
    response = answered(HttpResponse(body, headers=headers), accepts)
    assert response.content == body
    assert response.get("Content-Encoding") == headers.get("Content-Encoding")


def test_the_compressed_length_is_random():
    assert len({len(answered(HttpResponse(TEXT)).content) for _ in range(50)}) > 5
