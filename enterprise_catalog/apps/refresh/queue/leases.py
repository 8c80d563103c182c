"""Claim, renew and release a row for a limited time: lease, attempt number and conditional UPDATE."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from enterprise_catalog.apps.core.db.clock import DatabaseNow


class LeaseLost(Exception):
    """Another process owns the run now; this one must stop and write nothing more."""


def lease_end() -> Any:
    """When a lease that is taken or renewed now is over, by the database's clock."""
    return in_seconds(settings.LEASE_SECONDS)


def in_seconds(seconds: float) -> Any:
    return DatabaseNow() + timedelta(seconds=seconds)
