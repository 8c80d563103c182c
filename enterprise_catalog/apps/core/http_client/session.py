"""Cache access tokens per process, and keep requests from following redirects."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests
from django.conf import settings


@dataclass(frozen=True)
class Token:
    """An access token, and when to renew it by the monotonic clock, in seconds."""

    value: str
    renew_at: float


class TokenStore:
    """One token per process and provider, renewed before it expires (DISC-1)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, str], Token] = {}

    def get(self, fetch: Callable[[], Token]) -> str:
        """Return a valid token. Threads that need a new one wait for the one that calls `fetch`."""
        key = (settings.OAUTH2_PROVIDER_URL, settings.BACKEND_SERVICE_EDX_OAUTH2_KEY)
        with self._lock:
            token = self._tokens.get(key)
            if token is None or token.renew_at <= time.monotonic():
                token = self._tokens[key] = fetch()
            return token.value

    def forget(self, value: str) -> None:
        with self._lock:
            self._tokens = {key: token for key, token in self._tokens.items() if token.value != value}

    def clear(self) -> None:
        """Forget all tokens."""
        with self._lock:
            self._tokens = {}


tokens = TokenStore()


class Session(requests.Session):
    """
    Return a redirect as the answer. Following it would send the token elsewhere, and requests reads the whole body of
    a redirect that it is told not to follow, however long it is.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None
