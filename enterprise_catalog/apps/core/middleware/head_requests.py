"""Remove the body from answers to HEAD, and the length from 304."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase


class EmptyBodyMiddleware:
    """
    Answer HEAD like GET without the body (AUTH-9), and 304 without a length (COM-18).

    Web servers drop the body themselves, but some log a warning. Content-Length of a HEAD stays that of the GET.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            # Callers would take it for the length of the answer they have cached.
            response.headers.pop("Content-Length", None)
        return response
