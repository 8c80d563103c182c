"""The base of legacy views, and where they differ from v1: tokens, formats, ignored parameters, links of pages."""

from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode

from django.conf import settings
from django.core.handlers.wsgi import get_str_from_wsgi
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from enterprise_catalog.apps.access.authentication import BearerJwtAuthentication
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.catalog.api_versions import LEGACY
from enterprise_catalog.apps.core.rest.negotiation import ContentNegotiation

# The header names at most so many parameters.
_MOST_NAMED = 20


class AcceptOrSuffix(ContentNegotiation):
    """Ignore the parameter `format` (COM-4)."""

    settings = cast(Any, SimpleNamespace(URL_FORMAT_OVERRIDE=None))


class LegacyView(ApiView):
    api_version = LEGACY
    content_negotiation_class = AcceptOrSuffix

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Keep JWT first, so that a 401 names it (AUTH-3)."""
        bearer = [BearerJwtAuthentication()] if settings.LEGACY_BEARER_TOKENS else []
        return [*super().get_authenticators(), *bearer]


def ignored_parameters(request: Request, *, honoured: set[str]) -> dict[str, str]:
    """Name the parameters without effect in a header, so that nobody takes the answer for filtered (LEG-9)."""
    names = sorted(set(request.query_params) - honoured)[:_MOST_NAMED]
    return {"X-Catalog-Ignored-Params": ", ".join(quote(name, safe="") for name in names)} if names else {}


def url_of_page(request: Request, number: int) -> str:
    """Return the incoming URL with this page, also the first; sorted by name, without empty parameters (LEG-11)."""
    pairs = parse_qsl(get_str_from_wsgi(request.META, "QUERY_STRING", ""))
    pairs = [pair for pair in pairs if pair[0] != "page"] + [("page", str(number))]
    # The sort is stable: repeated parameters stay in their order.
    return f"{request.build_absolute_uri(request.path)}?{urlencode(sorted(pairs, key=lambda pair: pair[0]))}"
