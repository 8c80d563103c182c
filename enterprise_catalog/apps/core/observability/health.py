"""
Health pages: `/health` and `/health/ready` check the database, `/health/live` only answers (SURF-3, ADD-7).

No other service is ever asked. Liveness does not check the database, because restarting the process would not cure it.
Other health pages use the same functions for their answers.
"""

from typing import Any, Literal

import structlog
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from enterprise_catalog.apps.core.text import error_text

log = structlog.get_logger(__name__)

Verdict = Literal["OK", "UNAVAILABLE"]


# Without CSRF protection, so that other methods get 405 instead of Django's page about a missing token.
@csrf_exempt
def health(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(request)
    verdict = _database_verdict()
    return answer(verdict, detailed_status={"database_status": verdict})


@csrf_exempt
def live(request: HttpRequest) -> HttpResponse:
    """Answer whoever restarts processes that hang (ADD-7)."""
    return answer("OK") if request.method in ("GET", "HEAD") else method_not_allowed(request)


@csrf_exempt
def ready(request: HttpRequest) -> HttpResponse:
    """Answer whoever routes traffic to this process (ADD-7)."""
    return answer(_database_verdict()) if request.method in ("GET", "HEAD") else method_not_allowed(request)


def _database_verdict() -> Verdict:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        log_database_unavailable(error)
        return "UNAVAILABLE"
    return "OK"


def method_not_allowed(request: HttpRequest) -> JsonResponse:
    body = {"detail": error_text(f'Method "{request.method}" not allowed.')}
    return JsonResponse(body, status=405, headers={"Allow": "GET, HEAD"})


def log_database_unavailable(error: Error) -> None:
    log.error("health_database_unavailable", error=type(error).__name__)


def answer(verdict: Verdict, **details: Any) -> JsonResponse:
    status = 200 if verdict == "OK" else 503
    return JsonResponse({"overall_status": verdict, **details}, status=status)
