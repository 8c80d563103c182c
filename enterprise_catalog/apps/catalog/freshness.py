"""
Decide whether the members of a query are fresh: published within FRESHNESS_HOURS (CRUD-1, P3).

`refresh.reports` counts and lists late queries by the same rule. Lists and reports are compared with the database's
clock. A row in an answer is compared with this process's clock, since the database's would cost one more statement.
Seconds do not matter to a promise of hours.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import DatabaseNow


class Freshness(StrEnum):
    NEVER = "never"
    STALE = "stale"
    FRESH = "fresh"


def promised_age() -> timedelta:
    """Return how old the last publish of a query in use may be."""
    return timedelta(hours=settings.FRESHNESS_HOURS)


def stale_before(now: datetime | DatabaseNow) -> Any:
    """Return the time before which a publish is stale now; `now` is a time or an expression."""
    return now - promised_age()


def freshness(refreshed_at: datetime | None) -> Freshness:
    """Say how fresh a query is whose last publish was then; None: there was none."""
    if refreshed_at is None:
        return Freshness.NEVER
    return Freshness.STALE if refreshed_at < stale_before(timezone.now()) else Freshness.FRESH


def queries_in_use() -> QuerySet[CatalogQuery]:
    """Select the queries that are kept fresh: those of at least one catalog (CRUD-9)."""
    return CatalogQuery.objects.filter(Exists(EnterpriseCatalog.objects.filter(catalog_query=OuterRef("pk"))))
