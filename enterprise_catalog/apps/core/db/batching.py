"""Send and read many rows in batches that one statement, one request and memory can carry; insert or update rows."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import connection, models

from enterprise_catalog.apps.core.db.locks import retry_lost_locks

T = TypeVar("T")


def in_chunks(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    """So many rows in each. Statements have few enough of them to stay within every database's parameter limit."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def in_measured_chunks(
    rows: Sequence[T], *, size: Callable[[T], int], rows_at_most: int, size_at_most: int
) -> Iterator[list[T]]:
    """As `in_chunks`, and none larger than so much, unless a single row is."""
    chunk: list[T] = []
    total = 0
    for row in rows:
        own_size = size(row)
        if chunk and (len(chunk) == rows_at_most or total + own_size > size_at_most):
            yield chunk
            chunk, total = [], 0
        chunk.append(row)
        total += own_size
    if chunk:
        yield chunk


# What MySQL and MariaDB want a backslash before.
_ESCAPED = b"\x00\n\r\x1a\"'\\"


def escaped_length(*values: bytes | memoryview | str | None) -> int:
    """How long these values are in a statement, escaped as MySQL and MariaDB are sent them."""
    total = 0
    for value in values:
        raw = value.encode() if isinstance(value, str) else bytes(value or b"")
        total += 2 * len(raw) - len(raw.translate(None, _ESCAPED))
    return total


def batches_for_statements(rows: Sequence[T], *, size: Callable[[T], int], rows_at_most: int) -> Iterator[list[T]]:
    """Cut rows so that no statement is longer than a database takes. A single row must fit by itself."""
    return in_measured_chunks(
        rows, size=size, rows_at_most=rows_at_most, size_at_most=settings.DATABASE_STATEMENT_BYTES
    )


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
