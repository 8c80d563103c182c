"""
Set Content-Security-Policy on every answer (SEC-3).

django-csp writes the policy of pages from a setting, which allows scripts and styles only from files of this service.
Other answers, of the API and files, get a constant policy that forbids everything.
"""

from typing import Any, cast

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

_NOTHING = "default-src 'none'; frame-ancestors 'none'"


class ContentPolicyMiddleware(CSPMiddleware):
    """django-csp's middleware without nonces, which no page here needs."""

    def __call__(self, request: HttpRequest) -> Any:
        response = cast(HttpResponseBase, self.get_response(request))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            return self.process_response(request, response)
        response.headers[HEADER] = _NOTHING
        return response
