"""Bound the length of response headers, and set caching headers (COM-16, COM-18)."""

from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from enterprise_catalog.apps.core.text import shortened

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))

# Made from settings only, and their meaning would change if their end were cut off.
_NEVER_CUT = frozenset(["content-security-policy", "content-security-policy-report-only"])
NO_STORE = "private, no-store"
_CALLER = ("Authorization", "Cookie")


class HeadersMiddleware(MiddlewareMixin):
    """
    Set the headers that all answers share: errors, streams and answers of other middleware too.

    A header has at most HEADER_MAX_CHARACTERS characters of printable ASCII, so that it passes every proxy even if it
    repeats text of the request (COM-16). An answer without Cache-Control gets `private, no-store`. An answer that is
    not public varies by the headers that say who asks (COM-18).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Cache-Control", NO_STORE)
        if "public" not in response.headers["Cache-Control"]:
            patch_vary_headers(response, _CALLER)
        for name, value in response.items():
            if (fitting := bounded_header(value)) != value and name.lower() not in _NEVER_CUT:
                response.headers[name] = fitting
        return response


def bounded_header(value: str) -> str:
    """Percent-encode what a header cannot hold, and cut the value to HEADER_MAX_CHARACTERS."""
    if not (value.isascii() and value.isprintable()):
        value = quote(value, safe=_PRINTABLE)
    return shortened(value, settings.HEADER_MAX_CHARACTERS)
