"""Leave out the body where HTTP allows none: answers to HEAD, and 304."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase


class EmptyBodyMiddleware:
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
