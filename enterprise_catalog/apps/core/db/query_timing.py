"""How long a request waits for the database, and how often; of the thread that answers it, on every connection."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class _Spent(threading.local):
    seconds = 0.0
    statements = 0


spent = _Spent()


def start_counting() -> None:
    """From nothing, for this thread."""
    spent.seconds = 0.0
    spent.statements = 0


def time_connections() -> None:
    """Call it once: every connection that is made from now on counts."""
    connection_created.connect(_follow, dispatch_uid="sql_time")


def _follow(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    # It is the same object that connects again.
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        spent.seconds += time.perf_counter() - started
        spent.statements += 1
