"""
Keep the local copies of enterprise customers fresh, in the background (CUST-1..3).

An error keeps the last copy. Which customers there are is decided by who writes a row; which are due, by when they
were last asked for. The LMS may be down or hang: what fails is due again in a minute, and no worker waits for it longer
than CUSTOMER_SYNC_SECONDS.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet

from enterprise_catalog.apps.core.db.clock import DatabaseNow, database_now
from enterprise_catalog.apps.core.http_client.errors import ServiceError
from enterprise_catalog.apps.customers.lms_client import LmsClient, LmsCustomer
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

log = structlog.get_logger(__name__)


def ensure_customer(uuid: UUID) -> bool:
    """Make sure the customer has a row, which keeps it fresh from now on; True when it is new."""
    _, created = EnterpriseCustomer.objects.get_or_create(uuid=uuid)
    return created


def sync_due_customers() -> int:
    """Copy the customers that are due until time is up; returns how many the LMS was asked for."""
    lms = LmsClient(seconds=settings.CUSTOMER_SYNC_SECONDS)
    asked = 0
    # Longest ago first, so that those which fail again and again never keep the others from their turn.
    for uuid in list(_due().order_by("attempted_at", "uuid").values_list("uuid", flat=True)):
        if lms.out_of_time:
            break
        asked += _sync(uuid, lms)
    return asked


def sync_customer(uuid: UUID) -> bool:
    """Copy one customer if it is due; False when it is not, or another worker does it."""
    return _sync(uuid, LmsClient(seconds=settings.CUSTOMER_SYNC_SECONDS))


def _sync(uuid: UUID, lms: LmsClient) -> bool:
    # One conditional UPDATE: whoever moves the date asks the LMS.
    if not _due().filter(pk=uuid).update(attempted_at=DatabaseNow()):
        return False
    try:
        facts = lms.customer(uuid)
    except ServiceError as error:
        log.warning("customer_sync_failed", customer=str(uuid), error=str(error))
        return True
    _store(uuid, facts)
    return True


def _due() -> QuerySet[EnterpriseCustomer]:
    now = database_now()
    refresh_before = now - timedelta(minutes=settings.CUSTOMER_REFRESH_MINUTES)
    retry_before = now - timedelta(seconds=settings.CUSTOMER_RETRY_SECONDS)
    needs_copy = Q(fetched_at=None) | Q(fetched_at__lte=refresh_before)
    return EnterpriseCustomer.objects.filter(Q(attempted_at=None) | Q(attempted_at__lte=retry_before) & needs_copy)


def _store(uuid: UUID, facts: LmsCustomer | None) -> None:
    row = EnterpriseCustomer.objects.filter(pk=uuid)
    if facts is None:
        row.update(active=False, enable_learner_portal=False, fetched_at=DatabaseNow())
        return
    row.update(
        active=True,
        name=facts.name,
        slug=facts.slug,
        enable_learner_portal=facts.enable_learner_portal,
        fetched_at=DatabaseNow(),
        # The date moves to what the LMS says and never away from it.
        **({"modified": facts.modified} if facts.modified else {}),
    )
