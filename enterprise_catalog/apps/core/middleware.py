"""What happens to every request, whatever it asks: its id and its log line (COM-20), and no body where none belongs."""

import re
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
# A caller's id is only echoed while it is harmless in a header and in a log.
_USABLE = re.compile(r"[\x21-\x7e]{1,200}")


class RequestIdMiddleware:
    """The outermost middleware, so that its time and its id cover the others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        given = request.headers.get(HEADER, "")
        request_id = given if _USABLE.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        match = request.resolver_match
        log.info(
            "request",
            method=request.method,
            # The route, not the path: paths hold keys and uuids.
            route=(match.view_name or match.route) if match else None,
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response


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
