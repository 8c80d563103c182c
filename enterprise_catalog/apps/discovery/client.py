"""Discovery's address and its errors: the shared service client, told in this room's words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from enterprise_catalog.apps.core.http import (
    ServiceClient,
    ServiceError,
    ServiceMalformed,
    ServiceRejected,
    ServiceThrottled,
    ServiceUnavailable,
)
from enterprise_catalog.apps.discovery.errors import (
    DiscoveryError,
    DiscoveryMalformed,
    DiscoveryRejected,
    DiscoveryThrottled,
    DiscoveryUnavailable,
)


class NotThere(DiscoveryRejected):
    """404: this discovery does not have the endpoint."""


class DiscoveryClient:
    """Calls to course-discovery. `on_wait` as for `core.http.ServiceClient`: what it raises ends the call."""

    def __init__(self, *, on_wait: Callable[[], None] | None = None) -> None:
        self._service = ServiceClient(settings.DISCOVERY_SERVICE_URL, on_wait=on_wait)

    def get(self, path: str, params: dict[str, Any], *, where: str) -> dict[str, Any]:
        """The object at a path; `where` says in errors what was asked for. Raises DiscoveryError."""
        with _in_our_words(where):
            return self._service.get(path, params)

    def post(self, path: str, params: dict[str, Any], body: Any, *, where: str) -> dict[str, Any]:
        """The object that answers a body. Raises DiscoveryError."""
        with _in_our_words(where):
            return self._service.post(path, params, body)


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
            return NotThere(detail)
        case ServiceRejected():
            return DiscoveryRejected(detail)
        case ServiceMalformed():
            return DiscoveryMalformed(detail)
        case ServiceUnavailable():
            return DiscoveryUnavailable(detail, retry_after=error.retry_after)
        case _:
            return DiscoveryUnavailable(detail)
