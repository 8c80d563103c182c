"""Repeat a transaction that failed because another one held a lock."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

# MySQL and MariaDB: deadlock, lock wait timeout. SQLite says "database is locked" once its busy timeout is over.
_LOST_LOCK_CODES = {1213, 1205}
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05


def is_lost_lock(error: OperationalError) -> bool:
    """Return whether the database rolled back because of other transactions, so that a retry may succeed."""
    code = error.args[0] if error.args else None
    return code in _LOST_LOCK_CODES or "database is locked" in str(error)


def retry_lost_locks(work: Callable[P, R]) -> Callable[P, R]:
    """
    Run a function again, up to five times in all, if its transaction lost a lock.

    The function must open its transaction itself. Inside an outer transaction nothing can be repeated, so the error is
    raised.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or attempt == _ATTEMPTS or not is_lost_lock(error):
                    raise
                time.sleep(_PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311
        raise AssertionError("unreachable")

    return run
