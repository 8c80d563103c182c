"""
Serve a discovery, LMS and token provider that answers as badly as possible, on loopback.

`<url>/<way>/<part>` is the root of all three. Requests for the part, a word of its path, are answered in that way, and
all others correctly. Answers are generated while they are sent, so that this process stays small.
"""

import gzip
import itertools
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
import zstandard

# By how many megabytes one answer makes a worker grow at most, as docs/performance.rst says.
ANSWER_MB = 300
COURSES = 20
MB = 1024 * 1024
BLOCK = 64 * 1024
# As large as the answer that took a worker 2 GB.
LARGE = 60 * MB

Body = Iterable[bytes]
Answer = Callable[[dict[str, list[str]], int], Body]


def course(number: int, **fields: Any) -> dict[str, Any]:
    """Return a course of a search, 20 kB long, as real ones are."""
    key = f"edX+{number:06d}"
    skills = [
        {"name": f"skill {n} of {number}", "description": "What it is good for, in a sentence."} for n in range(60)
    ]
    run = {"key": f"course-v1:{key}+1T", "end": None, "is_enrollable": True, "status": "published", "seats": skills}
    return {
        "aggregation_key": f"course:{key}",
        "content_type": "course",
        "key": key,
        "title": f"Course {number}",
        "full_description": f"Course {number} is about one thing, and about another. " * 150,
        "skills": skills,
        "course_runs": [run],
    } | fields


def page(items: Iterable[Any], *, count: int = COURSES, following: str | None = None) -> Body:
    """Yield a page of these items, item by item."""
    yield orjson.dumps({"count": count, "next": following})[:-1] + b',"results":['
    for position, item in enumerate(items):
        yield (b"," if position else b"") + (item if isinstance(item, bytes) else orjson.dumps(item))
    yield b"]}"


def good(path: str, query: dict[str, list[str]]) -> Body:
    """Return the answer of a healthy peer."""
    if path.endswith("/access_token"):
        return [b'{"access_token":"token","expires_in":3600}']
    if path.endswith("/course_review/"):
        return page([{"course_key": "edX+000001", "reviews_count": 3, "avg_course_rating": 4.5}], count=1)
    if path.endswith("/enterprise-customer/"):
        return page([{"uuid": query["uuid"][0], "name": "Acme", "slug": "acme", "active": True}], count=1)
    if path.endswith("/search/all/"):
        return page(course(number) for number in range(COURSES))
    return page([], count=0)


# Bodies that are JSON


def filled(unit: bytes, *, size: int = LARGE) -> Body:
    """Return a page whose results repeat this value."""
    block = b",".join([unit] * max(1, BLOCK // (len(unit) + 1)))
    return page(itertools.repeat(block, max(1, size // len(block))))


def texts(unit: bytes, *, size: int, texts_of: int = BLOCK) -> Body:
    """Return an object of long texts."""
    text = b'"' + unit * (texts_of // len(unit)) + b'"'
    yield b'{"count":20,"next":null,"results":[],"texts":[' + text
    for _ in range(size // len(text)):
        yield b"," + text
    yield b"]}"


def endless(
    items_of_page: Callable[[int], Iterable[Any]], *, pages: int = 2**31, count: int = 10_000, cursor: str = ""
) -> Answer:
    """Yield pages without end, each with new items."""

    def answer(query: dict[str, list[str]], number: int) -> Body:
        following = f"/?search_after={number}{cursor}" if number < pages else None
        return page(items_of_page(number), count=count, following=following)

    return answer


def incompressible_courses(number: int) -> Iterator[dict[str, Any]]:
    for position in range(10):
        yield course(number * 10 + position, noise=os.urandom(MB).hex())


def courses_of_many_runs(number: int) -> Iterator[dict[str, Any]]:
    for position in range(100):
        runs = [{"key": f"run-{run}"} for run in range(4_900)]
        yield course(number * 100 + position, course_runs=runs, skills=[])


def long_keys(number: int) -> Iterator[dict[str, Any]]:
    for position in range(20):
        yield {"content_type": "course", "aggregation_key": "course:x", "key": f"{number}-{position}" + "k" * MB}


def poison(number: int) -> Iterator[bytes]:
    return itertools.repeat(b"{}", 4_000)


def many_small_objects(query: dict[str, list[str]], number: int) -> Body:
    """Return the largest number of values allowed in one answer, as objects of one member, which take most memory."""
    return page([{"key": "x", "content_type": "course", "values": [{f"k{n}": str(n)} for n in range(450_000)]}])


# As many as the largest catalog has.
REAL_ITEMS = 20_000


def real(query: dict[str, list[str]], number: int) -> Body:
    """Return a search of 20,000 courses, which is not hostile."""
    size, start = int(query["page_size"][0]), int(query.get("search_after", ["0"])[0])
    end = min(start + size, REAL_ITEMS)
    following = f"/?search_after={end}" if end < REAL_ITEMS else None
    return page((course(n) for n in range(start, end)), count=REAL_ITEMS, following=following)


BODIES: dict[str, Answer] = {
    "objects": lambda query, number: filled(b"{}"),
    "lists": lambda query, number: filled(b"[]"),
    "objects in objects": lambda query, number: filled(b'{"":{}}'),
    "numbers": lambda query, number: filled(b"1.5"),
    "short texts": lambda query, number: filled(b'"ab"'),
    "long text": lambda query, number: texts(b"x", size=LARGE),
    "wide texts": lambda query, number: texts(b"x" * 60 + "\N{GRINNING FACE}".encode(), size=30 * MB),
    "escaped texts": lambda query, number: texts(b"\\u00e9", size=30 * MB),
    "small objects": many_small_objects,
    "deep": lambda query, number: [b"[" * BLOCK] * (LARGE // BLOCK),
    "deep objects": lambda query, number: [b'{"a":' * BLOCK] * (30 * MB // BLOCK // 5),
    "one number": lambda query, number: itertools.chain([b'{"count":'], [b"9" * BLOCK] * (30 * MB // BLOCK), [b"}"]),
    "no JSON": lambda query, number: itertools.chain([b'{"a":"'], [b"x" * BLOCK] * (30 * MB // BLOCK)),
    "more than asked": lambda query, number: page((course(n, full_description="") for n in range(6_000)), count=6_000),
    "long next": lambda query, number: page([], following="/?" + "a=1&" * (4 * MB) + "search_after=1"),
    "long cursors": endless(lambda number: [course(number)], cursor="c" * 30 * MB),
    "long keys": endless(long_keys, pages=8),
    "endless": endless(incompressible_courses),
    "endless poison": endless(poison),
    "endless count": lambda query, number: page([course(number)], count=2**60, following=f"/?search_after={number}"),
    "many runs": endless(courses_of_many_runs, pages=2, count=200),
}

# Bodies that are sent in another form


def gzipped(body: Body, *, wbits: int = zlib.MAX_WBITS | 16) -> Body:
    compressor = zlib.compressobj(9, zlib.DEFLATED, wbits)
    for part in body:
        yield compressor.compress(part)
    yield compressor.flush()


def zeros(size: int) -> Body:
    return itertools.chain([b'{"a":"'], itertools.repeat(b"0" * BLOCK, size // BLOCK), [b'"}'])


ENCODED: dict[str, tuple[str, Callable[[], Body]]] = {
    "gzip": ("gzip", lambda: gzipped(zeros(2048 * MB))),
    "deflate": ("deflate", lambda: gzipped(zeros(2048 * MB), wbits=zlib.MAX_WBITS)),
    "gzip in gzip": ("gzip, gzip", lambda: [gzip.compress(b"".join(gzipped(zeros(256 * MB))))]),
    "zstd": ("zstd", lambda: [zstandard.compress(b"".join(zeros(128 * MB)))]),
    "br": ("br", lambda: [b"\x00" * 100]),
}

# Answers that are no HTTP as it should be


def chunked(parts: Iterable[bytes]) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield from parts


WIRE: dict[str, Callable[[], Iterable[bytes]]] = {
    "headers": lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], (b"X-%d: y\r\n" % n for n in range(5_000_000))),
    "header line": lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], [b"y" * BLOCK] * (512 * MB // BLOCK)),
    "status line": lambda: itertools.chain([b"HTTP/1.1 200 "], [b"y" * BLOCK] * (512 * MB // BLOCK)),
    "chunk line": lambda: chunked([b"1;" + b"x" * BLOCK] + [b"x" * BLOCK] * (512 * MB // BLOCK)),
    "trailers": lambda: chunked([b"0\r\n"] + [b"x" * BLOCK] * (512 * MB // BLOCK)),
    "small chunks": lambda: chunked(itertools.repeat(b"1\r\n9\r\n" * 10_000, 20)),
}

REAL = "real"
WAYS = (*BODIES, *ENCODED, *WIRE, "redirect")


class HostilePeer:
    """A server until the end of its `with` block."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        _, way, part, path = unquote(address.path).split("/", 3)
        query = parse_qs(address.query)
        with suppress(ConnectionError):
            if part in path.split("/"):
                self._answer(way, query)
            else:
                self._send(good(f"/{path}", query))

    do_POST = do_GET  # noqa: N815

    def _answer(self, way: str, query: dict[str, list[str]]) -> None:
        if way in ENCODED:
            encoding, body = ENCODED[way]
            self._send(body(), {"Content-Encoding": encoding})
        elif way in WIRE:
            for part in WIRE[way]():
                self.wfile.write(part)
        elif way == "redirect":
            self._send([b"x" * BLOCK] * (LARGE // BLOCK), {"Location": self.path}, status=302)
        else:
            answer = real if way == REAL else BODIES[way]
            self._send(answer(query, int(query.get("search_after", ["0"])[0]) + 1))

    def _send(self, body: Body, headers: dict[str, str] | None = None, *, status: int = 200) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        for part in body:
            self.wfile.write(part)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""
