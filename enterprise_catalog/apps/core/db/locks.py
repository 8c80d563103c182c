"""What the databases differ in, said once: their clock, and how to live with a lost deadlock."""

import functools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar, cast

from django.conf import settings
from django.db import OperationalError, connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now

from enterprise_catalog.apps.core.db.batching import in_measured_chunks
from enterprise_catalog.apps.core.db.replica import reading

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Compiled = tuple[str, tuple[str | int, ...]]

# MySQL and MariaDB: deadlock, lock wait timeout. SQLite says "database is locked" once its busy timeout is over.
_LOST_LOCK_CODES = {1213, 1205}
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05

# What MySQL and MariaDB want a backslash before.
_ESCAPED = b"\x00\n\r\x1a\"'\\"

_SNAPSHOT_STATEMENTS = {
    "mysql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
    "sqlite": ("BEGIN DEFERRED",),
}


class Moved(Exception):
    """
    What a reader's statements say is of different moments, since something was written between them. The same
    statements in a `snapshot` agree.
    """


class DatabaseNow(Now):
    """The database's clock in UTC. `NOW()` would follow the session's time zone; workers' own clocks may be wrong."""

    def as_mysql(
        self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **extra)


def lost_a_lock(error: OperationalError) -> bool:
    """True when the database rolled back because of others, so that the same work may succeed now."""
    code = error.args[0] if error.args else None
    return code in _LOST_LOCK_CODES or "database is locked" in str(error)


def retry_lost_locks(work: Callable[P, R]) -> Callable[P, R]:
    """
    Run a whole transaction again when the database chose it as a deadlock's victim.

    Only for functions that open their transaction themselves: inside an outer one there is nothing left to repeat, so
    the error goes up.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or attempt == _ATTEMPTS or not lost_a_lock(error):
                    raise
                time.sleep(_PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311
        raise AssertionError("unreachable")

    return run


def sent_bytes(*values: bytes | memoryview | str | None) -> int:
    """How long these values are in a statement, escaped as MySQL and MariaDB are sent them."""
    total = 0
    for value in values:
        raw = value.encode() if isinstance(value, str) else bytes(value or b"")
        total += 2 * len(raw) - len(raw.translate(None, _ESCAPED))
    return total


def in_statements(rows: Sequence[T], *, size: Callable[[T], int], rows_at_most: int) -> Iterator[list[T]]:
    """Cut rows so that no statement is longer than a database takes. A single row must fit by itself."""
    return in_measured_chunks(
        rows, size=size, rows_at_most=rows_at_most, size_at_most=settings.DATABASE_STATEMENT_BYTES
    )


@contextmanager
def snapshot() -> Iterator[None]:
    """
    Let all reads inside see one moment of the database, without holding up writers.

    Written in SQL since Django's `atomic` would take SQLite's write lock and cannot raise one transaction's isolation
    on MySQL. Inside an outer transaction that one's view holds.
    """
    connection = reading()
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        for statement in _SNAPSHOT_STATEMENTS[connection.vendor]:
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")


def database_now() -> datetime:
    """The database's clock, for moments that are compared between workers."""
    connection = reading()
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SELECT UTC_TIMESTAMP(6)")
            return cast(datetime, cursor.fetchone()[0]).replace(tzinfo=UTC)
    return datetime.now(tz=UTC)  # SQLite has no clock but this machine's


@retry_lost_locks
def upsert(model: type[models.Model], rows: Sequence[models.Model], *, update_fields: Sequence[str]) -> None:
    """Insert rows, or update those fields where the primary key exists, in one statement."""
    if not rows:
        return
    # SQLite must be told which key may conflict, MySQL must not.
    needs_target = connection.features.supports_update_conflicts_with_target
    unique_fields = [model._meta.pk.name] if needs_target else None
    model._default_manager.bulk_create(
        rows, update_conflicts=True, update_fields=update_fields, unique_fields=unique_fields
    )
