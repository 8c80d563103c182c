"""Give every request an id, write one log line for it, and count it in the metrics (COM-20)."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

from enterprise_catalog.apps.core.db import query_timing
from enterprise_catalog.apps.core.observability.metrics import count_request

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
# The admin's many pages count as one endpoint, because only people wait for them.
_ADMIN = "admin"
# A caller's id is used only if it is harmless in a header and in a log.
_USABLE = re.compile(r"[\x21-\x7e]{1,200}")


class RequestIdMiddleware:
    """
    Bind the request id, log the request and count it.

    It is the outermost middleware, so that its time and its id cover the others.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        query_timing.start_counting()
        given = request.headers.get(HEADER, "")
        request_id = given if _USABLE.fullmatch(given) else secrets.token_hex(16)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        seconds = time.perf_counter() - started
        # Not the path, which holds keys and uuids.
        route = _route(request)
        log.info(
            "request", method=request.method, route=route, status=response.status_code, ms=round(seconds * 1000, 1)
        )
        endpoint = _ADMIN if route and route.startswith(f"{_ADMIN}:") else route or "unmatched"
        count_request(endpoint=endpoint, method=request.method, status=response.status_code, seconds=seconds)
        return response


def _route(request: HttpRequest) -> str | None:
    match = request.resolver_match
    return (match.view_name or match.route) if match else None
