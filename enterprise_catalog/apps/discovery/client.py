"""
Call course-discovery with the shared service client, and raise its errors as DiscoveryError.

A caller may pass a FetchSession, which limits the requests of a fetch and caches answers for a later run.
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
    """Discovery answered 404: it does not have the endpoint."""


class DiscoveryRequest:
    """The parts of a request that its answer depends on: path, parameters and body."""

    def __init__(self, path: str, params: dict[str, Any], body: Any = None) -> None:
        self._parts = [path, {name: str(value) for name, value in params.items()}, body]

    def digest(self) -> str:
        """Return 32 hex digits, equal for equal requests."""
        # Not orjson, which writes no whole numbers beyond 64 bits.
        return digest_bytes(json.dumps(self._parts, sort_keys=True).encode())


class FetchSession(Protocol):
    """What one fetch may ask discovery, and its cached answers. Errors that it raises pass through the client."""

    def announce(self, requests: int) -> None:
        """Learn that so many more requests will follow, retries not counted."""

    def before_request(self) -> None:
        """Learn that a request is about to be sent."""

    def get_cached(self, request: DiscoveryRequest) -> dict[str, Any] | None:
        """Return the cached answer of this request, or None."""

    def cache(self, request: DiscoveryRequest, answer: dict[str, Any]) -> None:
        """Cache an answer."""

    def clear(self) -> None:
        """Drop all cached answers; called when paging is inconsistent or an answer malformed."""


class UnlimitedSession:
    """A FetchSession without limits and without a cache."""

    def announce(self, requests: int) -> None: ...

    def before_request(self) -> None: ...

    def get_cached(self, request: DiscoveryRequest) -> dict[str, Any] | None:
        return None

    def cache(self, request: DiscoveryRequest, answer: dict[str, Any]) -> None: ...

    def clear(self) -> None: ...


class DiscoveryClient:
    """
    Calls to course-discovery for one fetch.

    `on_wait` is called as in `core.http_client.client.ServiceClient`; what it raises ends the call.
    """

    def __init__(self, *, on_wait: Callable[[], None] | None = None, session: FetchSession | None = None) -> None:
        self._session = session or UnlimitedSession()
        self._held_bytes = 0
        self._service = ServiceClient(
            settings.DISCOVERY_INTERNAL_ROOT_URL,
            service="discovery",
            public_root=settings.DISCOVERY_SERVICE_URL,
            on_wait=on_wait,
            before_request=self._session.before_request,
        )

    def announce(self, requests: int) -> None:
        """Tell the session how many requests will follow."""
        self._session.announce(requests)

    def clear(self) -> None:
        """Forget what was read so far, because everything is going to be read again."""
        self._held_bytes = 0
        self._session.clear()

    def hold(self, size: int) -> None:
        """Count bytes that this fetch keeps in memory. Raises WindowExceeded beyond DISCOVERY_MAX_RESULT_BYTES."""
        self._held_bytes += size
        if self._held_bytes > settings.DISCOVERY_MAX_RESULT_BYTES:
            raise WindowExceeded(
                f"The result takes more than {settings.DISCOVERY_MAX_RESULT_BYTES} bytes (DISCOVERY_MAX_RESULT_BYTES)."
            )

    def get(self, path: str, params: dict[str, Any], *, where: str) -> dict[str, Any]:
        """Return the JSON object at a path. `where` describes the request in errors. Raises DiscoveryError."""
        return self._answer(DiscoveryRequest(path, params), lambda: self._service.get(path, params), where)

    def post(self, path: str, params: dict[str, Any], body: Any, *, where: str) -> dict[str, Any]:
        """Send a JSON body and return the JSON object that answers it. Raises DiscoveryError."""
        return self._answer(DiscoveryRequest(path, params, body), lambda: self._service.post(path, params, body), where)

    def _answer(self, request: DiscoveryRequest, ask: Callable[[], dict[str, Any]], where: str) -> dict[str, Any]:
        cached = self._session.get_cached(request)
        if cached is not None:
            return cached
        with _discovery_errors(where):
            answer = ask()
        self._session.cache(request, answer)
        return answer


@contextmanager
def _discovery_errors(where: str) -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise _discovery_error(error, f"{where}: {error}") from error


def _discovery_error(error: ServiceError, detail: str) -> DiscoveryError:
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
