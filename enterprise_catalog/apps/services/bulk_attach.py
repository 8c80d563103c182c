"""
Attach many catalogs to another query at once: all of them, or none (COM-21). What attaching one means is
`services.catalogs`' business; its query and other catalogs never change by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.catalogs import CatalogValues, save_catalog
from enterprise_catalog.apps.services.errors import Gone, OperationError


class TooManyChanges(OperationError):
    """More would join and leave at once than one transaction should write; the message says how much."""


@dataclass(frozen=True)
class Attached:
    """The catalogs that are on the query now and were not before, and the refresh that follows."""

    moved: list[EnterpriseCatalog]
    refresh_run: RefreshRun | None


@retry_lost_locks
@transaction.atomic
def attach_catalogs(*, catalogs: Iterable[EnterpriseCatalog], query: CatalogQuery, grants: Grants) -> Attached:
    """Raises TooManyChanges, and what `save_catalog` raises; then nothing was written."""
    # In one order, so that two people who do this at once wait for each other.
    moved = sorted((it for it in catalogs if it.catalog_query_id != query.pk), key=lambda catalog: catalog.pk)
    _refuse_too_many_changes(moved, query)
    # The filter finds the query and never changes it (QRY-1).
    values = CatalogValues(content_filter=query.content_filter)
    saved = [save_catalog(catalog=catalog, values=values, grants=grants) for catalog in moved]
    if any(each.catalog.catalog_query_id != query.pk for each in saved):
        # Its filter changed since it was chosen, and is another query's now.
        raise Gone
    runs = [each.refresh_run for each in saved if each.refresh_run]
    return Attached(moved=moved, refresh_run=runs[-1] if runs else None)


def _refuse_too_many_changes(catalogs: Iterable[EnterpriseCatalog], query: CatalogQuery) -> None:
    """Each catalog's changes are rows of its own (CHG-2): at most all that it loses and all that it gets."""
    changes = sum(catalog.catalog_query.member_count + query.member_count for catalog in catalogs)
    if changes > settings.BULK_CHANGES_LIMIT:
        limit = f"{settings.BULK_CHANGES_LIMIT:,} can at once. Select fewer catalogs."
        raise TooManyChanges(f"Up to {changes:,} items would join and leave these catalogs, {limit}")
