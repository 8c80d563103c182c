"""
Tell workers that there is work, without ever waiting for the broker (P6).

A nudge carries no work: the work is a row, and a nudge that gets lost is found again by the tick. So it is sent once,
after the commit, over a connection of its own with short timeouts, and never raises. (The workers' connection needs
long ones, hence its own.) A broker's name that does not resolve is bounded by the resolver only.
"""

import os
import threading
from typing import Any

import structlog
from celery import Task, current_app
from django.conf import settings
from kombu import Connection

log = structlog.get_logger(__name__)

# Per thread and process: a connection is not shared, and a forked child must not write into its parent's.
_local = threading.local()


def nudge(task: Task, *arguments: str) -> bool:
    """Send a message that names the task and its arguments; False when it is lost. Call it after the commit."""
    try:
        connection = _connection()
        # Connecting by itself would retry for minutes.
        connection.ensure_connection(max_retries=1, timeout=settings.NUDGE_TIMEOUT_SECONDS)
        task.apply_async(arguments, connection=connection, retry=False)
    except Exception as error:
        _forget_connection()
        log.warning("nudge_lost", task=task.name, error=type(error).__name__)
        return False
    return True


def _connection() -> Connection:
    if getattr(_local, "owner", None) != os.getpid():
        _local.owner = os.getpid()
        _local.connection = current_app.connection_for_write(
            connect_timeout=settings.NUDGE_TIMEOUT_SECONDS, transport_options=_transport_options()
        )
    return _local.connection


def _transport_options() -> dict[str, Any]:
    options = dict(current_app.conf.broker_transport_options or {})
    if current_app.conf.broker_url.startswith(("redis", "rediss")):
        timeout = settings.NUDGE_TIMEOUT_SECONDS
        options |= {"socket_timeout": timeout, "socket_connect_timeout": timeout, "max_retries": 0}
    return options


def _forget_connection() -> None:
    connection = getattr(_local, "connection", None)
    _local.owner = None
    if connection is not None:
        connection.release()
