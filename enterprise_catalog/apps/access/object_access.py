"""
From a request to a catalog or a customer: the only way there is.

A uuid from a path becomes a row, or a customer to ask about, only together with the check that this caller may use it
(P8). Nothing here writes. A page of content may be read with its catalog; who is refused never gets it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.roles import Grants, grants_of
from enterprise_catalog.apps.catalog.api_versions import Surface
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.catalogs import ServedCatalog, ServedPage, served_catalog, served_page
from enterprise_catalog.apps.catalog.reading.pages import Cut
from enterprise_catalog.apps.core.db.row_lookup import Part, PreparedLookup
from enterprise_catalog.apps.core.uuids import parse_uuid


@dataclass(frozen=True)
class Access:
    """What a caller must have for a customer, and what a refusal says (ROLE-7)."""

    refusal: str
    allows: Callable[[Grants, UUID | None], bool]

    def require(self, grants: Grants, customer: UUID | None) -> None:
        if not self.allows(grants, customer):
            raise PermissionDenied(self.refusal)


_ADMIN_REFUSAL = "MISSING: catalog.has_admin_access"
LEARNER = Access("MISSING: catalog.has_learner_access", Grants.has_learner_access)
ADMIN = Access(_ADMIN_REFUSAL, Grants.has_admin_access)
VIEW = Access(_ADMIN_REFUSAL, Grants.may_view)
ADD = Access(_ADMIN_REFUSAL, Grants.may_add)
CHANGE = Access(_ADMIN_REFUSAL, Grants.may_change)


def catalogs_with_queries() -> QuerySet[EnterpriseCatalog]:
    """A content filter may be a megabyte; whoever needs it loads it."""
    return EnterpriseCatalog.objects.select_related("catalog_query").defer("catalog_query__content_filter")


def _with_query(catalog: EnterpriseCatalog, query: CatalogQuery) -> EnterpriseCatalog:
    EnterpriseCatalog._meta.get_field("catalog_query").set_cached_value(catalog, query)
    return catalog


_catalog_with: PreparedLookup[EnterpriseCatalog] = PreparedLookup(
    "{catalog} JOIN {query} ON {query}.id = {catalog}.catalog_query_id WHERE {catalog}.uuid = %s",
    _with_query,
    catalog=Part(EnterpriseCatalog),
    query=Part(CatalogQuery, without=["content_filter"]),
)


def catalog_with(uuid: UUID) -> EnterpriseCatalog | None:
    """The catalog with its query, which is loaded without its filter."""
    return _catalog_with(uuid.hex)


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
