"""Record between which changes of a query a catalog was attached to it (ADR 0013)."""

from collections.abc import Sequence
from uuid import UUID

from enterprise_catalog.apps.catalog.models import CatalogAttachment, CatalogContentChange


def record_periods(catalogs: Sequence[UUID], query_id: int, previous_query_id: int | None) -> None:
    """End these catalogs' period at the previous query, and begin one at this query. Both queries are locked."""
    if previous_query_id is not None:
        open_periods = CatalogAttachment.objects.filter(enterprise_catalog__in=catalogs, ends_with=None)
        open_periods.update(ends_with=latest_change(previous_query_id))
    begins_after = latest_change(query_id)
    CatalogAttachment.objects.bulk_create(
        CatalogAttachment(enterprise_catalog_id=uuid, catalog_query_id=query_id, begins_after=begins_after)
        for uuid in catalogs
    )


def latest_change(query_id: int) -> int:
    """
    Return the id of the query's newest change that is not of one catalog only; 0 if there is none.

    Its next change gets a higher id, since that is written under the query's lock.
    """
    changes = CatalogContentChange.objects.filter(catalog_query_id=query_id, enterprise_catalog=None)
    return changes.order_by("-id").values_list("id", flat=True).first() or 0
