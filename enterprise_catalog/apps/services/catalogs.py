"""
Create, change and delete catalogs, and decide everything about it.

    1. lock the catalog, check a move to another customer
    2. resolve the query fields to a query
    3. write the catalog and, if it is attached to another query, what joins and leaves it
    4. write the queued run, unless the query was published shortly before (RUN-8)

This is one transaction, repeated as a whole when it loses a lock. No other service is called (P6): data of the customer
and content arrive in the background. Callers of these functions have checked with `access.object_access` that the
caller may manage this customer's catalogs (PERM-2, PERM-3, PERM-4).
"""

from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.change_feed.recording import record_attachment
from enterprise_catalog.apps.catalog.content_filters.warnings import FilterWarning, filter_warnings
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.queries.resolution import RequestedQuery
from enterprise_catalog.apps.catalog.queries.resolution_steps import Resolution
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.customers.sync import ensure_customer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.services.catalog_queries import (
    refuse_restricted_runs,
    requested_query_without_filter,
    resolve_requested_query,
    would_only_attach,
)
from enterprise_catalog.apps.services.errors import Conflict, Gone, InvalidValues, NotAllowed
from enterprise_catalog.apps.services.refreshes import asker
from enterprise_catalog.apps.services.worker_notifications import notify_workers_after_commit

# An attempt that fails because somebody else creates the same catalog finds it in the next one.
_ATTEMPTS = 3


_COLUMNS = ("title", "enterprise_uuid", "enterprise_name", "enabled_course_modes", "publish_audit_enrollment_urls")


class CatalogValues(TypedDict, total=False):
    """
    The values of a catalog that a caller sent, with validated types (CRUD-2). Absent is not the same as null.

    Creating requires all but the uuid and the last two. Changing keeps the stored values of absent fields.
    """

    uuid: UUID
    title: str
    enterprise_uuid: UUID
    enterprise_name: str
    enabled_course_modes: list[str]
    publish_audit_enrollment_urls: bool
    content_filter: dict[str, Any]
    query_uuid: UUID | None
    query_title: str | None


@dataclass(frozen=True)
class SavedCatalog:
    """A catalog as stored, the refresh that saving it started, and the warnings about its filter (CRUD-10)."""

    catalog: EnterpriseCatalog
    created: bool
    refresh_run: RefreshRun | None
    filter_warnings: list[FilterWarning]


def save_catalog(*, catalog: EnterpriseCatalog | None, values: CatalogValues, grants: Grants) -> SavedCatalog:
    """
    Create a catalog (None), or change this one.

    Raises InvalidValues (QRY-6, V2-1), Conflict (CRUD-5), NotAllowed (PERM-20) or Gone; then nothing is written.
    """
    if catalog is not None:
        return _change(catalog, values, grants)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _create(values, grants)
        except IntegrityError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


@retry_lost_locks
@transaction.atomic
def delete_catalog(*, catalog: EnterpriseCatalog) -> None:
    """
    Delete a catalog; its query stays (CRUD-9).

    Raises Gone if, after the permission check, somebody deleted it or moved it to another customer.
    """
    stored = EnterpriseCatalog.objects.select_for_update().filter(
        pk=catalog.pk, enterprise_uuid=catalog.enterprise_uuid
    )
    found = stored.first()
    if found is None:
        raise Gone
    found.delete()


@retry_lost_locks
@transaction.atomic
def _create(values: CatalogValues, grants: Grants) -> SavedCatalog:
    if "content_filter" not in values:
        raise InvalidValues({"content_filter": ["This field is required."]})
    uuid = values.get("uuid") or uuid4()
    requested = RequestedQuery(values["content_filter"], values.get("query_uuid"), values.get("query_title"))
    warnings = filter_warnings(values["content_filter"])
    existing = EnterpriseCatalog.objects.select_for_update().filter(pk=uuid).first()
    if existing:
        _refuse_other_values(existing, values, requested, grants)
        return SavedCatalog(existing, created=False, refresh_run=None, filter_warnings=warnings)
    refuse_restricted_runs(requested, attached_query_id=None, grants=grants)
    query = resolve_requested_query(requested, grants=grants).query
    catalog = EnterpriseCatalog(uuid=uuid, catalog_query=query, modified=timezone.now(), **_columns(values))
    catalog.save(force_insert=True)
    record_attachment(catalogs=[uuid], query_id=query.pk, previous_query_id=None)
    is_new = ensure_customer(catalog.enterprise_uuid)
    asked_by = asker(grants=grants, customer=catalog.enterprise_uuid)
    run = enqueue_run(query=query, trigger=RefreshRun.Trigger.CREATE, asked_by=asked_by)
    notify_workers_after_commit(run, new_customer=catalog.enterprise_uuid if is_new else None)
    return SavedCatalog(catalog, created=True, refresh_run=run, filter_warnings=warnings)


@retry_lost_locks
@transaction.atomic
def _change(catalog: EnterpriseCatalog, values: CatalogValues, grants: Grants) -> SavedCatalog:
    stored = EnterpriseCatalog.objects.select_for_update().filter(pk=catalog.pk).first()
    if stored is None:
        raise Gone
    changes = {column: value for column, value in _columns(values).items() if value != getattr(stored, column)}
    _check_move(catalog, stored, changes, grants)
    requested = _get_requested_query(stored, values, grants)
    if requested:
        refuse_restricted_runs(requested, attached_query_id=stored.catalog_query_id, grants=grants)
    resolution = resolve_requested_query(requested, grants=grants) if requested else Resolution(stored.catalog_query)
    attached = _write_change(stored, changes, resolution)
    is_new = "enterprise_uuid" in changes and ensure_customer(stored.enterprise_uuid)
    run = None
    if attached or resolution.filter_changed or resolution.query.refreshed_at is None:
        asked_by = asker(grants=grants, customer=stored.enterprise_uuid)
        run = enqueue_run(query=resolution.query, trigger=RefreshRun.Trigger.UPDATE, asked_by=asked_by)
    notify_workers_after_commit(run, new_customer=stored.enterprise_uuid if is_new else None)
    warnings = filter_warnings(values["content_filter"]) if "content_filter" in values else []
    return SavedCatalog(stored, created=False, refresh_run=run, filter_warnings=warnings)


def _refuse_other_values(
    existing: EnterpriseCatalog, values: CatalogValues, requested: RequestedQuery, grants: Grants
) -> None:
    """Accept a repeated request, and raise Conflict for other values under the same uuid (CRUD-5)."""
    same_values = all(value == getattr(existing, column) for column, value in _columns(values).items())
    if not (same_values and would_only_attach(requested, query_id=existing.catalog_query_id, grants=grants)):
        raise Conflict({"uuid": ["An enterprise catalog with this uuid already exists with different values."]})


def _check_move(catalog: EnterpriseCatalog, stored: EnterpriseCatalog, changes: dict[str, Any], grants: Grants) -> None:
    """Check the new customer, and a stored one that changed since the permission check (PERM-20)."""
    involved = {stored.enterprise_uuid, changes.get("enterprise_uuid", stored.enterprise_uuid)}
    if not all(grants.may_change(customer) for customer in involved - {catalog.enterprise_uuid}):
        raise NotAllowed


def _get_requested_query(stored: EnterpriseCatalog, values: CatalogValues, grants: Grants) -> RequestedQuery | None:
    query_uuid, title = values.get("query_uuid"), values.get("query_title")
    if "content_filter" in values:
        return RequestedQuery(values["content_filter"], query_uuid, title)
    return requested_query_without_filter(
        attached_query_id=stored.catalog_query_id, query_uuid=query_uuid, title=title, grants=grants
    )


def _write_change(stored: EnterpriseCatalog, changes: dict[str, Any], resolution: Resolution) -> bool:
    """Write what differs, and `modified` only then (CRUD-1). Return whether the catalog has another query now."""
    previous_query_id, query = stored.catalog_query_id, resolution.query
    stored.catalog_query = query
    # The catalogs of a replaced query are moved already, and their owners know the new query by the same uuid.
    attached = previous_query_id not in (query.pk, resolution.replaced_query_id)
    if attached:
        record_attachment(catalogs=[stored.pk], query_id=query.pk, previous_query_id=previous_query_id)
    if attached or changes:
        for column, value in changes.items():
            setattr(stored, column, value)
        stored.modified = timezone.now()
        stored.save(update_fields=[*changes, "catalog_query", "modified"])
    return attached


def _columns(values: CatalogValues) -> dict[str, Any]:
    """Return the sent values that are columns of the catalog itself."""
    return {name: value for name, value in values.items() if name in _COLUMNS}
