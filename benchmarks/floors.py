"""
The two floors: what an answer costs at least, with and without the frameworks the service stands on.

Both answer `/<name>` with the bytes that the service itself answered, after one SQL statement. For content that
statement reads these very bytes, ready to be sent, in rows as large as an item: nobody can answer from a database and
read less. All else is answered from memory after the last statement that the service ran for it, word for word, as the
database logged it. *Framework* is a DRF view behind the service's own authentication, without any middleware; *bare* is
a WSGI function with that statement and nothing else. ADR 0019 says why these and no others.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from benchmarks.stage import Stage

FRAMEWORK, BARE = "framework", "bare"
# About what an item takes.
_ROW_BYTES = 14 * 1024

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def make_tables(stage: "Stage") -> None:
    stage.sql("CREATE TABLE benchmark_floors (name VARCHAR(100) PRIMARY KEY, statement TEXT, body BLOB)")
    stage.sql("CREATE TABLE benchmark_rows (name VARCHAR(100), number INT, body BLOB, PRIMARY KEY (name, number))")


def answer_after(stage: "Stage", name: str, *, statement: str, body: bytes) -> None:
    """Have both floors answer `/<name>` with these bytes after this statement."""
    stage.sql("INSERT INTO benchmark_floors VALUES (%s, %s, %s)", name, statement, body)


def answer_from_rows(stage: "Stage", name: str, *, body: bytes) -> None:
    """Have both floors answer `/<name>` with these bytes, which they read anew each time."""
    for number, start in enumerate(range(0, len(body), _ROW_BYTES)):
        stage.sql("INSERT INTO benchmark_rows VALUES (%s, %s, %s)", name, number, body[start : start + _ROW_BYTES])
    statement = f"SELECT body FROM benchmark_rows WHERE name = '{name}' ORDER BY number"
    stage.sql("INSERT INTO benchmark_floors VALUES (%s, %s, NULL)", name, statement)


def floor_answer(name: str) -> bytes:
    statement, body = _remembered(name)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
    return b"".join(part for (part,) in rows) if body is None else body


@cache
def _remembered(name: str) -> tuple[str, bytes | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, body FROM benchmark_floors WHERE name = %s", [name])
        statement, body = cursor.fetchone()
    return statement, body


def bare(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    body = floor_answer(environ["PATH_INFO"].lstrip("/"))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
