"""Much in pieces: what one statement, one request or one moment of memory can carry."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

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
