"""
The port of its own for figures, METRICS_PORT: who reaches it may read them, and nothing else is there.

Web processes get it as a second address of gunicorn (gunicorn.conf.py), a worker as a thread of its main process. What
comes in there never meets Django's middleware: Prometheus asks an address, which is no host that ALLOWED_HOSTS names.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

log = structlog.get_logger(__name__)

_Start = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], _Start], Iterable[bytes]]


def route_by_port(application: Application, *, port: int, text: Callable[[], bytes]) -> Application:
    """The same application; where a connection came to `port`, the text at `/metrics` and nothing else."""

    def either(environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        # Not SERVER_PORT: behind a socket file gunicorn takes that from the caller's Host header.
        connection = environ.get("gunicorn.socket")
        here = connection.getsockname() if connection else None
        if not (isinstance(here, tuple) and here[1] == port):
            return application(environ, start_response)
        if environ["PATH_INFO"].rstrip("/") != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Not found.\n"]
        body = text()
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_PLAIN_0_0_4), ("Content-Length", str(len(body)))])
        return [body]

    return either


def serve_in_thread(*, host: str, port: int) -> None:
    """What this process and its children count, as long as it lives. Raises OSError when the port is taken."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    server, _thread = start_http_server(port, addr=host, registry=registry)
    server.handle_error = _connection_failed  # type: ignore[method-assign, assignment]


def _connection_failed(_request: Any, _address: Any) -> None:
    """Whoever asked went away. The server of the standard library would print a stack for that."""
    log.info("figures_connection_failed", error=type(sys.exc_info()[1]).__name__)
