"""
Measure refreshes, from an empty store to a day on which nothing changed.

A refresh's own time excludes waiting for discovery, since discovery's speed says nothing about this service.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks import client
from benchmarks.data import LARGE, LARGEST
from benchmarks.questions import Question
from benchmarks.reads import summary
from benchmarks.stage import Stage

CONTENT_TABLES = ("catalog_contentmetadata", "catalog_contentdocuments", "catalog_nestedrun")
MEMBERSHIP_TABLE = "catalog_catalogcontentkey"
SHARE_CHANGED = 0.01
_READERS = 2
_READS = 40
# After so many hours everything is due.
_LATER_HOURS = 25


def load(stage: Stage) -> dict[str, Any]:
    """Create the catalogs and fill the empty store, the large catalogs first."""
    return {
        "400 catalogs made": _work(stage, "provision", stage.write_plan()),
        f"cold, {LARGE} members": _work(stage, "refresh", LARGE),
        f"cold, {LARGEST} members": _work(stage, "refresh", LARGEST),
        "cold, all other queries": _work(stage, "waiting"),
    }


def measure_refreshes(stage: Stage) -> dict[str, Any]:
    found = {f"nothing changed, {title} members": _work(stage, "refresh", title) for title in (LARGE, LARGEST)}
    _make_old(stage)
    found[f"nothing changed, {LARGE} members, all full records again"] = _work(stage, "refresh", LARGE)
    changed = _change_some(stage)
    found[f"{changed} of {LARGE} members changed"] = _work(stage, "refresh", LARGE)
    return found


def measure_day(stage: Stage) -> dict[str, Any]:
    """Measure a daily round of all queries: the requests to discovery, and the fewest that would be enough."""
    _make_old(stage)
    stage.ask_sandbox("DELETE", "calls")
    found = _work(stage, "due")
    calls = stage.ask_sandbox("GET", "calls")
    searches = [call for call in calls if call["endpoint"].startswith("search")]
    records = [call for call in calls if call["endpoint"] in ("courses", "programs")]
    asked = Counter(key for call in records for key in _keys_asked(call))
    return found | {
        "distinct searches": len({query.title for query in stage.plan.queries}),
        "search walks": sum(is_first_page(call) for call in searches),
        "search pages": len(searches),
        "record calls": len(records),
        "records asked": sum(asked.values()),
        "distinct records": len(asked),
    }


def measure_meanwhile(stage: Stage, questions: Sequence[Question]) -> dict[str, Any]:
    """Measure some questions while a worker fetches 5,000 items and all their full records again."""
    with stage.web() as web:
        bursts: dict[str, list[client.Timings]] = {question.name: [] for question in questions}
        asked = {
            question.name: [client.request(path, token=stage.token) for path in question.paths]
            for question in questions
        }
        for question in questions:
            client.burst(web.port, asked[question.name], clients=8, count=_READS)
        with stage.working("refresh", LARGE, "forced") as worker:
            while worker.poll() is None:
                for question in questions:
                    bursts[question.name].append(
                        client.burst(web.port, asked[question.name], clients=_READERS, count=_READS)
                    )
        return {name: summary(some) for name, some in bursts.items()}


def is_first_page(call: dict[str, Any]) -> bool:
    """Return whether a request asks for the first page of a search, v1 or v2."""
    return "search_after" not in call["query"] and call["query"].get("page", ["1"]) == ["1"]


def _keys_asked(call: dict[str, Any]) -> list[str]:
    return [key for name in ("keys", "uuids") for value in call["query"].get(name, []) for key in value.split(",")]


def _work(stage: Stage, *words: str) -> dict[str, Any]:
    """Return what the worker measured, and what the database counted."""
    print(f"  {' '.join(words[:2])}", flush=True)
    rows, received = stage.rows_written(), stage.status("Bytes_received")
    measured = stage.work(*words)
    written = stage.rows_written()
    rows = {table: count - rows.get(table, 0) for table, count in written.items()}
    return measured | {
        "content_rows": sum(rows.get(table, 0) for table in CONTENT_TABLES),
        "membership_rows": rows.get(MEMBERSHIP_TABLE, 0),
        "rows": sum(rows.values()),
        "bytes": stage.status("Bytes_received") - received,
    }


def _make_old(stage: Stage) -> None:
    """Make everything that was fetched a day old."""
    later = f"INTERVAL {_LATER_HOURS} HOUR"
    stage.sql(f"UPDATE catalog_fullrecordrequest SET requested_at = requested_at - {later}")
    stage.sql(f"UPDATE catalog_catalogquery SET refreshed_at = refreshed_at - {later}")


def _change_some(stage: Stage) -> int:
    """Change the title of one course in a hundred of the large catalog at discovery, and return how many."""
    keys = [key for key in stage.members(LARGE) if "+" in key]
    chosen = keys[:: int(1 / SHARE_CHANGED)]
    for key in chosen:
        stage.ask_sandbox("POST", "touch", {"key": key})
    return len(chosen)
