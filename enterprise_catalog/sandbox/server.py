"""
Serve a sandbox over HTTP: read requests, route them, and send answers with their faults.

Connections are kept alive, as discovery's are, with one thread for each.
"""

import ipaddress
import json
import socket
import sys
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson

from enterprise_catalog.sandbox.control import PREFIX, Control
from enterprise_catalog.sandbox.endpoints import LOCAL_ENDPOINTS, PATHS
from enterprise_catalog.sandbox.faults import Fault, spoil
from enterprise_catalog.sandbox.messages import Answer, Request, bad_request, not_found
from enterprise_catalog.sandbox.world import World

MAX_BODY = 16 * 1024 * 1024
IDLE_SECONDS = 120
DRIP_STEPS = 20
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class SandboxServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, world: World, *, host: str, port: int) -> None:
        self.world = world
        self.control = Control(world)
        self._connections: set[socket.socket] = set()
        self._connections_lock = Lock()
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's own: it looks the host's name up, which can take seconds and serves nothing.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close idle keep-alive connections, too, so that a stopped sandbox does not answer."""
        super().server_close()
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its thread closed it meanwhile

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that went away; anything else is a bug of the sandbox."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; the call log has more."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._write(Answer(status=411, payload={"detail": "A body needs a reasonable Content-Length."}), [])
            return
        raw_body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        body = self._parse(raw_body)
        host = self.headers.get("Host") or f"{self.server.server_name}:{self.server.server_port}"
        request = Request(
            method=self.command,
            path=url.path,
            query=parse_qs(url.query, keep_blank_values=True),
            body=None if isinstance(body, ValueError) else body,
            raw_body=raw_body,
            headers=dict(self.headers.items()),
            client=str(self.client_address[0]),
            base_url=f"http://{host}",
        )
        if url.path.startswith(PREFIX):
            self._serve_control(request, host)
            return
        endpoint = PATHS.get(url.path)
        if endpoint is None:
            self._write(not_found(), [])
            return
        if endpoint in LOCAL_ENDPOINTS and not self._is_local(request, host):
            return
        world = self.server.world
        answer = (
            bad_request(f"JSON parse error - {body}")
            if isinstance(body, ValueError)
            else world.endpoints.answer(endpoint, request)
        )
        faults = world.faults.take(endpoint=endpoint, page=answer.page, request=request)
        for fault in faults:
            answer = spoil(answer, fault, request)
        world.calls.add(endpoint=endpoint, request=request, answer=answer)
        self._write(answer, faults)

    def _serve_control(self, request: Request, host: str) -> None:
        if self._is_local(request, host):
            self._write(self.server.control.answer(request), [])

    def _is_local(self, request: Request, host: str) -> bool:
        """From this machine, and not by a web page that had its name point here. Others are told so."""
        hostname = host if host.endswith("]") else host.rpartition(":")[0] or host
        if ipaddress.ip_address(request.client).is_loopback and hostname in LOCAL_HOSTS:
            return True
        self._write(Answer(status=403, payload={"detail": "This is for this machine only."}), [])
        return False

    def _parse(self, raw_body: bytes) -> Any:
        """The body as JSON or form; what is wrong with it, if it is neither."""
        if not raw_body:
            return {}
        if "form-urlencoded" in self.headers.get("Content-Type", ""):
            return dict(parse_qsl(raw_body.decode(errors="replace")))
        try:
            return json.loads(raw_body)
        except (ValueError, RecursionError) as error:
            return ValueError(str(error))

    def _write(self, answer: Answer, faults: list[Fault]) -> None:
        world = self.server.world
        delay = sum(fault.delay for fault in faults)
        if delay and world.stopping.wait(delay):
            faults = [Fault(drop=True)]
        if any(fault.drop for fault in faults):
            self.close_connection = True
            return
        body, content_type = _encode(answer, faults)
        lines = [
            f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}",
            f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if any(fault.truncate for fault in faults):
            self.wfile.write(head + body[: len(body) // 2])
            self.close_connection = True
            return
        drip = sum(fault.drip for fault in faults)
        if drip:
            self._drip(head, body, drip)
            return
        self.wfile.write(head + body)

    def _drip(self, head: bytes, body: bytes, seconds: float) -> None:
        """Send in small parts: no single read waits long, but the whole answer does."""
        self.wfile.write(head)
        step = len(body) // DRIP_STEPS + 1
        for start in range(0, len(body), step):
            if self.server.world.stopping.wait(seconds / DRIP_STEPS):
                self.close_connection = True
                return
            self.wfile.write(body[start : start + step])


def _encode(answer: Answer, faults: list[Fault]) -> tuple[bytes, str]:
    if isinstance(answer.payload, str):
        body, content_type = answer.payload.encode(), "text/html"
    else:
        body, content_type = orjson.dumps(answer.payload, option=orjson.OPT_NON_STR_KEYS), "application/json"
    for fault in faults:
        if fault.raw is not None:
            body = fault.raw.encode()
        if fault.nan:
            body = body[:-1] + b',"sandbox":NaN}'
        if fault.malformed:
            body = body[:-1]
    return body, content_type
