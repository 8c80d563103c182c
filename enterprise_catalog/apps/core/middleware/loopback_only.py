"""Refuse requests from other machines under settings for development (SEC-3)."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from enterprise_catalog.apps.core.middleware.client_address import peer


class LoopbackOnlyMiddleware:
    """
    Refuse peers that are not on this machine, whatever address the server listens at (SEC-3).

    It is active only if SERVES_LOOPBACK_ONLY is set.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.SERVES_LOOPBACK_ONLY:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A Unix socket has no address, and other machines cannot reach it.
        address = peer(request)
        if address and not address.is_loopback:
            return JsonResponse({"detail": "These settings serve the machine they run on only."}, status=403)
        return self.get_response(request)
