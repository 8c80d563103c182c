"""How fresh a query's members are, as clients and operators are told (CRUD-1, P3). Pure: a moment in, a word out."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone


class Freshness(StrEnum):
    NEVER = "never"
    STALE = "stale"
    FRESH = "fresh"


def stale_before() -> datetime:
    """What was published earlier than this breaks the promise."""
    return timezone.now() - timedelta(hours=settings.FRESHNESS_HOURS)


def freshness(refreshed_at: datetime | None) -> Freshness:
    if refreshed_at is None:
        return Freshness.NEVER
    return Freshness.STALE if refreshed_at < stale_before() else Freshness.FRESH
