"""Record during which periods a catalog was attached to a query (ADR 0013)."""

from collections.abc import Sequence
from uuid import UUID

from enterprise_catalog.apps.catalog.models import CatalogAttachment, CatalogContentChange

_NO_QUERY = 0


def _record_periods(catalogs: Sequence[UUID], query_id: int, previous_query_id: int | None) -> None:
    if previous_query_id is not None:
        open_periods = CatalogAttachment.objects.filter(enterprise_catalog__in=catalogs, ends_with=None)
        open_periods.update(ends_with=latest_change(previous_query_id))
    begins_after = latest_change(query_id)
    CatalogAttachment.objects.bulk_create(
        CatalogAttachment(enterprise_catalog_id=uuid, catalog_query_id=query_id, begins_after=begins_after)
        for uuid in catalogs
    )


def latest_change(query_id: int) -> int:
    """The last one of the query itself so far. Its next one, of whoever waits for our lock, gets a higher id."""
    changes = CatalogContentChange.objects.filter(catalog_query_id=query_id, enterprise_catalog=None)
    return changes.order_by("-id").values_list("id", flat=True).first() or 0
