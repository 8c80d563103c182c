"""
Conditional GET: answer 304 to callers who hold the current answer already (COM-18).

Views call it after authorisation, with validators from the store: a 304 reads no document. It serves GET and HEAD only,
since an ETag does not depend on the body of a request.
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

# Private, since answers depend on the caller; never without asking again, since any publish may change them.
MAY_BE_KEPT = "private, max-age=0, must-revalidate"
# Every answer also depends on the caller, which `core.middleware.request_log` states.
_VARY = ("Accept", "Accept-Encoding")


def conditional_response(
    request: Request,
    validators: CacheValidators,
    *,
    make: Callable[[], HttpResponseBase],
    headers: Callable[[], Mapping[str, str]] = dict,
) -> HttpResponseBase:
    """Return the answer of `make`, or 304 with the headers of `headers` if the caller's ETag is the current one."""
    etag = etag_of(request, validators)
    given = request.headers.get("If-None-Match")
    held = given is not None and len(given) <= settings.IF_NONE_MATCH_MAX_CHARACTERS and etag_matches(given, etag)
    response = Response(status=304, headers=headers()) if held else make()
    response["ETag"] = etag
    response["Last-Modified"] = http_date(validators.last_modified.timestamp())
    response["Cache-Control"] = MAY_BE_KEPT
    patch_vary_headers(response, _VARY)
    return response


def etag_of(request: Request, validators: CacheValidators) -> str:
    """
    Return the ETag of validators, URL and format; links in answers name the URL's host and scheme. It is weak, since
    compression changes the bytes of an answer.
    """
    return f'W/"{digest([validators.inputs, request.build_absolute_uri(), request.accepted_renderer.format])}"'


def etag_matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly: a proxy may have removed the `W/`."""
    given = parse_etags(if_none_match)
    return given == ["*"] or etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in given]
