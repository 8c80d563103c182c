"""
Serve `/health/freshness/`: whether every query in use is as fresh as promised (ADD-4).

It is meant for monitors and not for load balancers, since a process with old content can still serve. Anybody may ask,
so it returns counts only, and no name, title or customer. It calls no other service.
"""

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from enterprise_catalog.apps.core.datetimes import api_iso
from enterprise_catalog.apps.core.observability.health import answer, log_database_unavailable, method_not_allowed
from enterprise_catalog.apps.refresh.reports.late_queries import freshness_overview


@csrf_exempt
def freshness_health(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(request)
    try:
        found = freshness_overview()
    except Error as error:
        log_database_unavailable(error)
        return answer("UNAVAILABLE", stale_queries=None, held_queries=None, oldest_published_at=None)
    return answer(
        "UNAVAILABLE" if found.late else "OK",
        stale_queries=found.late,
        held_queries=found.held,
        oldest_published_at=api_iso(found.oldest_published_at),
    )
