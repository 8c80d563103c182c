"""
Notify workers that there is work, without waiting longer than NOTIFY_TIMEOUT_SECONDS for the broker (P6).

A notification carries no work: the work is a row, and the tick repeats a notification that was lost. It is sent once,
after the commit, and never raises. A thread of its own talks to the broker, because only that bounds every wait: for a
name that does not resolve, a host that drops packets, a server that accepts and stays silent. While that thread hangs,
nobody waits for it. Its connection is not the workers' connection, which needs long timeouts.
"""

import os
import threading
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue

import structlog
from celery import Task, current_app
from django.conf import settings
from kombu import Connection

from enterprise_catalog.apps.core.observability.metrics import count_lost_nudge

log = structlog.get_logger(__name__)

# Notifications that are queued while the broker hangs. They may arrive late, because workers look at rows.
_MAX_QUEUED = 100


class BrokerUnresponsive(Exception):
    """An earlier notification is still being sent."""


class _Publisher:
    """The thread that sends messages, one after the other, over one connection."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[None], Task, tuple[str, ...]]] = SimpleQueue()
        self._late: Future[None] | None = None
        self._connection = _new_connection()
        # Imports and set-up take longer than the timeout, and need no broker.
        current_app.finalize()
        _ = self._connection.transport, current_app.amqp.send_task_message
        threading.Thread(target=self._work, name="notifications", daemon=True).start()

    def send(self, task: Task, arguments: tuple[str, ...]) -> None:
        hangs = self._late is not None and not self._late.done()
        if hangs and self._waiting.qsize() >= _MAX_QUEUED:
            raise BrokerUnresponsive
        future: Future[None] = Future()
        self._waiting.put((future, task, arguments))
        if hangs:
            raise BrokerUnresponsive
        try:
            future.result(timeout=settings.NOTIFY_TIMEOUT_SECONDS)
        except TimeoutError:
            self._late = future
            raise

    def _work(self) -> None:
        while True:
            future, task, arguments = self._waiting.get()
            try:
                # It connects by itself if needed.
                task.apply_async(arguments, connection=self._connection, retry=False)  # type: ignore[call-arg]
            except Exception as error:
                self._disconnect()
                future.set_exception(error)
            else:
                future.set_result(None)

    def _disconnect(self) -> None:
        """Drop the connection without telling the broker, which may hang, and switch to the next broker, if any."""
        with suppress(Exception):
            self._connection.collect()
            self._connection.maybe_switch_next()


_publisher: _Publisher | None = None
_lock = threading.Lock()


def notify_worker(task: Task, *arguments: str) -> bool:
    """Send a Celery message for this task. Return False if it may be lost. Call it after the commit."""
    try:
        _get_publisher().send(task, arguments)
    except Exception as error:
        count_lost_nudge()
        log.warning("nudge_lost", task=task.name, error=type(error).__name__)
        return False
    return True


def _get_publisher() -> _Publisher:
    global _publisher
    with _lock:
        if _publisher is None:
            _publisher = _Publisher()
        return _publisher


def _forget_publisher() -> None:
    """Reset the publisher in a forked child, which has no such thread and must not use its parent's connection."""
    global _publisher, _lock
    _publisher, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_publisher)


def _new_connection() -> Connection:
    """Return a connection that is not open yet. Each kind of broker uses some of these options."""
    timeout = settings.NOTIFY_TIMEOUT_SECONDS
    return current_app.connection_for_write(
        connect_timeout=timeout,
        transport_options={
            # Redis
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            # A late answer does not mean that the message was not sent, and a retry would send it twice.
            "retry_on_timeout": False,
            # AMQP
            "read_timeout": timeout,
            "write_timeout": timeout,
            # Any: kombu would try to connect for minutes.
            "max_retries": 0,
        },
    )
