"""Create customers in the sandbox's LMS, and move the time of their last copy back."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F

from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.sandbox.sandbox import Sandbox

ACME = UUID("aaaaaaaa-1111-4111-8111-000000000001")
BRIGHT = UUID("aaaaaaaa-1111-4111-8111-000000000002")
MODIFIED = "2026-03-01T12:30:00.123456Z"


def at_the_lms(lms: Sandbox, uuid: UUID = ACME, **fields: object) -> None:
    """Create or change a customer in the LMS."""
    usual = {"name": "Acme", "slug": "acme", "active": True, "enable_learner_portal": True, "modified": MODIFIED}
    lms.put_customer({"uuid": str(uuid), **usual, **fields})


def wait(**time: float) -> None:
    """Pretend that so much time has passed since the LMS was called."""
    passed = timedelta(**time)
    EnterpriseCustomer.objects.update(attempted_at=F("attempted_at") - passed, fetched_at=F("fetched_at") - passed)
