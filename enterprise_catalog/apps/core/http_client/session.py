"""OAuthAPIClient with the limits of ServiceClient: tokens stay in this process, and no request follows a redirect."""

import threading
import time
from collections.abc import Callable
from typing import Any

import requests
from django.conf import settings
from edx_rest_api_client.client import OAuthAPIClient

from enterprise_catalog.apps.core.http_client.deadlines import Deadline, DeadlineAdapter

# The token of each provider and client id, and when to renew it by the monotonic clock, in seconds.
tokens: dict[tuple[str, str], tuple[str, float]] = {}
_lock = threading.Lock()


class ServiceSession(OAuthAPIClient):
    """
    Send each request with the token of this service's own user (DISC-1).

    `fetch_token` returns a new token and when to renew it. It calls `request_token`: the library would send that
    request outside this session, without our deadline and our limits, and would put the token into the shared cache.
    """

    def __init__(self, deadline: Deadline, fetch_token: Callable[[], tuple[str, float]]) -> None:
        key, secret = settings.BACKEND_SERVICE_EDX_OAUTH2_KEY, settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET
        super().__init__(settings.OAUTH2_PROVIDER_URL, key, secret)
        self._key = (self._base_url, key)
        self._fetch_token = fetch_token
        for scheme in ("https://", "http://"):
            self.mount(scheme, DeadlineAdapter(deadline))

    def _ensure_authentication(self) -> None:
        # Threads that need a new token wait for the one that fetches it.
        with _lock:
            token, renew_at = tokens.get(self._key, ("", 0.0))
            if renew_at <= time.monotonic():
                token, _ = tokens[self._key] = self._fetch_token()
        self.auth.token = token

    def renew_token(self) -> None:
        """Replace a token that was refused, unless another thread has replaced it already."""
        with _lock:
            if tokens.get(self._key, ("",))[0] == self.auth.token:
                del tokens[self._key]
        self.get_jwt_access_token()

    def request_token(self, **arguments: Any) -> requests.Response:
        """Ask the provider for a token; `arguments` are those of `requests.Session.request`."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "token_type": "jwt",
        }
        # An `auth` that changes nothing: the session's would send the old token, and none a password of a .netrc file.
        arguments["auth"] = lambda request: request
        return requests.Session.request(self, "POST", f"{self._base_url}/access_token", data=form, **arguments)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """
        Return a redirect as the answer. Following it would send the token elsewhere, and requests reads the whole body
        of a redirect that it is told not to follow, however long it is.
        """
        return
