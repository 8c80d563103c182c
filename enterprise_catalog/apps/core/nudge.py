"""
Tell workers that there is work, without ever waiting for the broker (P6).

A nudge carries no work: the work is a row, and a nudge that gets lost is found again by the tick. So it is sent once,
after the commit, and never raises. A thread of its own speaks to the broker, since only that bounds everything in the
way: a name that does not resolve, a host that drops packets, a server that accepts and stays silent. While that thread
hangs, nobody waits for it. Its connection is not the workers' own, which needs long timeouts.
"""

import os
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

import structlog
from celery import Task, current_app
from django.conf import settings
from kombu import Connection

log = structlog.get_logger(__name__)


# Nudges that are kept while the broker hangs; they may arrive late, since workers decide what is to be done.
_KEPT = 100


class BrokerHangs(Exception):
    """An earlier nudge is still on its way."""


class _Publisher:
    """The thread that sends messages, one after the other."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._waiting: SimpleQueue[tuple[Future[None], Task, tuple[str, ...]]] = SimpleQueue()
        self._late: Future[None] | None = None
        self._connection: Connection | None = None
        # Importing and setting up takes longer than a broker may, and waits for nobody.
        current_app.finalize()
        _new_connection().transport  # noqa: B018
        threading.Thread(target=self._work, name="nudges", daemon=True).start()

    def send(self, task: Task, arguments: tuple[str, ...]) -> None:
        hangs = self._late is not None and not self._late.done()
        if hangs and self._waiting.qsize() >= _KEPT:
            raise BrokerHangs
        future: Future[None] = Future()
        self._waiting.put((future, task, arguments))
        if hangs:
            raise BrokerHangs
        try:
            future.result(timeout=settings.NUDGE_TIMEOUT_SECONDS)
        except TimeoutError:
            self._late = future
            raise

    def _work(self) -> None:
        while True:
            future, task, arguments = self._waiting.get()
            try:
                self._publish(task, arguments)
            except Exception as error:
                self._forget_connection()
                future.set_exception(error)
            else:
                future.set_result(None)

    def _publish(self, task: Task, arguments: tuple[str, ...]) -> None:
        if self._connection is None:
            self._connection = _new_connection()
        # Both would try again for minutes when left to themselves.
        self._connection.ensure_connection(max_retries=0)
        task.apply_async(arguments, connection=self._connection, retry=False)  # type: ignore[call-arg]

    def _forget_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()


_publisher: _Publisher | None = None
_lock = threading.Lock()


def nudge(task: Task, *arguments: str) -> bool:
    """Send a message that names the task and its arguments; False when it is lost. Call it after the commit."""
    try:
        _publisher_of_this_process().send(task, arguments)
    except Exception as error:
        log.warning("nudge_lost", task=task.name, error=type(error).__name__)
        return False
    return True


def _publisher_of_this_process() -> _Publisher:
    global _publisher
    with _lock:
        # A forked child has neither its parent's thread, nor may it write into its parent's connection.
        if _publisher is None or _publisher.process != os.getpid():
            _publisher = _Publisher()
        return _publisher


def _new_connection() -> Connection:
    """Not connected yet."""
    timeout = settings.NUDGE_TIMEOUT_SECONDS
    options: dict[str, Any] = dict(current_app.conf.broker_transport_options or {})
    if current_app.conf.broker_url.startswith("redis"):
        options |= {"socket_timeout": timeout, "socket_connect_timeout": timeout, "max_retries": 0}
    return current_app.connection_for_write(connect_timeout=timeout, transport_options=options)
