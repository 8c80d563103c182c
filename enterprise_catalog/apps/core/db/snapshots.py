"""Read one moment of the database."""

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
    What a reader's statements say is of different moments, since something was written between them. The same
    statements in a `snapshot` agree.
    """


@contextmanager
def snapshot() -> Iterator[None]:
    """
    Let all reads inside see one moment of the database, without holding up writers.

    Written in SQL since Django's `atomic` would take SQLite's write lock and cannot raise one transaction's isolation
    on MySQL. Inside an outer transaction that one's view holds.
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
