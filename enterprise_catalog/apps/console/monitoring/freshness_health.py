"""
Is every catalog as fresh as was promised? For monitors, and not for load balancers: a process that serves old content
serves (ADD-4).

Counts only, since everybody may ask: no name, title or customer. It never calls another service.
"""

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from enterprise_catalog.apps.core.datetimes import iso_moment
from enterprise_catalog.apps.core.observability.health import answer, log_away, method_not_allowed
from enterprise_catalog.apps.refresh.reports.late_queries import overview


@csrf_exempt
def freshness_health(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(request)
    try:
        found = overview()
    except Error as error:
        log_away(error)
        return answer("UNAVAILABLE", stale_queries=None, held_queries=None, oldest_published_at=None)
    return answer(
        "UNAVAILABLE" if found.late else "OK",
        stale_queries=found.late,
        held_queries=found.held,
        oldest_published_at=iso_moment(found.oldest_published_at),
    )
