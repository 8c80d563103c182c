"""A server on loopback that sends exactly the answers of a test, for faults that a well-behaved server cannot have."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import orjson


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. `body` is sent as JSON unless it is bytes."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wire:
    """Raw bytes that are sent part by part, with a pause of `pause` seconds before each; then the connection ends."""

    parts: Iterable[bytes]
    pause: float = 0


Answer = Reply | Wire | Callable[[Asked], Reply]


class ScriptedServer:
    """
    A server that sends `answers[path]` one after the other, and repeats the last one; other paths answer 404.

    It answers requests for tokens by itself.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {"/oauth2/access_token": [self._token]}
        self.asked: list[Asked] = []
        self.connections = 0
        self.tokens = 0
        self._given: dict[str, int] = defaultdict(int)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def times_asked(self, path: str) -> int:
        return sum(asked.path == path for asked in self.asked)

    def answer_to(self, asked: Asked) -> Reply | Wire:
        self.asked.append(asked)
        answers = self.answers.get(asked.path, [Reply(status=404)])
        answer = answers[min(self._given[asked.path], len(answers) - 1)]
        self._given[asked.path] += 1
        return answer(asked) if callable(answer) else answer

    def _token(self, _: Asked) -> Reply:
        self.tokens += 1
        return Reply({"access_token": f"token-{self.tokens}", "expires_in": 3600})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler_for(scripted: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 30

        def setup(self) -> None:
            super().setup()
            scripted.connections += 1

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                self.command, url.path, parse_qs(url.query), dict(self.headers.items()), body, time.monotonic()
            )
            self._write(scripted.answer_to(asked))

        do_POST = do_GET  # noqa: N815  The standard library names it.

        def _write(self, answer: Reply | Wire) -> None:
            if isinstance(answer, Wire):
                self.close_connection = True
                for part in answer.parts:
                    time.sleep(answer.pause)
                    self.wfile.write(part)
                return
            body = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
            self.send_response(answer.status)
            for name, value in ({"Content-Length": str(len(body))} | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            # The client may disconnect before it has read everything.
            with suppress(ConnectionError):
                super().handle()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
