"""
Attach many catalogs to another query at once: all of them, or none (COM-21). What attaching one means is
`operations.catalogs`' business; its query and other catalogs never change by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db import retry_lost_locks
from enterprise_catalog.apps.operations.catalogs import CatalogValues, save_catalog
from enterprise_catalog.apps.refresh.models import RefreshRun


@dataclass(frozen=True)
class Attached:
    """How many catalogs are on the query now and were not before, and the refresh that follows."""

    moved: int
    refresh_run: RefreshRun | None


@retry_lost_locks
@transaction.atomic
def attach_catalogs(*, catalogs: Iterable[EnterpriseCatalog], query: CatalogQuery, grants: Grants) -> Attached:
    """Raises what `save_catalog` raises, and then nothing was written."""
    # The filter finds the query and never changes it (QRY-1).
    values = CatalogValues(content_filter=query.content_filter)
    moved = [catalog for catalog in catalogs if catalog.catalog_query_id != query.pk]
    # In one order, so that two people who do this at once wait for each other.
    saved = [
        save_catalog(catalog=catalog, values=values, grants=grants)
        for catalog in sorted(moved, key=lambda catalog: catalog.pk)
    ]
    runs = [each.refresh_run for each in saved if each.refresh_run]
    return Attached(moved=len(moved), refresh_run=runs[-1] if runs else None)
