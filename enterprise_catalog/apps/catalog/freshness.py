"""How fresh a query's members are, as clients and operators are told (CRUD-1, P3). Pure: a moment in, a word out."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog


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


def queries_in_use() -> QuerySet[CatalogQuery]:
    """What is kept fresh: a query without catalogs is not (CRUD-9)."""
    return CatalogQuery.objects.filter(Exists(EnterpriseCatalog.objects.filter(catalog_query=OuterRef("pk"))))
