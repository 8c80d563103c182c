"""
Turn a uuid from a path into a row together with the permission check, so that no view can forget it (P8).

Every read of a catalog or customer for a caller goes through here. Nothing is written.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.permissions import VIEWER, Access
from enterprise_catalog.apps.access.roles import VIEW_CATALOGS, grants_of
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.catalogs import (
    ServedCatalog,
    catalogs_with_queries,
    get_catalog_with_query,
    get_served_catalog,
)
from enterprise_catalog.apps.core.uuids import parse_uuid


class OfCustomer(Protocol):
    """A value about a catalog, with the uuid of its customer."""

    @property
    def enterprise_uuid(self) -> UUID: ...


Found = TypeVar("Found", bound=OfCustomer)


def get_catalog_or_404(request: Request, uuid_text: str, *, access: Access) -> EnterpriseCatalog:
    """Return the catalog with its query."""
    return get_authorized_or_404(request, uuid_text, access=access, find=get_catalog_with_query)


def get_served_catalog_or_404(request: Request, uuid_text: str, *, access: Access) -> ServedCatalog:
    """Return the catalog with everything that is needed to serve its content."""
    return get_authorized_or_404(request, uuid_text, access=access, find=get_served_catalog)


def get_authorized_or_404(
    request: Request, uuid_text: str, *, access: Access, find: Callable[[UUID], Found | None]
) -> Found:
    """Return what `find` reads about the catalog. Raises NotFound before PermissionDenied (AUTH-9, COM-3)."""
    uuid = parse_uuid(uuid_text)
    if uuid is None:
        raise NotFound("Not found.")
    found = find(uuid)
    if found is None:
        raise NotFound("No EnterpriseCatalog matches the given query.")
    access.require(grants_of(request), found.enterprise_uuid)
    return found


def get_customer_uuid_or_404(request: Request, uuid_text: str, *, access: Access) -> UUID:
    """Return the customer's uuid. Callers with access to every customer may ask about unknown ones, too."""
    customer = parse_uuid(uuid_text)
    if customer is None:
        raise NotFound("Not found.")
    access.require(grants_of(request), customer)
    return customer


def list_catalogs_for(request: Request) -> QuerySet[EnterpriseCatalog]:
    """Return the catalogs this caller may list (PERM-1, COM-9). Raises PermissionDenied if it may list none."""
    grants = grants_of(request)
    catalogs = catalogs_with_queries()
    customers = None if grants.may_view(None) else grants.administered_customers()
    if customers is None:
        return catalogs
    if not customers:
        raise PermissionDenied("You do not have permission to perform this action.")
    return catalogs.filter(enterprise_uuid__in=customers)


def get_legacy_catalog_to_read_or_404(request: Request, uuid_text: str) -> EnterpriseCatalog:
    """Return the catalog with its query. Raises PermissionDenied for callers who may not read its content (PERM-15)."""
    catalog = _found(uuid_text, get_catalog_with_query)
    VIEWER.require(grants_of(request), catalog.enterprise_uuid)
    return catalog


def get_legacy_catalog_to_search_or_404(
    request: Request, uuid_text: str, *, find: Callable[[UUID], Found | None]
) -> Found:
    """
    Return what `find` reads about the catalog.

    Raises NotFound, not PermissionDenied, for callers who may not search it, so that nobody can probe for catalogs
    (PERM-16).
    """
    found = _found(uuid_text, find)
    if not grants_of(request).has_learner_access(found.enterprise_uuid):
        raise NotFound("Not found.")
    return found


def list_legacy_catalogs_for(request: Request) -> QuerySet[EnterpriseCatalog]:
    """Return the catalogs of the customers this caller administers (PERM-14)."""
    grants = grants_of(request)
    customers = grants.administered_customers()
    if customers is None or grants.permits(VIEW_CATALOGS):
        return EnterpriseCatalog.objects.all()
    if not customers:
        raise PermissionDenied(VIEWER.refusal)
    return EnterpriseCatalog.objects.filter(enterprise_uuid__in=customers)


def _found(uuid_text: str, find: Callable[[UUID], Found | None]) -> Found:
    uuid = parse_uuid(uuid_text)
    found = find(uuid) if uuid else None
    if found is None:
        raise NotFound("Not found.")
    return found
