"""
Serve HTTP with gunicorn's thread worker, using a thread only while the application works (SEC-1, P12).

gunicorn's own worker uses a thread for a connection while a request arrives and while its answer is sent, so that a few
slow clients block all threads. Here the event loop reads requests and sends the rest of answers. gunicorn still parses
requests, frames answers and logs.
"""

import resource
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import structlog
from gunicorn import util
from gunicorn.errors import ConfigError
from gunicorn.workers.gthread import ThreadWorker

from enterprise_catalog.web_server.buffers import CHUNK_BYTES, DiskBudget
from enterprise_catalog.web_server.connection import BufferedConnection, Limits

log = structlog.get_logger(__name__)

# A new connection counts as busy for this long, because its request is about to arrive. So processes share connections
# that are opened at the same time.
_NEW_SECONDS = 0.02
# After a new connection that stayed silent, no new one counts as busy for this long.
_SILENT_SECONDS = 1.0
# Bytes of one read from a client. What follows a request in them is kept in memory.
_REQUEST_BYTES = 64 * 1024
# How often connections past their deadline are closed. A second more or less does not matter.
_CHECK_SECONDS = 0.5
# Files and sockets for other purposes than clients.
_OTHER_FILES = 100


class BufferedWorker(ThreadWorker):
    """
    gunicorn's thread worker with buffered requests and answers.

    `gunicorn.conf.py` sets `limits` and `disk_bytes`, the bytes that one process may keep in temporary files.
    """

    limits: Limits
    disk_bytes: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._budget = DiskBudget(self.disk_bytes)
        # Connections whose clients the event loop waits for, to send or to read.
        self._watched: set[BufferedConnection] = set()
        # Until when a connection counts as new.
        self._new: dict[BufferedConnection, float] = {}
        self._with_application = 0
        self._next_check = 0.0
        self._accepts_again = 0.0
        self._silent_until = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl or cfg.proxy_protocol != "off":
            raise ConfigError("TLS and the PROXY protocol end in front of the web processes, not in them.")

    def init_process(self) -> None:
        # A connection may need a file beside its socket, for its request or its answer.
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.worker_connections = max(1, min(self.cfg.worker_connections, (files - _OTHER_FILES) // 2))
        super().init_process()

    # --- Accepting

    def accept(self, listener: socket.socket) -> None:
        try:
            client_socket, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # No file descriptor is left, so the connection waits in the queue; or the network failed.
            log.warning("accept_failed", error=error.strerror)
            self._accepts_again = time.monotonic() + _CHECK_SECONDS
            self.set_accept_enabled(self._accepting)
            return
        connection = BufferedConnection(
            self.cfg, client_socket, client, listener.getsockname(), limits=self.limits, budget=self._budget
        )
        self.nr_conns += 1
        if (now := time.monotonic()) >= self._silent_until:
            self._new[connection] = now + _NEW_SECONDS
        self._watch(connection, selectors.EVENT_READ, self._on_request_bytes)
        if self.nr_conns >= self.worker_connections:
            # Make room for later clients: close the waiting connection with the earliest deadline.
            others = self._watched - {connection}
            self._drop(min(others, key=lambda waiting: waiting.deadline, default=connection))
        self.set_accept_enabled(self._accepting)

    def set_accept_enabled(self, enabled: bool) -> None:
        """
        Accept connections only while a thread is free for one more.

        Otherwise one process often takes all of several connections that are opened at once, while the others are idle.
        """
        now = time.monotonic()
        self._forget_silent(now)
        has_thread = self._with_application + len(self._new) < self.cfg.threads
        super().set_accept_enabled(enabled and has_thread and now >= self._accepts_again)

    def _forget_silent(self, now: float) -> None:
        """Stop counting connections as new that stayed silent, and for a while all new ones."""
        still_new = {connection: until for connection, until in self._new.items() if until > now}
        if len(still_new) < len(self._new):
            self._silent_until = now + _SILENT_SECONDS
        self._new = still_new

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        self._forget_silent(time.monotonic())
        super().wait_for_and_dispatch_events(min(timeout, _NEW_SECONDS) if self._new else timeout)

    # --- Requests and answers

    def enqueue_req(self, conn: BufferedConnection) -> None:
        self._new.pop(conn, None)
        self._with_application += 1
        self.set_accept_enabled(self._accepting)
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: BufferedConnection) -> bool:
        """Handle a request in a pool thread."""
        if any(name == "TRANSFER-ENCODING" for name, _ in req.headers):
            # Only parsing would find its end, and Django reads no body without a length.
            self._forget_request()
            log.warning("request_malformed", status=411, reason="LengthRequired")
            util.write_error(conn.sock, 411, "Length Required", "The body needs a Content-Length.")
            return False
        if conn.incoming.exceeds_disk_budget:
            self._forget_request()
            log.warning("request_without_room", status=503)
            util.write_error(conn.sock, 503, "Service Unavailable", "Too many large requests are under way.")
            return False
        if conn.incoming.is_cut:
            req.force_close()
        conn.has_written = False
        try:
            return bool(super().handle_request(req, conn))
        except BaseException:
            # gunicorn answers with an error if nothing was written yet.
            conn.is_broken = conn.has_written
            raise

    def _forget_request(self) -> None:
        """Clear this thread's log context, which belongs to the request before."""
        structlog.contextvars.clear_contextvars()

    def finish_request(self, conn: BufferedConnection, fs: Future[Any]) -> None:
        """Send the rest of the answer from the event loop, after the application and gunicorn are done."""
        self._with_application -= 1
        # The rest of the answer may need the one file that a connection has beside its socket.
        conn.incoming.close()
        conn.keeps_open = fs.exception() is None and bool(fs.result()) and conn.can_serve_more
        self._go_on(conn, self._after_application)

    def _after_application(self, conn: BufferedConnection) -> None:
        if conn.is_broken:
            self._drop(conn)
        elif conn.has_unsent:
            conn.begin_sending()
            self._watch(conn, selectors.EVENT_WRITE, self._on_writable)
        else:
            self._after_answer(conn)

    def _after_answer(self, conn: BufferedConnection) -> None:
        if not conn.keeps_open:
            conn.begin_lingering()
            self._watch(conn, selectors.EVENT_READ, self._on_lingering)
        elif conn.next_request():
            self._unwatch(conn)
            self.enqueue_req(conn)
        else:
            self._watch(conn, selectors.EVENT_READ, self._on_request_bytes)

    def _on_request_bytes(self, conn: BufferedConnection) -> None:
        data = conn.client_socket.recv(_REQUEST_BYTES)
        if not data:
            self._drop(conn)
        elif conn.receive(data):
            self._unwatch(conn)
            self.enqueue_req(conn)

    def _on_writable(self, conn: BufferedConnection) -> None:
        conn.send_unsent()
        if not conn.has_unsent:
            self._after_answer(conn)

    def _on_lingering(self, conn: BufferedConnection) -> None:
        if not conn.client_socket.recv(CHUNK_BYTES):
            self._drop(conn)

    # --- Waiting for clients

    def _watch(self, conn: BufferedConnection, event: int, then: Callable[[BufferedConnection], None]) -> None:
        self._unwatch(conn)
        self._watched.add(conn)
        self.poller.register(conn.client_socket, event, partial(self._on_event, conn, then))

    def _unwatch(self, conn: BufferedConnection) -> None:
        if conn in self._watched:
            self._watched.remove(conn)
            self.poller.unregister(conn.client_socket)

    def _on_event(self, conn: BufferedConnection, then: Callable[[BufferedConnection], None], _socket: Any) -> None:
        # Another event of the same round may have closed it.
        if conn in self._watched:
            self._go_on(conn, then)

    def _go_on(self, conn: BufferedConnection, then: Callable[[BufferedConnection], None]) -> None:
        try:
            then(conn)
        except BlockingIOError:
            pass
        except OSError:
            # The client is gone.
            self._drop(conn)

    def _drop(self, conn: BufferedConnection) -> None:
        self._unwatch(conn)
        self._new.pop(conn, None)
        self.nr_conns -= 1
        conn.close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections past their deadline, or all. gunicorn calls it after each round of events."""
        now = time.monotonic()
        if now < self._next_check and not force:
            return
        self._next_check = now + _CHECK_SECONDS
        late = [conn for conn in self._watched if force or (conn.deadline <= now and not conn.has_taken_more())]
        slow = sum(not conn.is_idle and not conn.is_lingering for conn in late)
        for conn in late:
            self._drop(conn)
        if slow:
            log.info("slow_clients_closed", connections=slow)

    def murder_pending(self) -> None:
        """Do nothing: gunicorn's list of connections without a first byte stays empty here."""

    def _cap_keepalive(self, deadline: float) -> None:
        """Shorten the wait for new requests in a process that stops."""
        for conn in self._watched:
            if conn.is_idle:
                conn.deadline = min(conn.deadline, deadline)
