"""
Conditional GET: who holds an answer already is told so, instead of getting it again (COM-18).

Asked after authorisation, and with the version of what the store holds: no document is read to say 304. For GET and
HEAD only; a body that chooses content is no part of a tag.
"""

from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date, parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.catalog.rendering.cache_validators import CacheValidators
from enterprise_catalog.apps.core.packed_json import digest

# Private, since answers depend on who asks; always asked again, since they change with any publish.
MAY_BE_KEPT = "private, max-age=0, must-revalidate"
# Beside who asks, on which every answer depends (`core.middleware.request_log`).
_VARY = ("Accept", "Accept-Encoding")


def conditional_response(
    request: Request,
    version: CacheValidators,
    *,
    make: Callable[[], HttpResponseBase],
    headers: Callable[[], Mapping[str, str]] = dict,
) -> HttpResponseBase:
    """The answer that `make` makes, or 304 with what `headers` makes when the caller holds this version of it."""
    etag = etag_of(request, version)
    given = request.headers.get("If-None-Match")
    held = given is not None and len(given) <= settings.IF_NONE_MATCH_MAX_CHARACTERS and etag_matches(given, etag)
    response = Response(status=304, headers=headers()) if held else make()
    response["ETag"] = etag
    response["Last-Modified"] = http_date(version.last_modified.timestamp())
    response["Cache-Control"] = MAY_BE_KEPT
    patch_vary_headers(response, _VARY)
    return response


def etag_of(request: Request, version: CacheValidators) -> str:
    """
    One for each version, URL (links name its host and scheme) and format. Weak, since compression makes other bytes of
    the same answer.
    """
    return f'W/"{digest([version.inputs, request.build_absolute_uri(), request.accepted_renderer.format])}"'


def etag_matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison: a proxy may have taken the W/ off."""
    given = parse_etags(if_none_match)
    return given == ["*"] or etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in given]
