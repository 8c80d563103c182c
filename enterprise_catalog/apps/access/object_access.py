"""
From a request to a catalog or a customer: the only way there is.

A uuid from a path becomes a row, or a customer to ask about, only together with the check that this caller may use it
(P8). Nothing here writes. A page of content may be read with its catalog; who is refused never gets it.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.permissions import VIEWER, Access
from enterprise_catalog.apps.access.roles import VIEW_CATALOGS, grants_of
from enterprise_catalog.apps.catalog.api_versions import Surface
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.catalogs import (
    ServedCatalog,
    ServedPage,
    catalog_with,
    catalogs_with_queries,
    served_catalog,
    served_page,
)
from enterprise_catalog.apps.catalog.reading.pages import Cut
from enterprise_catalog.apps.core.uuids import parse_uuid


class OfCustomer(Protocol):
    """Something of a catalog, read together with whose it is."""

    @property
    def enterprise_uuid(self) -> UUID: ...


Found = TypeVar("Found", bound=OfCustomer)


def catalog_for(request: Request, uuid_text: str, *, access: Access) -> EnterpriseCatalog:
    """The catalog a path names, with its query."""
    return found_for(request, uuid_text, access=access, find=catalog_with)


def served_catalog_for(request: Request, uuid_text: str, *, access: Access) -> ServedCatalog:
    """The catalog a path names, with what serving its content takes."""
    return found_for(request, uuid_text, access=access, find=served_catalog)


def served_page_for(
    request: Request, uuid_text: str, *, access: Access, surface: Surface, cut: Callable[[int], Cut]
) -> ServedPage:
    """The same with a page of what it lists. Raises Moved."""
    return found_for(request, uuid_text, access=access, find=partial(served_page, surface=surface, cut=cut))


def found_for(request: Request, uuid_text: str, *, access: Access, find: Callable[[UUID], Found | None]) -> Found:
    """What `find` reads about the catalog that a path names; 404 before 403 (AUTH-9, COM-3)."""
    uuid = parse_uuid(uuid_text)
    if uuid is None:
        raise NotFound("Not found.")
    found = find(uuid)
    if found is None:
        raise NotFound("No EnterpriseCatalog matches the given query.")
    access.require(grants_of(request), found.enterprise_uuid)
    return found


def customer_for(request: Request, uuid_text: str, *, access: Access) -> UUID:
    """The customer a path names; who may see every customer may also ask about one this service has never heard of."""
    customer = parse_uuid(uuid_text)
    if customer is None:
        raise NotFound("Not found.")
    access.require(grants_of(request), customer)
    return customer


def listed_catalogs(request: Request) -> QuerySet[EnterpriseCatalog]:
    """The catalogs this caller may list, in their order (PERM-1, COM-9); who could list none is refused."""
    grants = grants_of(request)
    catalogs = catalogs_with_queries()
    customers = None if grants.may_view(None) else grants.administered_customers()
    if customers is None:
        return catalogs
    if not customers:
        raise PermissionDenied("You do not have permission to perform this action.")
    return catalogs.filter(enterprise_uuid__in=customers)


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
