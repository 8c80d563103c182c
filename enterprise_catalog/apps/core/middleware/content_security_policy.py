"""
Every answer says what a browser may do with it (SEC-3): pages what they are made of, everything else nothing.

The policy of pages is a setting, and allows no script or style but files of this service. django-csp writes it. Data is
no page: the API's answers, and files, carry a constant, which costs nothing.
"""

from typing import Any, cast

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

_NOTHING = "default-src 'none'; frame-ancestors 'none'"


class ContentPolicyMiddleware(CSPMiddleware):
    """Without django-csp's nonces: nothing here needs one."""

    def __call__(self, request: HttpRequest) -> Any:
        response = cast(HttpResponseBase, self.get_response(request))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            return self.process_response(request, response)
        response.headers[HEADER] = _NOTHING
        return response
