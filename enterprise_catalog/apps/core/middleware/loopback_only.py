"""Answer this machine only, under settings made for it (SEC-3)."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from enterprise_catalog.apps.core.middleware.client_address import peer


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
