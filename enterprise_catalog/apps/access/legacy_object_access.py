"""
Who may use the legacy surface, for what (LEG-2, PERM-14 to PERM-17): the same roles as everywhere, with that surface's
own words for a refusal.
"""

from collections.abc import Callable
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.object_access import Access, Found, catalog_with
from enterprise_catalog.apps.access.roles import VIEW_CATALOGS, Grants, grants_of
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.uuids import parse_uuid

VIEWER = Access("Missing: enterprise.can_view_catalog", Grants.has_admin_access)


def viewed_catalog(request: Request, uuid_text: str) -> EnterpriseCatalog:
    """The catalog a path names, with its query, for whom may read its content (PERM-15)."""
    catalog = _found(uuid_text, catalog_with)
    VIEWER.require(grants_of(request), catalog.enterprise_uuid)
    return catalog


def asked_catalog(request: Request, uuid_text: str, *, find: Callable[[UUID], Found | None]) -> Found:
    """
    What `find` reads about the catalog for whom may ask what it contains; to others it does not exist (PERM-16).
    """
    found = _found(uuid_text, find)
    if not grants_of(request).has_learner_access(found.enterprise_uuid):
        raise NotFound("Not found.")
    return found


def viewed_customer(request: Request, uuid_text: str) -> UUID:
    customer = parse_uuid(uuid_text)
    if customer is None:
        raise NotFound("Not found.")
    VIEWER.require(grants_of(request), customer)
    return customer


def viewed_catalogs(request: Request) -> QuerySet[EnterpriseCatalog]:
    """The catalogs of the customers this caller administers (PERM-14)."""
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
