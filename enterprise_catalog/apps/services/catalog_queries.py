"""
Save and delete catalog queries, and resolve requested queries for a caller (PERM-10, PERM-19, QRY-7).

Permissions are checked against the catalogs attached now, which are read from the database each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from enterprise_catalog.apps.access.permissions import may_edit_query, may_see_query
from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.content_filters.directives import RESTRICTED_RUNS_KEY
from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.content_filters.warnings import FilterWarning, filter_warnings
from enterprise_catalog.apps.catalog.exceptions import QueryConflict
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.queries.resolution import RequestedQuery, plan_query, resolve_query
from enterprise_catalog.apps.catalog.queries.resolution_steps import Attach, Resolution
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import supersede
from enterprise_catalog.apps.services.errors import Conflict, Gone, InvalidValues, NotAllowed
from enterprise_catalog.apps.services.refreshes import request_refresh

# Errors by field, without the uuid of the query that has the value already (QRY-6).
_TAKEN = {
    "query_title": "This title is already used by catalog query",
    "content_filter": "This content filter is already used by catalog query",
}


def resolve_requested_query(requested: RequestedQuery, *, grants: Grants) -> Resolution:
    """Find, create or change the query to attach to. Raises InvalidValues (QRY-6)."""
    try:
        resolution = resolve_query(requested=requested, may_edit=partial(may_edit_query, grants=grants))
    except QueryConflict as conflict:
        raise InvalidValues(taken_errors(conflict.owners, grants=grants)) from conflict
    if resolution.replaced_query_id is not None:
        # Queued and held runs end (RUN-5). A running one notices before it publishes.
        orphans = RefreshRun.objects.filter(catalog_query=None, catalog_query_uuid=resolution.query.uuid)
        supersede(orphans, "Another catalog query with the same content filter took the place of its query.")
    if resolution.uuid_changed:
        # Runs know the uuid of their query (RUN-1).
        RefreshRun.objects.filter(catalog_query=resolution.query).update(catalog_query_uuid=resolution.query.uuid)
    return resolution


def taken_errors(owners: Mapping[str, CatalogQuery], *, grants: Grants) -> dict[str, list[str]]:
    """Return errors that name the owners of a title or filter, with their uuids if the caller may see them (QRY-6)."""
    return {
        field: [f"{_TAKEN[field]} {owner.uuid}." if may_see_query(owner, grants=grants) else _TAKEN[field]]
        for field, owner in owners.items()
    }


def refuse_restricted_runs(requested: RequestedQuery, *, attached_query_id: int | None, grants: Grants) -> None:
    """
    Raise InvalidValues if the caller may not set which restricted runs the filter allows (V2-1).

    Only operators and the provisioning role may, whether they write the filter or attach a query that has it. Others
    may send back or leave out what the catalog's query (None for a new catalog) has already. They may not move it to
    another query, since that would change the other catalogs of it. The compared filters stay locked.
    """
    wanted = requested.content_filter.get(RESTRICTED_RUNS_KEY)
    if wanted is None or grants.may_allow_restricted_runs:
        return
    involved = CatalogQuery.objects.select_for_update().filter(Q(pk=attached_query_id or 0) | Q(uuid=requested.uuid))
    held = {query.pk: query.content_filter.get(RESTRICTED_RUNS_KEY) for query in involved.order_by("pk")}
    if attached_query_id not in held or any(value != wanted for value in held.values()):
        raise InvalidValues({"content_filter": [f"{RESTRICTED_RUNS_KEY} may be set by operators only."]})


def would_only_attach(requested: RequestedQuery, *, query_id: int, grants: Grants) -> bool:
    """Return whether the requested query is this query, unchanged. Writes nothing (CRUD-5)."""
    try:
        step = plan_query(requested=requested, may_edit=partial(may_edit_query, grants=grants))
    except QueryConflict:
        return False
    return isinstance(step, Attach) and step.query.pk == query_id


def requested_query_without_filter(
    *, attached_query_id: int, query_uuid: UUID | None, title: str | None, grants: Grants
) -> RequestedQuery | None:
    """
    Return the requested query of a change with a query's uuid or title and no filter (CRUD-8), or None without both.

    The row whose filter is used is locked, so that nobody changes the filter before the query is resolved.
    """
    if query_uuid is None and title is None:
        return None
    queries = CatalogQuery.objects.select_for_update()
    attached = queries.get(pk=attached_query_id)
    if query_uuid is None:
        return RequestedQuery(attached.content_filter, attached.uuid, title)
    asked = queries.filter(uuid=query_uuid).first()
    if asked is None:
        return RequestedQuery(attached.content_filter, query_uuid, title)
    if may_see_query(asked, grants=grants):
        return RequestedQuery(asked.content_filter, query_uuid, title)
    # The caller may not see this query, so it counts as unknown, but its uuid is taken: the catalog keeps its query.
    return None


@dataclass(frozen=True)
class SavedQuery:
    """
    A query as stored, the refresh that saving it started, and the warnings about its filter.

    It may be another row than the changed one, if a query with the same filter replaced that (QRY-3).
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
    Create a query (None), or change this one for all its catalogs. Without a title, the stored one stays.

    Raises InvalidValues (QRY-6), NotAllowed (QRY-7) or Gone; then nothing is written. A query that no catalog uses is
    not refreshed (CRUD-9).
    """
    if query is None:
        _refuse_known_filter(content_filter, grants)
        resolution = resolve_requested_query(RequestedQuery(content_filter, title=title), grants=grants)
    else:
        stored = CatalogQuery.objects.select_for_update().filter(pk=query.pk).first()
        if stored is None:
            raise Gone
        if not may_edit_query(stored, grants=grants):
            raise NotAllowed
        resolution = resolve_requested_query(RequestedQuery(content_filter, stored.uuid, title), grants=grants)
    run = None
    if resolution.filter_changed and resolution.query.catalogs.exists():
        run = request_refresh(query=resolution.query, trigger=RefreshRun.Trigger.UPDATE)
    return SavedQuery(resolution.query, run, filter_warnings(content_filter))


@retry_lost_locks
@transaction.atomic
def delete_query(*, query: CatalogQuery) -> None:
    """
    Delete a query that no catalog uses. Its runs stay; queued and held ones end as superseded (RUN-5).

    Raises Conflict if it is used, and Gone if somebody else deleted it.
    """
    stored = CatalogQuery.objects.select_for_update().filter(pk=query.pk).first()
    if stored is None:
        raise Gone
    users = EnterpriseCatalog.objects.filter(catalog_query=stored).count()
    if users:
        raise Conflict({"catalogs": [f"This catalog query is used by {users} catalog{'' if users == 1 else 's'}."]})
    supersede(RefreshRun.objects.filter(catalog_query=stored), "Its catalog query was deleted.")
    stored.delete()


def _refuse_known_filter(content_filter: dict[str, Any], grants: Grants) -> None:
    owner = CatalogQuery.objects.filter(content_filter_hash=content_filter_hash(content_filter)).first()
    if owner is not None:
        raise InvalidValues(taken_errors({"content_filter": owner}, grants=grants))
