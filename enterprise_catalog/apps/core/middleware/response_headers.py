"""Bound the headers of every answer, and say who may keep it (COM-16, COM-18)."""

from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from enterprise_catalog.apps.core.text import shortened

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))

# Made of settings alone, and with its end cut off it would say something else.
_NEVER_CUT = frozenset(["content-security-policy", "content-security-policy-report-only"])
NO_STORE = "private, no-store"
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
        response.headers.setdefault("Cache-Control", NO_STORE)
        if "public" not in response.headers["Cache-Control"]:
            patch_vary_headers(response, _CALLER)
        for name, value in response.items():
            if (fitting := bounded_header(value)) != value and name.lower() not in _NEVER_CUT:
                response.headers[name] = fitting
        return response


def bounded_header(value: str) -> str:
    """The value of a header as it can be sent: what cannot stand there percent-encoded, and what is too long cut."""
    if not (value.isascii() and value.isprintable()):
        value = quote(value, safe=_PRINTABLE)
    return shortened(value, settings.HEADER_MAX_CHARACTERS)
