"""
gunicorn's thread worker, but a thread is taken only while the application works (SEC-1, P12).

gunicorn's own gives a thread to each connection while a request arrives and while its answer leaves, so that a few
clients that send or read slowly hold all of them. Here the event loop reads requests and sends what is left of answers;
gunicorn still parses, frames and logs.
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

# A connection that was just accepted counts as busy for this long: its request is about to arrive, and processes that
# are started at once share connections that are opened at once.
_NEW_SECONDS = 0.02
# After one that stayed silent, none counts as busy for this long.
_SILENT_SECONDS = 1.0
# What is read of a request at once: what comes behind it is kept in memory.
_REQUEST_BYTES = 64 * 1024
# How often connections whose time is up are looked for: a second more or less matters to nobody.
_CHECK_SECONDS = 0.5
# Files and sockets that are not clients'.
_OTHER_FILES = 100


class BufferedWorker(ThreadWorker):
    limits: Limits
    disk_bytes: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._budget = DiskBudget(self.disk_bytes)
        # Connections that the event loop waits for: their clients have to send or to read.
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
            # No file is left for it, or the network failed: it stays in the queue, or is gone.
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
            # Whoever comes is served; of the others, the client that has the least time left goes.
            others = self._watched - {connection}
            self._drop(min(others, key=lambda waiting: waiting.deadline, default=connection))
        self.set_accept_enabled(self._accepting)

    def set_accept_enabled(self, enabled: bool) -> None:
        """
        Only while there is a thread for one more. Of eight connections opened at once, one of two processes would often
        take all, and answer little more than half as many requests.
        """
        now = time.monotonic()
        self._forget_silent(now)
        has_thread = self._with_application + len(self._new) < self.cfg.threads
        super().set_accept_enabled(enabled and has_thread and now >= self._accepts_again)

    def _forget_silent(self, now: float) -> None:
        """Who waits for requests that do not come lets others wait: then, connections are taken as they come."""
        still_new = {connection: until for connection, until in self._new.items() if until > now}
        if len(still_new) < len(self._new):
            self._silent_until = now + _SILENT_SECONDS
        self._new = still_new

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        self._forget_silent(time.monotonic())
        super().wait_for_and_dispatch_events(min(timeout, _NEW_SECONDS) if self._new else timeout)

    # --- A request comes in, is answered, and the answer goes out

    def enqueue_req(self, conn: BufferedConnection) -> None:
        self._new.pop(conn, None)
        self._with_application += 1
        self.set_accept_enabled(self._accepting)
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: BufferedConnection) -> bool:
        """In a pool thread."""
        if any(name == "TRANSFER-ENCODING" for name, _ in req.headers):
            # Its end could only be found by parsing it, and Django reads no body without a length.
            self._forget_request()
            log.warning("request_malformed", status=411, reason="LengthRequired")
            util.write_error(conn.sock, 411, "Length Required", "The body needs a Content-Length.")
            return False
        if conn.incoming.has_no_room:
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
            # Else gunicorn answers with an error.
            conn.is_broken = conn.has_written
            raise

    def _forget_request(self) -> None:
        """What this thread still knows for its log lines is of the request before."""
        structlog.contextvars.clear_contextvars()

    def finish_request(self, conn: BufferedConnection, fs: Future[Any]) -> None:
        """In the event loop, after the application and gunicorn are done with the request."""
        self._with_application -= 1
        # What is left of its answer may need the one file that it has beside its socket.
        conn.incoming.close()
        conn.keeps_open = fs.exception() is None and bool(fs.result()) and conn.can_serve_more
        self._go_on(conn, self._after_application)

    def _after_application(self, conn: BufferedConnection) -> None:
        if conn.is_broken:
            self._drop(conn)
        elif conn.has_unsent:
            conn.begin_sending()
            self._watch(conn, selectors.EVENT_WRITE, self._on_room_for_answer)
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

    def _on_room_for_answer(self, conn: BufferedConnection) -> None:
        conn.send_unsent()
        if not conn.has_unsent:
            self._after_answer(conn)

    def _on_lingering(self, conn: BufferedConnection) -> None:
        if not conn.client_socket.recv(CHUNK_BYTES):
            self._drop(conn)

    # --- Waiting

    def _watch(self, conn: BufferedConnection, event: int, then: Callable[[BufferedConnection], None]) -> None:
        self._unwatch(conn)
        self._watched.add(conn)
        self.poller.register(conn.client_socket, event, partial(self._on_event, conn, then))

    def _unwatch(self, conn: BufferedConnection) -> None:
        if conn in self._watched:
            self._watched.remove(conn)
            self.poller.unregister(conn.client_socket)

    def _on_event(self, conn: BufferedConnection, then: Callable[[BufferedConnection], None], _socket: Any) -> None:
        # Another event of the same moment may have closed it.
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
        """Close the connections whose time is up, or all. gunicorn calls it after each round of events."""
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
        """gunicorn's list of connections without a first byte stays empty."""

    def _cap_keepalive(self, deadline: float) -> None:
        """A stopping process answers what is under way, and what begins within a moment."""
        for conn in self._watched:
            if conn.is_idle:
                conn.deadline = min(conn.deadline, deadline)
