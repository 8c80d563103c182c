"""Count the statements of a request and the seconds it waits for them, per thread and over all connections."""

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
    """Reset this thread's statement count and seconds."""
    spent.seconds = 0.0
    spent.statements = 0


def time_connections() -> None:
    """Time the statements of every connection that is made from now on. Call it once."""
    connection_created.connect(_add_timing, dispatch_uid="sql_time")


def _add_timing(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    # The same object may connect again.
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        spent.seconds += time.perf_counter() - started
        spent.statements += 1
