"""
Keep the local copies of enterprise customers fresh, in the background (CUST-1..3).

A customer with a row is copied again CUSTOMER_REFRESH_MINUTES after the last copy. An error keeps the last copy and is
retried by the next sync. No worker waits longer than CUSTOMER_SYNC_SECONDS for an LMS that is down or hangs.
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
    """Create the customer's row if it has none, so that it is kept fresh. Return True if the row is new."""
    _, created = EnterpriseCustomer.objects.get_or_create(uuid=uuid)
    return created


def sync_due_customers() -> int:
    """Copy customers that are due until the time is up. Return how many the LMS was asked for."""
    lms = LmsClient(seconds=settings.CUSTOMER_SYNC_SECONDS)
    requested = 0
    # Oldest attempt first, so that customers which always fail never block the others.
    for uuid in list(_due().order_by("attempted_at", "uuid").values_list("uuid", flat=True)):
        if lms.out_of_time:
            break
        requested += _sync(uuid, lms)
    return requested


def sync_customer(uuid: UUID) -> bool:
    """Copy one customer if it is due. Return False if it is not, or if another worker copies it."""
    return _sync(uuid, LmsClient(seconds=settings.CUSTOMER_SYNC_SECONDS))


def _sync(uuid: UUID, lms: LmsClient) -> bool:
    # A conditional UPDATE: the worker that changes the row calls the LMS.
    if not _due().filter(pk=uuid).update(attempted_at=DatabaseNow()):
        return False
    try:
        customer = lms.customer(uuid)
    except ServiceError as error:
        log.warning("customer_sync_failed", customer=str(uuid), error=str(error))
        return True
    _store(uuid, customer)
    return True


def _due() -> QuerySet[EnterpriseCustomer]:
    now = database_now()
    refresh_before = now - timedelta(minutes=settings.CUSTOMER_REFRESH_MINUTES)
    retry_before = now - timedelta(seconds=settings.CUSTOMER_RETRY_SECONDS)
    needs_copy = Q(fetched_at=None) | Q(fetched_at__lte=refresh_before)
    return EnterpriseCustomer.objects.filter(Q(attempted_at=None) | Q(attempted_at__lte=retry_before) & needs_copy)


def _store(uuid: UUID, customer: LmsCustomer | None) -> None:
    row = EnterpriseCustomer.objects.filter(pk=uuid)
    if customer is None:
        row.update(active=False, enable_learner_portal=False, fetched_at=DatabaseNow())
        return
    row.update(
        active=True,
        name=customer.name,
        slug=customer.slug,
        enable_learner_portal=customer.enable_learner_portal,
        fetched_at=DatabaseNow(),
        # An answer without the date keeps the last one.
        **({"modified": customer.modified} if customer.modified else {}),
    )
