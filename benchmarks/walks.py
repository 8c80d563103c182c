"""
Measure walks over all pages of a catalog by ten clients at once, and whole catalogs in one answer.

Each key must come exactly once, the last page must be as fast as the first, and memory must stay small.
"""

import zlib
from collections.abc import Iterable
from functools import partial
from typing import Any

import orjson

from benchmarks import client
from benchmarks.client import Answer
from benchmarks.data import LARGE, LARGEST
from benchmarks.memory import growth_mb
from benchmarks.questions import page_path, whole_path
from benchmarks.reads import summary
from benchmarks.stage import Stage, Web

WALKERS = 10
SIZES = (10, 50, 100)
_ENDS = 100
_TURNS = 5


class Wrong(Exception):
    """The service gave a wrong answer, so that its time would mean nothing."""


def measure_walks(stage: Stage) -> dict[str, Any]:
    """Return by catalog and page size: times of a page with ten clients, and of the first and last page alone."""
    found: dict[str, Any] = {}
    with stage.web() as web:
        for title in (LARGE, LARGEST):
            for size in SIZES:
                name = f"pages of {size}, catalog of {title}"
                print(f"  {name}", flush=True)
                found[name] = _walk(stage, web, title, size)
    return found


def _walk(stage: Stage, web: Web, title: str, size: int) -> dict[str, Any]:
    members = stage.members(title)
    pages = -(-len(members) // size)
    asked = [
        client.request(page_path(stage.plan, title, page=number + 1, size=size), token=stage.token)
        for number in range(pages)
    ]
    walked: list[list[str]] = [[] for _ in range(WALKERS)]

    def take(number: int, answer: Answer) -> None:
        walked[number] += keys_of(orjson.loads(answer.body)["results"])

    walks = client.drive(web.port, [iter(asked) for _ in range(WALKERS)], take=take)
    if any(keys != members for keys in walked):
        raise Wrong(f"A walk over {name_of(title)} in pages of {size} did not bring each key once, in order.")
    # Measured in turns, so that both ends have the same conditions. The last page may be short, so take the one before.
    ends: dict[str, list[client.Timings]] = {"first": [], "last": []}
    for _ in range(_TURNS):
        ends["first"].append(client.burst(web.port, asked[:1], clients=1, count=_ENDS))
        ends["last"].append(client.burst(web.port, asked[-2:-1], clients=1, count=_ENDS))
    return {
        "pages": pages,
        "page": summary([walks]),
        "seconds": walks.elapsed,
        **{f"{end}_ms": summary(bursts)["p50"] for end, bursts in ends.items()},
    }


def measure_streams(stage: Stage) -> dict[str, Any]:
    """Return by catalog and encoding: seconds and bytes of the whole answer, and the growth of the process."""
    found: dict[str, Any] = {}
    with stage.web() as web:
        for title in (LARGE, LARGEST):
            for encoding in ("identity", "gzip"):
                name = f"{encoding}, catalog of {title}"
                print(f"  {name}", flush=True)
                found[name] = _stream(stage, web, title, encoding)
    return found


def _stream(stage: Stage, web: Web, title: str, encoding: str) -> dict[str, Any]:
    question = client.request(whole_path(stage.plan, title), token=stage.token, accept_encoding=encoding)
    answer = client.ask(web.port, question)
    body = answer.body
    if answer.headers.get("content-encoding", "identity") != encoding:
        raise Wrong(f"Asked for {encoding}, got {answer.headers}.")
    raw = zlib.decompress(body, wbits=zlib.MAX_WBITS | 16) if encoding == "gzip" else body
    if keys_of(orjson.loads(raw)["results"]) != stage.members(title):
        raise Wrong(f"The whole of {name_of(title)} as {encoding} did not bring each key once, in order.")
    timings: list[client.Timings] = []
    ask = partial(client.burst, web.port, [question], clients=2, count=4)
    grown = growth_mb(web.workers, lambda: timings.append(ask()))
    return {"bytes": len(body), "seconds": timings[0].percentile(0.5), "grown_mb": grown}


def keys_of(items: Iterable[dict[str, Any]]) -> list[str]:
    """Return the content keys of courses and programs in an answer."""
    return [item["aggregation_key"].partition(":")[2] for item in items]


def name_of(title: str) -> str:
    return f"the catalog of {title}"
