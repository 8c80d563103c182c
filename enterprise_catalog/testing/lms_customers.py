"""Customers at the LMS and here, and time that has passed."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F

from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.sandbox.sandbox import Sandbox

ACME = UUID("aaaaaaaa-1111-4111-8111-000000000001")
BRIGHT = UUID("aaaaaaaa-1111-4111-8111-000000000002")
MODIFIED = "2026-03-01T12:30:00.123456Z"


def at_the_lms(lms: Sandbox, uuid: UUID = ACME, **facts: object) -> None:
    usual = {"name": "Acme", "slug": "acme", "active": True, "enable_learner_portal": True, "modified": MODIFIED}
    lms.put_customer({"uuid": str(uuid), **usual, **facts})


def wait(**time: float) -> None:
    """As if that much time had passed since the LMS was asked and answered."""
    passed = timedelta(**time)
    EnterpriseCustomer.objects.update(attempted_at=F("attempted_at") - passed, fetched_at=F("fetched_at") - passed)
