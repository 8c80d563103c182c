"""
Serve the metrics on METRICS_PORT, to everybody who reaches it, and nothing else.

For web processes it is one more address of gunicorn (gunicorn.conf.py), for a Celery worker a thread of its main
process. Its requests do not pass Django's middleware, because Prometheus asks an IP address, which is not in
ALLOWED_HOSTS.
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
    """Wrap a WSGI application: connections to `port` get `text()` at `/metrics` and 404 elsewhere."""

    def either(environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        # Not SERVER_PORT: behind a Unix socket gunicorn takes that from the caller's Host header.
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
    """Serve what this process and its children count until it ends. Raises OSError if the port is taken."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    server, _thread = start_http_server(port, addr=host, registry=registry)
    server.handle_error = _connection_failed  # type: ignore[method-assign, assignment]


def _connection_failed(_request: Any, _address: Any) -> None:
    """Log a client that disconnected. The standard library's server would print a stack."""
    log.info("figures_connection_failed", error=type(sys.exc_info()[1]).__name__)
