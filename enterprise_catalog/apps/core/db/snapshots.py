"""Let several reads see the same state of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from enterprise_catalog.apps.core.db.replica import read_connection

_SNAPSHOT_STATEMENTS = {
    "mysql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
    "sqlite": ("BEGIN DEFERRED",),
}


class InconsistentRead(Exception):
    """
    The statements of an answer saw different data, because something was written between them.

    The same statements in a `snapshot` agree.
    """


@contextmanager
def snapshot() -> Iterator[None]:
    """
    Let all reads inside see the same data, without blocking writers.

    It is plain SQL, because Django's `atomic` would take SQLite's write lock and cannot set the isolation level of one
    transaction on MySQL. Inside an outer transaction, the outer one decides what the reads see.
    """
    connection = read_connection()
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
