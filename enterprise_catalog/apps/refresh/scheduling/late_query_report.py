"""Log late queries every FRESHNESS_REPORT_MINUTES."""

from datetime import timedelta

import structlog
from django.conf import settings

from enterprise_catalog.apps.refresh.reports.late_queries import list_late_uuids
from enterprise_catalog.apps.refresh.scheduling.periodic_jobs import claim_job

log = structlog.get_logger(__name__)


def report_if_due() -> bool:
    """Log the late queries if the job is due; return whether it was."""
    if not claim_job("freshness", every=timedelta(minutes=settings.FRESHNESS_REPORT_MINUTES)):
        return False
    late = [str(uuid) for uuid in list_late_uuids()]
    if late:
        log.warning("catalog_queries_stale", count=len(late), queries=late[: settings.LATE_QUERIES_LOGGED])
    return True
