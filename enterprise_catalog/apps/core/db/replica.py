"""
Which database the reads of this thread go to: the primary, or its replica while a request that only reads content is
answered (ADR 0018).

The choice lasts until the request is over, the last byte of a stream included. Without a replica nothing is ever
chosen. Nothing here knows which rows a request reads, or what to do when the replica cannot answer it.
"""

import threading
import time
from typing import Any

import structlog
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, Error, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

log = structlog.get_logger(__name__)

REPLICA = "replica"


class _Choice(threading.local):
    alias = DEFAULT_DB_ALIAS


class _Failure:
    """Until when this process leaves the replica alone; None while it is well."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.until: float | None = None


_choice = _Choice()
_failure = _Failure()


class ReplicaRouter:
    """One of DATABASE_ROUTERS: models of REPLICA_APPS are read where the thread reads, all else is the primary's."""

    def __init__(self) -> None:
        self._apps = frozenset(settings.REPLICA_APPS)

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        return _choice.alias if model._meta.app_label in self._apps else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db != REPLICA


def read_connection() -> BaseDatabaseWrapper:
    """The connection for statements that no router sees."""
    return connections[_choice.alias]


def is_reading_replica() -> bool:
    return _choice.alias == REPLICA


def read_from_replica() -> None:
    """From here on, if there is one and it is not left alone."""
    if REPLICA in connections.databases and (_failure.until is None or _is_back()):
        _choice.alias = REPLICA


def read_from_primary(**_signal: Any) -> None:
    _choice.alias = DEFAULT_DB_ALIAS


def fall_back_to_primary(because: Exception) -> None:
    """
    From here on this thread reads from the primary. If it was the replica that failed, the process leaves it alone for
    REPLICA_PAUSE_SECONDS.
    """
    read_from_primary()
    connection = connections[REPLICA]
    if not connection.errors_occurred:
        return
    with _failure.lock:
        # Of all threads that wait for a server that hangs, the first says so.
        if _failure.until is None:
            _leave_alone(because)
    # The next request would ask a connection that failed whether it is of use, and wait for it once more.
    connection.close()


def reset_after_each_request() -> None:
    """For a process that may have a replica: no request inherits the choice of the one before it in its thread."""
    for signal in (request_started, request_finished):
        signal.connect(read_from_primary)


def _is_back() -> bool:
    """One thread finds out, with a new connection; the others go on without the replica."""
    with _failure.lock:
        if _failure.until is None or time.monotonic() < _failure.until:
            return _failure.until is None
        _failure.until = time.monotonic() + settings.REPLICA_PAUSE_SECONDS
    try:
        connections[REPLICA].close()
        with connections[REPLICA].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        with _failure.lock:
            _leave_alone(error)
        return False
    _failure.until = None
    return True


def _leave_alone(error: Exception) -> None:
    _failure.until = time.monotonic() + settings.REPLICA_PAUSE_SECONDS
    # Without the database's words, which may quote what a caller asked for.
    log.warning("replica_failed", error=type(error).__name__, code=error.args[0] if error.args else None)
