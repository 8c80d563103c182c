"""
Choose the database that this thread reads from: the primary, or the replica for requests that only read (ADR 0018).

The choice lasts until the request ends, including the last byte of a stream. Without a replica all reads go to the
primary. Callers decide which requests may use the replica, and what to do if it cannot answer.
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


class ReplicaBehind(Exception):
    """The replica may not have a row yet that the primary has."""


class _Choice(threading.local):
    alias = DEFAULT_DB_ALIAS


class _Failure:
    """Until when this process does not use the replica, by the monotonic clock; None while it works."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.until: float | None = None


_choice = _Choice()
_failure = _Failure()


class ReplicaRouter:
    """Database router: models of REPLICA_APPS are read from this thread's choice, everything else from the primary."""

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
    """Return the connection for raw SQL, which no router sees."""
    return connections[_choice.alias]


def is_reading_replica() -> bool:
    return _choice.alias == REPLICA


def read_from_replica() -> None:
    """Read from the replica from now on, if there is one and it works."""
    if REPLICA in connections.databases and (_failure.until is None or _has_recovered()):
        _choice.alias = REPLICA


def read_from_primary(**_signal: Any) -> None:
    _choice.alias = DEFAULT_DB_ALIAS


def fall_back_to_primary(because: Exception) -> None:
    """
    Read from the primary from now on.

    If the replica's connection failed, this process does not use the replica for REPLICA_PAUSE_SECONDS.
    """
    read_from_primary()
    connection = connections[REPLICA]
    if not connection.errors_occurred:
        return
    with _failure.lock:
        # Many threads may wait for a server that hangs: the first one logs it.
        if _failure.until is None:
            _pause(because)
    # The next request would test a failed connection, and wait for it once more.
    connection.close()


def reset_after_each_request() -> None:
    """Start each request on the primary, so that none inherits the choice of the request before in its thread."""
    for signal in (request_started, request_finished):
        signal.connect(read_from_primary)


def _has_recovered() -> bool:
    """Return whether the replica works again. One thread tests it; the others go on without it."""
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
            _pause(error)
        return False
    _failure.until = None
    return True


def _pause(error: Exception) -> None:
    _failure.until = time.monotonic() + settings.REPLICA_PAUSE_SECONDS
    # Without the database's message, which may quote what a caller asked for.
    log.warning("replica_failed", error=type(error).__name__, code=error.args[0] if error.args else None)
