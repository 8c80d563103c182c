"""
The two floors: what an answer costs at least, with and without the frameworks the service stands on.

Both answer `/<name>` with the bytes that the service itself answered, from memory, after running one SQL statement: the
last one the service ran for that answer, word for word, as the database logged it. *Framework* is a DRF view behind the
service's own authentication, without any middleware; *bare* is a WSGI function with that statement and nothing else.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from benchmarks.stage import Stage

FRAMEWORK, BARE = "framework", "bare"
# A row must fit the smallest packet a database may allow.
_PART_BYTES = 1024 * 1024

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def make_tables(stage: "Stage") -> None:
    for table, column in (("benchmark_statements", "statement TEXT"), ("benchmark_answers", "body LONGBLOB")):
        stage.sql(f"CREATE TABLE {table} (name VARCHAR(100), part INT, {column}, PRIMARY KEY (name, part))")


def remember(stage: "Stage", name: str, *, statement: str, body: bytes) -> None:
    """Have both floors answer `/<name>` so."""
    stage.sql("INSERT INTO benchmark_statements VALUES (%s, 0, %s)", name, statement)
    for part, start in enumerate(range(0, len(body), _PART_BYTES)):
        stage.sql("INSERT INTO benchmark_answers VALUES (%s, %s, %s)", name, part, body[start : start + _PART_BYTES])


def floor_answer(name: str) -> bytes:
    statement, body = _remembered(name)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()
    return body


@cache
def _remembered(name: str) -> tuple[str, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM benchmark_statements WHERE name = %s", [name])
        statement = cursor.fetchone()[0]
        cursor.execute("SELECT body FROM benchmark_answers WHERE name = %s ORDER BY part", [name])
        return statement, b"".join(body for (body,) in cursor.fetchall())


def bare(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    body = floor_answer(environ["PATH_INFO"].lstrip("/"))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
