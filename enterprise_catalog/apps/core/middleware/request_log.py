"""
What happens to every request, whatever it asks: its id, its log line and its figures (COM-20), headers that are bounded
and say who may keep the answer (COM-16, COM-18), and no body where none belongs.
"""

import re
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

import structlog
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers

from enterprise_catalog.apps.core.db import query_timing
from enterprise_catalog.apps.core.middleware.client_address import peer
from enterprise_catalog.apps.core.observability.metrics import count_request
from enterprise_catalog.apps.core.text import shortened

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
# Its many pages are one endpoint: nobody waits for them but people.
_ADMIN = "admin"
# A caller's id is only echoed while it is harmless in a header and in a log.
_USABLE = re.compile(r"[\x21-\x7e]{1,200}")
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


class RequestIdMiddleware:
    """The outermost middleware, so that its time and its id cover the others."""

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
        # The route, not the path: paths hold keys and uuids.
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


class LoopbackOnlyMiddleware:
    """
    Under settings for this machine only, nobody else is answered, whatever address the server listens at (SEC-3).
    Under all others it is not there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.SERVES_LOOPBACK_ONLY:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A socket in the file system has no address, and nobody else reaches it.
        address = peer(request)
        if address and not address.is_loopback:
            return JsonResponse({"detail": "These settings serve the machine they run on only."}, status=403)
        return self.get_response(request)


# Made of settings alone, and with its end cut off it would say something else.
_NEVER_CUT = frozenset(["content-security-policy", "content-security-policy-report-only"])
NOT_TO_BE_KEPT = "private, no-store"
_CALLER = ("Authorization", "Cookie")


class HeadersMiddleware:
    """
    What the headers of all answers have in common, also of errors, of streams and of what other middleware answers.

    Each holds HEADER_MAX_CHARACTERS at most and nothing but printable ASCII, so that a header which names something of
    the request fits and passes every proxy (COM-16). An answer that does not say itself who may keep it is kept by
    nobody; unless it is for everybody it depends on who asks (COM-18).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", NOT_TO_BE_KEPT)
        if "public" not in response.headers["Cache-Control"]:
            patch_vary_headers(response, _CALLER)
        for name, value in response.items():
            if (fitting := fitting_header(value)) != value and name.lower() not in _NEVER_CUT:
                response.headers[name] = fitting
        return response


def fitting_header(value: str) -> str:
    """The value of a header as it can be sent: what cannot stand there percent-encoded, and what is too long cut."""
    if not (value.isascii() and value.isprintable()):
        value = quote(value, safe=_PRINTABLE)
    return shortened(value, settings.HEADER_MAX_CHARACTERS)


class NoBodyMiddleware:
    """
    A HEAD is answered as the GET it stands for, without the body (AUTH-9); a 304 has none, and so no length (COM-18).

    Servers drop the body themselves, but not all quietly. Of a HEAD, Content-Length stays that of the GET.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            # It would be taken for that of the answer which the caller holds.
            response.headers.pop("Content-Length", None)
        return response
