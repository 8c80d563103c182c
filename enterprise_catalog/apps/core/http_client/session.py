"""Keep access tokens until they end, and send calls that add nothing of this machine to a request."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests
from django.conf import settings


@dataclass(frozen=True)
class Token:
    value: str
    renew_at: float


class TokenStore:
    """One token per process and provider, renewed before it ends (DISC-1)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, str], Token] = {}

    def get(self, fetch: Callable[[], Token]) -> str:
        key = (settings.OAUTH2_PROVIDER_URL, settings.BACKEND_SERVICE_EDX_OAUTH2_KEY)
        with self._lock:
            token = self._tokens.get(key)
            if token is None or token.renew_at <= time.monotonic():
                token = self._tokens[key] = fetch()
            return token.value

    def forget(self, value: str) -> None:
        with self._lock:
            self._tokens = {key: token for key, token in self._tokens.items() if token.value != value}


tokens = TokenStore()


class Session(requests.Session):
    """
    Takes a redirect for the answer that it is. One that is followed carries the token elsewhere; and requests reads the
    whole body of one that is not to be followed, of any length.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None
