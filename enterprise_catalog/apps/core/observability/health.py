"""
Is this process of use to a load balancer? The database decides; no other service is ever asked (SURF-3).

`/health/live` asks less, whether the process answers at all: restarting it cures nothing that the database has. Other
health pages answer and refuse with the same functions.
"""

from typing import Any, Literal

import structlog
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from enterprise_catalog.apps.core.text import error_text

log = structlog.get_logger(__name__)

Verdict = Literal["OK", "UNAVAILABLE"]


# They answer other methods themselves, and not with Django's page about a missing CSRF token.
@csrf_exempt
def health(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(request)
    verdict = _database_verdict()
    return answer(verdict, detailed_status={"database_status": verdict})


@csrf_exempt
def live(request: HttpRequest) -> HttpResponse:
    """ADD-7. For who restarts processes that hang."""
    return answer("OK") if request.method in ("GET", "HEAD") else method_not_allowed(request)


@csrf_exempt
def ready(request: HttpRequest) -> HttpResponse:
    """ADD-7. For who sends traffic."""
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
    """A monitor looks at the status first."""
    status = 200 if verdict == "OK" else 503
    return JsonResponse({"overall_status": verdict, **details}, status=status)
