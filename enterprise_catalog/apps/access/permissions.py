"""Check what a caller may do with a customer, a query or its runs, and word refusals (ROLE-7)."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.roles import Grants, grants_of
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog


@dataclass(frozen=True)
class Access:
    """A permission on a customer, with the message of its refusal (ROLE-7)."""

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


def require_admin_of_some(request: Request) -> Grants:
    """Return the grants of admins of any customer, and of staff who may see all queries. Raises PermissionDenied."""
    grants = grants_of(request)
    if not (grants.administers_any_customer or grants.may_view_every_query):
        raise PermissionDenied
    return grants


def require_operator(request: Request, *, or_permission: str) -> None:
    """Raise PermissionDenied unless the caller is an operator, or staff with this permission of Django's (PERM-17)."""
    grants = grants_of(request)
    if not (grants.is_operator or grants.permits(or_permission)):
        raise PermissionDenied


VIEWER = Access("Missing: enterprise.can_view_catalog", Grants.has_admin_access)


def may_edit_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """Return whether every catalog that would change with the query is the caller's to change (QRY-7)."""
    return query.pk in _editable([query.pk], grants=grants)


def may_see_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """Return whether one of its catalogs is the caller's. The provisioning role sees no queries."""
    return grants.administers_any(_customers_of(query)) or grants.may_view_every_query


def may_see_runs_of_query(query_id: int | None, *, grants: Grants) -> bool:
    """Return whether a customer of the query is the caller's. Unused queries are for operators (PERM-13, PERM-19)."""
    catalogs = EnterpriseCatalog.objects.filter(catalog_query_id=query_id)
    customers = set(catalogs.values_list("enterprise_uuid", flat=True))
    return any(grants.may_manage(customer) for customer in customers) if customers else grants.is_operator


def queries_to_show_titles_of(queries: Iterable[CatalogQuery], *, grants: Grants) -> set[int]:
    """
    Return the ids of the queries whose titles the caller may see.

    Callers who may not edit a query may have found it by its filter, and then its title is another customer's (CRUD-1).
    Takes one statement for any number of queries, and none if none has a title.
    """
    titled = {query.pk for query in queries if query.title is not None}
    if not titled:
        return titled
    editable = _editable(titled, grants=grants)
    return titled if editable != titled and grants.may_view_every_query else editable


def visible_queries(*, grants: Grants) -> QuerySet[CatalogQuery]:
    """Return the queries that the caller may see, in order (PERM-9, PERM-19, COM-9)."""
    customers = grants.administered_customers()
    if customers is None or grants.may_view_every_query:
        return CatalogQuery.objects.all()
    catalogs = EnterpriseCatalog.objects.filter(enterprise_uuid__in=customers)
    return CatalogQuery.objects.filter(pk__in=catalogs.values("catalog_query"))


def _editable(query_ids: Collection[int], *, grants: Grants) -> set[int]:
    """Return which of these queries the caller may edit (QRY-7)."""
    if grants.may_change_every_query:
        return set(query_ids)
    customers: dict[int, set[UUID]] = {}
    catalogs = EnterpriseCatalog.objects.filter(catalog_query__in=query_ids).order_by()
    for query_id, customer in catalogs.values_list("catalog_query_id", "enterprise_uuid").distinct():
        customers.setdefault(query_id, set()).add(customer)
    return {query_id for query_id, of_query in customers.items() if all(map(grants.has_admin_access, of_query))}


def _customers_of(query: CatalogQuery) -> set[UUID]:
    catalogs = EnterpriseCatalog.objects.filter(catalog_query=query).order_by()
    return set(catalogs.values_list("enterprise_uuid", flat=True).distinct())
