"""Send requests to the service with a token."""

import time
from typing import Any

import requests

PATIENCE_SECONDS = 60


class Session:
    """A caller with a token; answers are JSON."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"JWT {token}", "X-Forwarded-Proto": "https"}

    def ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return requests.request(method, self._url + path, headers=self._headers, timeout=30, **arguments)

    def call(self, method: str, path: str, *, status: int = 200, **arguments: Any) -> Any:
        response = self.ask(method, path, **arguments)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    def wait_for(self, run_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (run := self.call("GET", f"/api/v1/refresh-runs/{run_id}/"))["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, run
            time.sleep(0.1)
        return run
