"""
Turn errors into answers: one format per kind, JSON instead of Django's error pages (ERR-1, ERR-7).

No answer holds a stack or an SQL statement (ERR-8). The log has the details, under the request id of the answer.
"""

import sys
from typing import Any

import structlog
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from enterprise_catalog.apps.core.text import error_text

log = structlog.get_logger(__name__)

# Only the admin and its sign-in answer with pages.
_PAGES = ("/admin", "/login/", "/complete/")


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "Request body is too large."


class LengthRequired(APIException):
    """
    The body comes in chunks, without Content-Length. Django would read it as empty, and answer as if nothing was sent.
    """

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "Content-Length is required."


class Conflict(APIException):
    """The request contradicts what is stored; `detail` in field format (ERR-5)."""

    status_code = status.HTTP_409_CONFLICT


class ResourceExpired(APIException):
    """The resource existed and is gone for good."""

    status_code = status.HTTP_410_GONE


class NotPublishedYet(APIException):
    """What is asked for has no published state to compare with."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "This catalog has no content yet: its first refresh has not been published."
    # DRF sends it as Retry-After. A first refresh takes minutes at most.
    wait = 60


class DatabaseUnavailable(APIException):
    """The database cannot be reached, or a lock was not free in time."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Service temporarily unavailable, try again later."
    # DRF sends it as Retry-After.
    wait = 5


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error in a view (DRF's EXCEPTION_HANDLER). Return None for a bug, which reaches `server_error`."""
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database_unavailable", exc_info=error)
        error = DatabaseUnavailable()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, SuspiciousOperation | BadRequest | UnreadablePostError):
        error = ParseError("Bad request.")
    response = rest_exception_handler(error, context)
    if response is not None:
        response.data = _bounded(response.data)
    return response


def _bounded(data: Any) -> Any:
    """Shorten each message in the body of an error. Field names are our own."""
    if isinstance(data, dict):
        return {name: _bounded(inner) for name, inner in data.items()}
    if isinstance(data, list):
        return [_bounded(inner) for inner in data]
    return error_text(data) if isinstance(data, str) else data


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(_PAGES):
        return defaults.page_not_found(request, exception)
    return JsonResponse({"detail": "Not found."}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(_PAGES):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return JsonResponse({"detail": BodyTooLarge.default_detail}, status=413)
    return JsonResponse({"detail": "Bad request."}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(_PAGES):
        return defaults.permission_denied(request, exception)
    return JsonResponse({"detail": "You do not have permission to perform this action."}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        headers = {"Retry-After": str(DatabaseUnavailable.wait)}
        return JsonResponse({"detail": DatabaseUnavailable.default_detail}, status=503, headers=headers)
    if request.path.startswith(_PAGES):
        return defaults.server_error(request)
    return JsonResponse({"detail": "Internal server error."}, status=500)
