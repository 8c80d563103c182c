"""
Judge one run's results by the targets: ratios, counts and memory.

The few targets in seconds are those of a reference machine. A slower machine, as its floor shows, gets more time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.data import HUNDRED, LARGE, LARGEST
from benchmarks.questions import HELD

# How many times its floor a read may take; a page more, since its catalog is a statement of its own (ADR 0027).
_RATIO = 1.5
_RATIO_OF_PAGE = {"page of 10": 1.7, "page of 100": 1.6}
# Requests per second of the framework floor with eight clients on the reference machine; and the question for it.
DESIGN_RATE = 1508.0
_PACE = f"contains, catalog of {LARGE}, 1 key"
# The same for any size of a catalog and any number of catalogs of a customer.
FLAT = 1.3
# No pauses of the garbage collector.
TAIL = 2.0
LAST_PAGE_MORE_MS = 2.0
# The user, the catalog with its generation and its customer: no document.
HELD_STATEMENTS = 2
LIST_STATEMENTS, LIST_MS = 4, 10.0
STREAM_MB = 64.0
UNCHANGED_SECONDS, UNCHANGED_STATEMENTS = 1.0, 60
COLD_SECONDS, WORKER_MB = 8.0, 300.0
# A changed course is a row of content and one of documents, and it may have six runs.
ROWS_OF_A_CHANGE = 8


@dataclass(frozen=True)
class Verdict:
    what: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        return self.value <= self.limit


def ratio_limit(name: str) -> float:
    """How many times its floor the read of this name may take."""
    return _RATIO_OF_PAGE.get(name.partition(",")[0], _RATIO)


def judge(results: dict[str, Any]) -> list[Verdict]:
    pace = pace_of(results["reads"])
    verdicts = [*_reads(results["reads"], pace), *_sizes(results["reads"]), *_walks(results["walks"])]
    verdicts += _streams(results["streams"])
    return [*verdicts, *_refreshes({**results["load"], **results["refreshes"]}, pace), *_day(results["day"])]


def pace_of(reads: dict[str, Any]) -> float:
    """Return how many times longer than on the reference machine this one may take; at least 1."""
    return max(1.0, DESIGN_RATE / float(reads[_PACE]["8"]["floor"]["rate"]))


def _reads(reads: dict[str, Any], pace: float) -> Iterator[Verdict]:
    for name, read in reads.items():
        for clients in ("1", "8"):
            if read["floor"]:
                what = f"{name}: times its {read['floor']} floor, {clients} at once"
                yield Verdict(what, read[clients]["ratio"], ratio_limit(name))
        if name.startswith("page"):
            yield Verdict(f"{name}: p95 beside p50, 1 at once", read["1"]["p95"] / read["1"]["p50"], TAIL)
        if name.startswith(HELD):
            yield Verdict(f"{name}: statements", read["sql"], HELD_STATEMENTS)
        if name.startswith("list"):
            yield Verdict(f"{name}: statements", read["sql"], LIST_STATEMENTS)
            yield Verdict(f"{name}: ms, 1 at once", read["1"]["p50"], LIST_MS * pace)


def _sizes(reads: dict[str, Any]) -> Iterator[Verdict]:
    def beside(larger: str, smaller: str) -> Verdict:
        return Verdict(f"{larger}: beside {smaller}", reads[larger]["1"]["p50"] / reads[smaller]["1"]["p50"], FLAT)

    for size in (10, 100):
        yield beside(f"page of {size}, catalog of {LARGEST}", f"page of {size}, catalog of {HUNDRED}")
    yield beside(f"contains, catalog of {LARGEST}, 1 key", f"contains, catalog of {HUNDRED}, 1 key")
    yield beside("contains, customer with 12 catalogs, 1 key", "contains, customer with 1 catalog, 1 key")


def _walks(walks: dict[str, Any]) -> Iterator[Verdict]:
    for name, walk in walks.items():
        yield Verdict(f"{name}: ms of the last page", walk["last_ms"], FLAT * walk["first_ms"] + LAST_PAGE_MORE_MS)


def _streams(streams: dict[str, Any]) -> Iterator[Verdict]:
    for name, stream in streams.items():
        yield Verdict(f"whole answer, {name}: MB that a process grows", stream["grown_mb"], STREAM_MB)


def _refreshes(work: dict[str, Any], pace: float) -> Iterator[Verdict]:
    unchanged = f"nothing changed, {LARGE} members"
    yield Verdict(f"{unchanged}: own seconds", work[unchanged]["own"], UNCHANGED_SECONDS * pace)
    yield Verdict(f"{unchanged}: statements", work[unchanged]["statements"], UNCHANGED_STATEMENTS)
    for name, measured in work.items():
        if name.startswith("nothing changed"):
            rows = measured["content_rows"] + measured["membership_rows"]
            yield Verdict(f"{name}: rows of content and membership", rows, 0)
        if name.endswith("members changed"):
            changed = int(name.split()[0])
            yield Verdict(f"{name}: rows of content", measured["content_rows"], changed * ROWS_OF_A_CHANGE)
        if name.startswith("cold"):
            yield Verdict(f"{name}: peak MB of the worker", measured["peak_mb"], WORKER_MB)
    cold = f"cold, {LARGE} members"
    yield Verdict(f"{cold}: own seconds", work[cold]["own"], COLD_SECONDS * pace)


def _day(day: dict[str, Any]) -> Iterator[Verdict]:
    yield Verdict("daily round: search walks", day["search walks"], day["distinct searches"])
    yield Verdict("daily round: records asked of discovery", day["records asked"], day["distinct records"])
