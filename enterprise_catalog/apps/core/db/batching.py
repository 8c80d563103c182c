"""Split rows into batches that fit one statement, and insert or update rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import connection, models
from more_itertools import constrained_batches

from enterprise_catalog.apps.core.db.locks import retry_lost_locks

T = TypeVar("T")


# MySQL and MariaDB escape these by a backslash.
_ESCAPED = b"\x00\n\r\x1a\"'\\"


def escaped_length(*values: bytes | memoryview | str | None) -> int:
    """Return the bytes that these values take in a statement, escaped for MySQL and MariaDB."""
    total = 0
    for value in values:
        raw = value.encode() if isinstance(value, str) else bytes(value or b"")
        total += 2 * len(raw) - len(raw.translate(None, _ESCAPED))
    return total


def batches_for_statements(
    rows: Iterable[T], *, size: Callable[[T], int], rows_at_most: int
) -> Iterator[tuple[T, ...]]:
    """Split rows into batches of DATABASE_STATEMENT_BYTES at most. A larger row makes a batch of its own."""
    return constrained_batches(rows, settings.DATABASE_STATEMENT_BYTES, rows_at_most, get_len=size, strict=False)


@retry_lost_locks
def upsert(model: type[models.Model], rows: Sequence[models.Model], *, update_fields: Sequence[str]) -> None:
    """Insert rows, or update these fields if the primary key exists, in one statement."""
    if not rows:
        return
    # SQLite needs the key that may conflict; MySQL refuses it.
    needs_target = connection.features.supports_update_conflicts_with_target
    unique_fields = [model._meta.pk.name] if needs_target else None
    model._default_manager.bulk_create(
        rows, update_conflicts=True, update_fields=update_fields, unique_fields=unique_fields
    )
