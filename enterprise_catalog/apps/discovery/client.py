"""
Discovery's address and its errors: the shared service client, told in this room's words.

Who asks may keep a ledger: how many requests may be made, and which answers need not be asked for again. What it is
kept in is none of this room's business.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.conf import settings

from enterprise_catalog.apps.core.http_client.client import ServiceClient
from enterprise_catalog.apps.core.http_client.errors import (
    ServiceError,
    ServiceMalformed,
    ServiceRejected,
    ServiceThrottled,
    ServiceUnavailable,
)
from enterprise_catalog.apps.core.packed_json import digest_bytes
from enterprise_catalog.apps.discovery.errors import (
    DiscoveryError,
    DiscoveryMalformed,
    DiscoveryRejected,
    DiscoveryThrottled,
    DiscoveryUnavailable,
    WindowExceeded,
)


class EndpointNotFound(DiscoveryRejected):
    """404: this discovery does not have the endpoint."""


class DiscoveryRequest:
    """What is asked, as far as the answer depends on it."""

    def __init__(self, path: str, params: dict[str, Any], body: Any = None) -> None:
        self._parts = [path, {name: str(value) for name, value in params.items()}, body]

    def digest(self) -> str:
        """32 hex digits."""
        # Not orjson, which writes no whole numbers beyond 64 bits.
        return digest_bytes(json.dumps(self._parts, sort_keys=True).encode())


class FetchSession(Protocol):
    """The book of one fetch. What it raises ends the call, and is for who keeps it to catch."""

    def announce(self, requests: int) -> None:
        """So many more requests are about to be made, if nothing has to be repeated."""

    def before_request(self) -> None:
        """One is made now."""

    def get_cached(self, request: DiscoveryRequest) -> dict[str, Any] | None:
        """The answer, if this was asked before and need not be asked again."""

    def cache(self, request: DiscoveryRequest, answer: dict[str, Any]) -> None:
        """This was answered."""

    def clear(self) -> None:
        """What was answered so far is of no use: it contradicts itself, or makes no sense."""


class UnlimitedSession:
    """Ask as often as it takes, and remember nothing."""

    def announce(self, requests: int) -> None: ...

    def before_request(self) -> None: ...

    def get_cached(self, request: DiscoveryRequest) -> dict[str, Any] | None:
        return None

    def cache(self, request: DiscoveryRequest, answer: dict[str, Any]) -> None: ...

    def clear(self) -> None: ...


class DiscoveryClient:
    """
    Calls to course-discovery, for one fetch. `on_wait` as for `core.http_client.client.ServiceClient`: what it raises
    ends the call.
    """

    def __init__(self, *, on_wait: Callable[[], None] | None = None, session: FetchSession | None = None) -> None:
        self._ledger = session or UnlimitedSession()
        self._held = 0
        self._service = ServiceClient(
            settings.DISCOVERY_SERVICE_URL,
            service="discovery",
            on_wait=on_wait,
            before_request=self._ledger.before_request,
        )

    def announce(self, requests: int) -> None:
        """Tell the ledger how many requests will follow."""
        self._ledger.announce(requests)

    def clear(self) -> None:
        """Nothing of what was read so far is held any more, and everything is going to be asked anew."""
        self._held = 0
        self._ledger.clear()

    def hold(self, size: int) -> None:
        """This fetch holds so many bytes more from now on. Raises WindowExceeded when that is too much for a worker."""
        self._held += size
        if self._held > settings.DISCOVERY_MAX_RESULT_BYTES:
            raise WindowExceeded(
                f"The result takes more than {settings.DISCOVERY_MAX_RESULT_BYTES} bytes (DISCOVERY_MAX_RESULT_BYTES)."
            )

    def get(self, path: str, params: dict[str, Any], *, where: str) -> dict[str, Any]:
        """The object at a path; `where` says in errors what was asked for. Raises DiscoveryError."""
        return self._answer(DiscoveryRequest(path, params), lambda: self._service.get(path, params), where)

    def post(self, path: str, params: dict[str, Any], body: Any, *, where: str) -> dict[str, Any]:
        """The object that answers a body. Raises DiscoveryError."""
        return self._answer(DiscoveryRequest(path, params, body), lambda: self._service.post(path, params, body), where)

    def _answer(self, request: DiscoveryRequest, ask: Callable[[], dict[str, Any]], where: str) -> dict[str, Any]:
        known = self._ledger.get_cached(request)
        if known is not None:
            return known
        with _in_our_words(where):
            answer = ask()
        self._ledger.cache(request, answer)
        return answer


@contextmanager
def _in_our_words(where: str) -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise _translated(error, f"{where}: {error}") from error


def _translated(error: ServiceError, detail: str) -> DiscoveryError:
    match error:
        case ServiceThrottled():
            return DiscoveryThrottled(detail, retry_after=error.retry_after)
        case ServiceRejected(status=404):
            return EndpointNotFound(detail)
        case ServiceRejected():
            return DiscoveryRejected(detail)
        case ServiceMalformed():
            return DiscoveryMalformed(detail)
        case ServiceUnavailable():
            return DiscoveryUnavailable(detail, retry_after=error.retry_after)
        case _:
            return DiscoveryUnavailable(detail)
