"""Tests of the report: targets, changes and the page that the documentation shows."""

import copy

import pytest

from benchmarks import compare
from benchmarks.data import HUNDRED, LARGE, LARGEST
from benchmarks.report import figures
from benchmarks.targets import judge

TIMES = {"p50": 2.0, "p95": 3.0, "p99": 4.0, "rate": 1508.0, "requests": 100}
CONTAINS = [
    *(f"contains, catalog of {title}, 1 key" for title in (HUNDRED, LARGE, LARGEST)),
    "contains, customer with 1 catalog, 1 key",
    "contains, customer with 12 catalogs, 1 key",
]
PAGES = [f"page of {size}, catalog of {title}" for size in (10, 100) for title in (HUNDRED, LARGE, LARGEST)]
WORK = {
    "own": 0.5,
    "discovery": 1.0,
    "statements": 50,
    "rows": 3,
    "content_rows": 0,
    "membership_rows": 0,
    "bytes": 1000,
    "peak_mb": 100.0,
}


def read(floor):
    at = TIMES | {"web_ms": 1.0, "database_ms": 1.0} | ({"floor": TIMES, "ratio": 1.2} if floor else {})
    return {"floor": floor, "sql": 3.0, "bytes": 31, "1": at, "8": dict(at)}


@pytest.fixture
def results():
    reads = {name: read("framework") for name in [*CONTAINS, *PAGES]}
    reads |= {"list of 100 catalogs": read(None), f"whole catalog of {LARGE}": read("bare")}
    return copy.deepcopy(
        {
            "machine": {
                "date": "2026-01-01",
                "commit": "abc",
                "cores": 2,
                "processor": "some",
                "memory_gb": 4,
                "python": "3.11",
                "database": "MariaDB",
            },
            "load": {f"cold, {LARGE} members": dict(WORK)},
            "reads": reads,
            "walks": {"pages of 10": {"pages": 5, "page": TIMES, "seconds": 1.0, "first_ms": 2.0, "last_ms": 4.5}},
            "streams": {"gzip": {"bytes": 10, "seconds": 1.0, "grown_mb": 3.0}},
            "refreshes": {f"nothing changed, {LARGE} members": WORK, f"49 of {LARGE} members changed": WORK},
            "meanwhile": {PAGES[0]: TIMES},
            "day": {"search walks": 150, "distinct searches": 150, "records asked": 9, "distinct records": 9},
            "cold": {PAGES[0]: {"first": 9.0, "second": 3.0, "warm": 2.0}},
            "scale": {"tables": {"content": {"rows": 5, "data_mb": 1.0}}, "reads": {"contains, 1 key": TIMES}},
        }
    )


def missed(results):
    return {verdict.what for verdict in judge(results) if not verdict.met}


def test_a_run_that_meets_everything(results):
    assert missed(results) == set()


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("reads", PAGES[0], "8", "ratio"), 1.71, f"{PAGES[0]}: times its framework floor, 8 at once"),
        (("reads", PAGES[-1], "8", "ratio"), 1.61, f"{PAGES[-1]}: times its framework floor, 8 at once"),
        (("reads", PAGES[0], "1", "p95"), 4.1, f"{PAGES[0]}: p95 beside p50, 1 at once"),
        (("reads", "list of 100 catalogs", "sql"), 5, "list of 100 catalogs: statements"),
        (("walks", "pages of 10", "last_ms"), 4.7, "pages of 10: ms of the last page"),
        (("streams", "gzip", "grown_mb"), 65, "whole answer, gzip: MB that a process grows"),
        (("day", "records asked"), 10, "daily round: records asked of discovery"),
        (
            ("refreshes", f"nothing changed, {LARGE} members", "content_rows"),
            1,
            f"nothing changed, {LARGE} members: rows of content and membership",
        ),
    ],
)
def test_each_target_can_be_missed(results, path, value, what):
    *way, last = path
    place = results
    for name in way:
        place = place[name]
    place[last] = value
    assert missed(results) == {what}


def test_a_slower_machine_gets_as_much_more_time(results):
    results["load"][f"cold, {LARGE} members"]["own"] = 16.0
    assert missed(results) == {f"cold, {LARGE} members: own seconds"}
    results["reads"][f"contains, catalog of {LARGE}, 1 key"]["8"]["floor"] = TIMES | {"rate": 754.0}
    assert missed(results) == set()


def test_a_page_that_grows_with_its_catalog(results):
    results["reads"][f"page of 10, catalog of {LARGEST}"]["1"]["p50"] = 2.7
    assert missed(results) == {f"page of 10, catalog of {LARGEST}: beside page of 10, catalog of {HUNDRED}"}


def test_what_moved(results):
    now = copy.deepcopy(results)
    assert list(compare.moves(results, now)) == []
    now["streams"]["gzip"]["grown_mb"] = 4.0
    now["reads"][PAGES[0]]["1"]["ratio"] = 1.25
    del now["reads"]["list of 100 catalogs"]
    assert [str(move) for move in compare.moves(results, now)] == [
        "list of 100 catalogs: statements: gone",
        "list of 100 catalogs: ms, 1 at once: gone",
        "whole answer, gzip: MB that a process grows: 3.00 -> 4.00 (worse)",
    ]


def test_the_page_shows_every_row(results):
    text = figures(results)
    for part in ("reads", "walks", "streams", "load", "refreshes", "meanwhile", "cold"):
        assert all(f"* - {name}\n" in text for name in results[part])
    assert f"{len(judge(results))} of {len(judge(results))} targets are met" in text
