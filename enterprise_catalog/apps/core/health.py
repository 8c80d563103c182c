"""Is this process of use to a load balancer? The database decides; no other service is ever asked (SURF-3)."""

import structlog
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

log = structlog.get_logger(__name__)


# It answers other methods itself, and not with Django's page about a missing CSRF token.
@csrf_exempt
def health(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return JsonResponse(
            {"detail": f'Method "{request.method}" not allowed.'}, status=405, headers={"Allow": "GET, HEAD"}
        )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        log.error("health_database_unavailable", error=type(error).__name__)
        return _answer("UNAVAILABLE", status=503)
    return _answer("OK", status=200)


def _answer(verdict: str, *, status: int) -> JsonResponse:
    body = {"overall_status": verdict, "detailed_status": {"database_status": verdict}}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
