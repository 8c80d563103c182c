"""
Serve the two floors: the least that an answer costs, with and without the frameworks of the service.

Both answer `/<name>` with the bytes that the service answered, after one SQL statement. It is the last one that the
service ran for that answer, as the database logged it. For content, that statement reads items that are ready to be
sent, packed as the service packs them; everything else is answered from memory. ADR 0019 says why. *Framework* is a DRF
view with the service's authentication and without middleware. *Bare* is a WSGI function with that statement only.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db import connection

from enterprise_catalog.apps.core.packed_json import pack_bytes, unpack_bytes

if TYPE_CHECKING:
    from benchmarks.stage import Stage

FRAMEWORK, BARE = "framework", "bare"
_DOCUMENTS = "catalog_contentdocuments"
_FIRST_ITEM = b'"results":['

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True)
class Floor:
    """An answer. Its items come between `before` and `after`; without `after` it has none."""

    statement: str
    before: bytes
    after: bytes | None


def make_tables(stage: "Stage") -> None:
    stage.sql(
        "CREATE TABLE benchmark_floors"
        " (name VARCHAR(100) PRIMARY KEY, statement TEXT, before_items BLOB, after_items BLOB)"
    )


def answer_after(stage: "Stage", name: str, *, statement: str, body: bytes) -> None:
    """Let both floors answer `/<name>` with these bytes after this statement."""
    _remember(stage, name, Floor(statement, body, None))


def answer_from_items(stage: "Stage", name: str, *, catalog: str, statement: str, body: bytes) -> None:
    """Let both floors answer `/<name>` with these bytes, whose items this statement reads by key."""
    before, items, after = split_answer(body)
    table = f"benchmark_items_{catalog.replace('-', '')}"
    stage.sql(f"CREATE TABLE IF NOT EXISTS {table} LIKE {_DOCUMENTS}")
    keys = sorted(row[0] for row in stage.sql(statement) if row[0] is not None)
    stage.sql_of_many(
        f"REPLACE INTO {table} (content_key, rendered, search_document) VALUES (%s, %s, '')",
        [(key, pack_bytes(item)) for key, item in zip(keys, items, strict=True)],
    )
    stage.sql(f"ANALYZE TABLE {table}")
    _remember(stage, name, Floor(statement.replace(_DOCUMENTS, table), before, after))


def split_answer(body: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Split an answer into the bytes before its items, the items, and the bytes after them."""
    start = body.index(_FIRST_ITEM) + len(_FIRST_ITEM)
    text = body[start:].decode()
    decoder = json.JSONDecoder()
    items, at = [], 0
    while text[at] != "]":
        at += text[at] == ","
        end = decoder.raw_decode(text, at)[1]
        items.append(text[at:end].encode())
        at = end
    return body[:start], items, text[at:].encode()


def _remember(stage: "Stage", name: str, floor: Floor) -> None:
    stage.sql("INSERT INTO benchmark_floors VALUES (%s, %s, %s, %s)", name, floor.statement, floor.before, floor.after)


def floor_answer(name: str) -> bytes:
    floor = _remembered(name)
    with connection.cursor() as cursor:
        cursor.execute(floor.statement)
        rows: Sequence[Any] = cursor.fetchall()
    if floor.after is None:
        return floor.before
    items = b",".join(
        [unpack_bytes(row[1]) for row in sorted((row for row in rows if row[1] is not None), key=itemgetter(0))]
    )
    return b"".join([floor.before, items, floor.after])


@cache
def _remembered(name: str) -> Floor:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, before_items, after_items FROM benchmark_floors WHERE name = %s", [name])
        return Floor(*cursor.fetchone())


def bare(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    body = floor_answer(environ["PATH_INFO"].lstrip("/"))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
