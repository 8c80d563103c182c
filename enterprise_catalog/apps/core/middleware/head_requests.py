"""Remove the body from answers to HEAD, and the length from 304."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin


class EmptyBodyMiddleware(MiddlewareMixin):
    """
    Answer HEAD like GET without the body (AUTH-9), and 304 without a length (COM-18).

    Web servers drop the body themselves, but some log a warning. Content-Length of a HEAD stays that of the GET.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            # Callers would take it for the length of the answer they have cached.
            response.headers.pop("Content-Length", None)
        return response
