"""
Catalog queries as rows that operators write and delete themselves, apart from any catalog.

Filters and titles go through the same resolution as a catalog's (QRY-3, QRY-6), so that what is refused there is
refused here. Whether the caller may edit queries at all was decided at the door.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.content_filters.warnings import FilterWarning, filter_warnings
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.queries.resolution import QueryWish
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import end
from enterprise_catalog.apps.services.catalog_queries import may_edit_query, resolve_wish, taken_errors
from enterprise_catalog.apps.services.errors import Conflict, Gone, InvalidValues, NotAllowed
from enterprise_catalog.apps.services.refreshes import request_refresh


@dataclass(frozen=True)
class SavedQuery:
    """
    A query as stored, and what saving it set in motion. It may be another row than the one that was changed: one with
    the same filter that took its place (QRY-3).
    """

    query: CatalogQuery
    refresh_run: RefreshRun | None
    filter_warnings: list[FilterWarning]


@retry_lost_locks
@transaction.atomic
def save_query(
    *, query: CatalogQuery | None, content_filter: dict[str, Any], title: str | None, grants: Grants
) -> SavedQuery:
    """
    Create a query (None), or change this one for all its catalogs. No title means: leave it.

    Raises InvalidValues (QRY-6), NotAllowed (QRY-7) or Gone, and then nothing was written. A query that no catalog
    uses is not refreshed (CRUD-9).
    """
    if query is None:
        _refuse_known_filter(content_filter, grants)
        resolution = resolve_wish(QueryWish(content_filter, title=title), grants=grants)
    else:
        stored = CatalogQuery.objects.select_for_update().filter(pk=query.pk).first()
        if stored is None:
            raise Gone
        if not may_edit_query(stored, grants=grants):
            raise NotAllowed
        resolution = resolve_wish(QueryWish(content_filter, stored.uuid, title), grants=grants)
    run = None
    if resolution.filter_changed and resolution.query.catalogs.exists():
        # For all its catalogs, by an operator.
        run = request_refresh(query=resolution.query, trigger=RefreshRun.Trigger.UPDATE)
    return SavedQuery(resolution.query, run, filter_warnings(content_filter))


@retry_lost_locks
@transaction.atomic
def delete_query(*, query: CatalogQuery) -> None:
    """
    Delete a query that no catalog uses. Its runs survive it, but those that waited or were held have nothing left to
    publish to (RUN-5). Raises Conflict when it is used, Gone when somebody else deleted it.
    """
    stored = CatalogQuery.objects.select_for_update().filter(pk=query.pk).first()
    if stored is None:
        raise Gone
    users = EnterpriseCatalog.objects.filter(catalog_query=stored).count()
    if users:
        raise Conflict({"catalogs": [f"This catalog query is used by {users} catalog{'' if users == 1 else 's'}."]})
    end(
        RefreshRun.objects.filter(catalog_query=stored, state__in=[RefreshRun.State.QUEUED, RefreshRun.State.HELD]),
        state=RefreshRun.State.FAILED,
        reason_code="superseded",
        reason_detail="Its catalog query was deleted.",
        held_keys=None,
    )
    stored.delete()


def _refuse_known_filter(content_filter: dict[str, Any], grants: Grants) -> None:
    owner = CatalogQuery.objects.filter(content_filter_hash=content_filter_hash(content_filter)).first()
    if owner is not None:
        raise InvalidValues(taken_errors({"content_filter": owner}, grants=grants))
