"""
Measure reads against their floors, in short alternating bursts.

So whatever else the machine does slows down both alike.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil

from benchmarks import client, floors
from benchmarks.client import Timings
from benchmarks.data import COURSES
from benchmarks.questions import Question
from benchmarks.stage import Stage, Web

CLIENTS = (1, 8)
_BURSTS = 15
_BURST_SECONDS = 0.3
# After so many requests each thread of each process has connected and loaded what it needs.
_WARM_UP = 64
_LEAST, _MOST = 4, 4000
_FIRST_BATCH = "content_key >= ''"


@dataclass(frozen=True)
class Load:
    """Milliseconds of processor time for each request of a burst: in the web processes and in the database."""

    web: float
    database: float


def measure_reads(stage: Stage, questions: Sequence[Question]) -> dict[str, Any]:
    """Return by question: times at each number of clients, the floor's, their ratio, SQL and bytes of one request."""
    floors.make_tables(stage)
    with stage.web() as service:
        for question in questions:
            if question.floor:
                _build_floors(stage, service, question)
        with stage.web("benchmarks.floor_wsgi:framework", DJANGO_SETTINGS_MODULE="benchmarks.floor_settings") as high:
            with stage.web("benchmarks.floor_wsgi:bare", DJANGO_SETTINGS_MODULE="benchmarks.floor_settings") as low:
                webs = {floors.FRAMEWORK: high, floors.BARE: low, None: None}
                return {q.name: _measure(stage, q, service, webs[q.floor]) for q in questions}


def measure_first(stage: Stage, questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """Return the milliseconds of the first and second request to new processes on a database server just started."""
    found = {}
    for question in questions:
        stage.services.mariadb.stop()
        stage.services.mariadb.start()
        asked = [client.request(path, token=stage.token) for path in question.paths]
        with stage.web() as web:
            first, second = (client.burst(web.port, [asked[0]], clients=1, count=1) for _ in range(2))
            client.burst(web.port, asked, clients=max(CLIENTS), count=_WARM_UP)
            warm = client.burst(web.port, asked, clients=1, count=_WARM_UP)
        found[question.name] = {
            name: timings.percentile(0.5) * 1000
            for name, timings in (("first", first), ("second", second), ("warm", warm))
        }
    return found


def _build_floors(stage: Stage, service: Web, question: Question) -> None:
    asked = [client.request(path, token=stage.token) for path in question.paths]
    # The first request for a catalog runs other statements in a process than later ones.
    _warm_up(service, asked)
    for number, request in enumerate(asked):
        name = _floor_name(question, number)
        with stage.logged_statements() as statements:
            body = client.ask(service.port, request).body
        statement = one_statement(statements)
        if question.catalog:
            floors.answer_from_items(stage, name, catalog=question.catalog, statement=statement, body=body)
        else:
            floors.answer_after(stage, name, statement=statement, body=body)


def one_statement(statements: list[str]) -> str:
    """Return the last statement; for a whole catalog, which is read in batches, the first batch without its limit."""
    batches = [statement for statement in statements if _FIRST_BATCH in statement and "UNION" not in statement]
    return re.sub(r"LIMIT \d+", f"LIMIT {COURSES}", batches[0]) if batches else statements[-1]


def _floor_name(question: Question, number: int) -> str:
    return f"{''.join(filter(str.isalnum, question.name))}-{number}"


def _measure(stage: Stage, question: Question, service: Web, floor: Web | None) -> dict[str, Any]:
    asked = [client.request(path, token=stage.token, **question.headers) for path in question.paths]
    if question.held:
        etags = [client.ask(service.port, request).headers["etag"] for request in asked]
        asked = [
            client.request(path, token=stage.token, If_None_Match=etag)
            for path, etag in zip(question.paths, etags, strict=True)
        ]
    floor_asked = [
        client.request(f"/{_floor_name(question, number)}", token=stage.token) for number in range(len(asked))
    ]
    print(f"  {question.name}", flush=True)
    if floor:
        _compare_answers(question.name, service, asked, floor, floor_asked)
    found: dict[str, Any] = {"floor": question.floor, "sql": _sql_of(stage, service, asked)}
    for clients in CLIENTS:
        ours, theirs, load = _in_turns(stage, service, asked, floor, floor_asked, clients=clients)
        found[str(clients)] = summary(ours) | {"web_ms": load.web, "database_ms": load.database}
        found["bytes"] = ours[0].received // len(ours[0].seconds)
        if theirs:
            found[str(clients)] |= {"floor": summary(theirs), "ratio": ratio(ours, theirs, clients=clients)}
    return found


def _compare_answers(name: str, service: Web, asked: list[bytes], floor: Web, floor_asked: list[bytes]) -> None:
    for own, same in zip(asked, floor_asked, strict=True):
        if client.ask(floor.port, same).body != client.ask(service.port, own).body:
            raise ValueError(f"The floor of {name} answers other bytes than the service.")


def _in_turns(
    stage: Stage, service: Web, asked: list[bytes], floor: Web | None, floor_asked: list[bytes], *, clients: int
) -> tuple[list[Timings], list[Timings], Load]:
    size = _burst_size(service, asked, clients)
    floor_size = _burst_size(floor, floor_asked, clients) if floor else 0
    ours, theirs = [], []
    spent = {"web": 0.0, "database": 0.0}
    for _ in range(_BURSTS):
        before = _processor_seconds(stage, service)
        ours.append(client.burst(service.port, asked, clients=clients, count=size))
        after = _processor_seconds(stage, service)
        spent = {name: spent[name] + after[name] - before[name] for name in spent}
        if floor:
            theirs.append(client.burst(floor.port, floor_asked, clients=clients, count=floor_size))
    load = Load(**{name: seconds * 1000 / (_BURSTS * size) for name, seconds in spent.items()})
    return ours, theirs, load


def _burst_size(web: Web, asked: list[bytes], clients: int) -> int:
    """Warm up, and return how many requests fill a burst."""
    first = client.burst(web.port, asked, clients=max(CLIENTS), count=max(_LEAST * 2, len(asked)))
    if first.elapsed < _BURST_SECONDS:
        client.burst(web.port, asked, clients=max(CLIENTS), count=_WARM_UP)
    probe = client.burst(web.port, asked, clients=clients, count=_LEAST * clients)
    return int(min(_MOST, max(_LEAST * clients, probe.rate * _BURST_SECONDS)))


def summary(bursts: Sequence[Timings]) -> dict[str, float]:
    """Return milliseconds over all bursts, and requests per second of the median burst."""
    seconds = tuple(sorted(second for burst in bursts for second in burst.seconds))
    everything = Timings(seconds, sum(burst.elapsed for burst in bursts), sum(burst.received for burst in bursts))
    times = {f"p{share * 100:.0f}": everything.percentile(share) * 1000 for share in (0.5, 0.95, 0.99)}
    return times | {"rate": median(burst.rate for burst in bursts), "requests": len(seconds)}


def ratio(ours: Sequence[Timings], theirs: Sequence[Timings], *, clients: int) -> float:
    """
    Return the service's time divided by the floor's: of the median request for one client, of the whole burst for many.

    It is the median of all turns, since a machine that slows down for some seconds affects both bursts of a turn.
    """
    turns = zip(ours, theirs, strict=True)
    if clients == 1:
        return median(own.percentile(0.5) / floor.percentile(0.5) for own, floor in turns)
    return median(floor.rate / own.rate for own, floor in turns)


def _warm_up(web: Web, asked: list[bytes]) -> None:
    client.burst(web.port, asked, clients=max(CLIENTS), count=_WARM_UP if len(asked) > 1 else max(CLIENTS))


def _sql_of(stage: Stage, web: Web, asked: list[bytes]) -> float:
    """Return how many statements one request makes the database execute, as the database counts them."""
    _warm_up(web, asked)
    before = stage.status("Questions")
    alone = stage.status("Questions")
    client.burst(web.port, asked, clients=1, count=len(asked))
    after = stage.status("Questions")
    # Both differences contain the cost of reading the counter.
    return round((after - alone - (alone - before)) / len(asked), 2)


def _processor_seconds(stage: Stage, web: Web) -> dict[str, float]:
    database = stage.services.mariadb.process
    assert database is not None
    return {"web": _spent(*web.workers), "database": _spent(psutil.Process(database.pid))}


def _spent(*measured: psutil.Process) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in measured)
