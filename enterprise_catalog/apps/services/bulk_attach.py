"""
Attach many catalogs to another query: all of them, or none (COM-21).

`services.catalogs` attaches each. The query and its other catalogs do not change.
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
    """One transaction would write too many changes; the message says how many."""


@dataclass(frozen=True)
class Attached:
    """The catalogs that were not on the query before, and the refresh that follows."""

    moved: list[EnterpriseCatalog]
    refresh_run: RefreshRun | None


@retry_lost_locks
@transaction.atomic
def attach_catalogs(*, catalogs: Iterable[EnterpriseCatalog], query: CatalogQuery, grants: Grants) -> Attached:
    """Attach the catalogs. Raises TooManyChanges and what `save_catalog` raises; then nothing is written."""
    # Everybody locks in the same order, so that two such requests wait for each other.
    moved = sorted((it for it in catalogs if it.catalog_query_id != query.pk), key=lambda catalog: catalog.pk)
    _refuse_too_many_changes(moved, query)
    # The filter finds the query and never changes it (QRY-1).
    values = CatalogValues(content_filter=query.content_filter)
    saved = [save_catalog(catalog=catalog, values=values, grants=grants) for catalog in moved]
    if any(each.catalog.catalog_query_id != query.pk for each in saved):
        # The query's filter changed since it was chosen, and belongs to another query now.
        raise Gone
    runs = [each.refresh_run for each in saved if each.refresh_run]
    return Attached(moved=moved, refresh_run=runs[-1] if runs else None)


def _refuse_too_many_changes(catalogs: Iterable[EnterpriseCatalog], query: CatalogQuery) -> None:
    """Each catalog has its own change rows (CHG-2): at most one for each member that it loses or gets."""
    changes = sum(catalog.catalog_query.member_count + query.member_count for catalog in catalogs)
    if changes > settings.BULK_CHANGES_LIMIT:
        limit = f"{settings.BULK_CHANGES_LIMIT:,} can at once. Select fewer catalogs."
        raise TooManyChanges(f"Up to {changes:,} items would join and leave these catalogs, {limit}")
