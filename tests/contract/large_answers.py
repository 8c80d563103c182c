"""An application for tests of slow clients: a large answer in pieces at `/large`, and a small one elsewhere."""

from collections.abc import Callable, Iterator
from typing import Any

PIECE = bytes(range(250)) * 250
PIECES = 320


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    is_large = environ["PATH_INFO"] == "/large"
    pieces = PIECES if is_large else 1
    start_response("200 OK", [("Content-Length", str(pieces * len(PIECE)))])
    return (PIECE for _ in range(pieces))
