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
from contextlib import suppress
from queue import SimpleQueue

import structlog
from celery import Task, current_app
from django.conf import settings
from kombu import Connection

from enterprise_catalog.apps.core.observability.metrics import count_lost_nudge

log = structlog.get_logger(__name__)

# Nudges that are kept while the broker hangs; they may arrive late, since workers decide what is to be done.
_KEPT = 100


class BrokerUnresponsive(Exception):
    """An earlier nudge is still on its way."""


class _Publisher:
    """The thread that sends messages, one after the other, over one connection."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[None], Task, tuple[str, ...]]] = SimpleQueue()
        self._late: Future[None] | None = None
        self._connection = _new_connection()
        # Importing and setting up takes longer than a broker may, and waits for nobody.
        current_app.finalize()
        _ = self._connection.transport, current_app.amqp.send_task_message
        threading.Thread(target=self._work, name="nudges", daemon=True).start()

    def send(self, task: Task, arguments: tuple[str, ...]) -> None:
        hangs = self._late is not None and not self._late.done()
        if hangs and self._waiting.qsize() >= _KEPT:
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
                # Connects by itself where needed.
                task.apply_async(arguments, connection=self._connection, retry=False)  # type: ignore[call-arg]
            except Exception as error:
                self._disconnect()
                future.set_exception(error)
            else:
                future.set_result(None)

    def _disconnect(self) -> None:
        """Without a word to the broker, which may not listen; of several brokers, the next one has its turn."""
        with suppress(Exception):
            self._connection.collect()
            self._connection.maybe_switch_next()


_publisher: _Publisher | None = None
_lock = threading.Lock()


def notify_worker(task: Task, *arguments: str) -> bool:
    """Send a message that names the task and its arguments; False when it is lost. Call it after the commit."""
    try:
        _publisher_of_this_process().send(task, arguments)
    except Exception as error:
        count_lost_nudge()
        log.warning("nudge_lost", task=task.name, error=type(error).__name__)
        return False
    return True


def _publisher_of_this_process() -> _Publisher:
    global _publisher
    with _lock:
        if _publisher is None:
            _publisher = _Publisher()
        return _publisher


def _forget_publisher() -> None:
    """A forked child has neither its parent's thread, nor may it write into its parent's connection."""
    global _publisher, _lock
    _publisher, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_publisher)


def _new_connection() -> Connection:
    """Not connected yet. Each kind of broker heeds some of these options and passes over the others."""
    timeout = settings.NOTIFY_TIMEOUT_SECONDS
    return current_app.connection_for_write(
        connect_timeout=timeout,
        transport_options={
            # Redis
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            # An answer that comes too late does not undo what was sent.
            "retry_on_timeout": False,
            # AMQP
            "read_timeout": timeout,
            "write_timeout": timeout,
            # Any: kombu would try to connect for minutes.
            "max_retries": 0,
        },
    )
