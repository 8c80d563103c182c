"""
A WSGI application that returns what reached it, behind the service's own server: `gunicorn tests.contract.echo`.

It writes a line to the file ECHO_LOG when a request arrives, and another one when its answer was taken.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

# More than the buffers of two kernels and a proxy's memory hold.
LARGE = 64 * 1024 * 1024
_BLOCK = b"x" * 64 * 1024


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    _tell(f"arrived {path}")
    if path == "/large":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(LARGE))])
        return _large(path)
    said = {name: value for name, value in environ.items() if isinstance(value, str)}
    answer = json.dumps(said | {"body_bytes": len(environ["wsgi.input"].read())}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


def _large(path: str) -> Iterator[bytes]:
    for _ in range(LARGE // len(_BLOCK)):
        yield _BLOCK
    _tell(f"taken {path}")


def _tell(line: str) -> None:
    with Path(os.environ["ECHO_LOG"]).open("a") as log:
        log.write(f"{line}\n")
