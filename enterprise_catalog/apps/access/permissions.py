"""What a caller must have for a customer or a query, and what a refusal says (ROLE-7)."""

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


def require_admin_of_some(request: Request) -> Grants:
    """Admins of any customer, operators, and who may see all queries in the admin."""
    grants = grants_of(request)
    if not (grants.administers_somebody or grants.may_view_every_query):
        raise PermissionDenied
    return grants


def require_operator(request: Request, *, or_permission: str) -> None:
    """Operators, and staff with this permission of Django's, who may do the same in the admin (PERM-17)."""
    grants = grants_of(request)
    if not (grants.is_operator or grants.permits(or_permission)):
        raise PermissionDenied


VIEWER = Access("Missing: enterprise.can_view_catalog", Grants.has_admin_access)


def may_edit_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """QRY-7: nobody else's catalog may change with it."""
    return query.pk in _editable([query.pk], grants=grants)


def may_see_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """One of its catalogs is the caller's; provisioning sees no queries."""
    return grants.administers_any(_customers_of(query)) or grants.may_view_every_query


def may_see_runs_of_query(query_id: int | None, *, grants: Grants) -> bool:
    """Admins of a customer that uses the query; a run of a query nobody uses is for operators (PERM-13, PERM-19)."""
    catalogs = EnterpriseCatalog.objects.filter(catalog_query_id=query_id)
    customers = set(catalogs.values_list("enterprise_uuid", flat=True))
    return any(grants.may_manage(customer) for customer in customers) if customers else grants.is_operator


def queries_to_show_titles_of(queries: Iterable[CatalogQuery], *, grants: Grants) -> set[int]:
    """
    The ids of those whose title is this caller's to know: who may not edit a query may have come to it by its filter,
    and the title is another customer's (CRUD-1). One statement for any number, none where none has a title.
    """
    titled = {query.pk for query in queries if query.title is not None}
    if not titled:
        return titled
    editable = _editable(titled, grants=grants)
    return titled if editable != titled and grants.may_view_every_query else editable


def visible_queries(*, grants: Grants) -> QuerySet[CatalogQuery]:
    """All that this caller may see, in their order (PERM-9, PERM-19, COM-9)."""
    customers = grants.administered_customers()
    if customers is None or grants.may_view_every_query:
        return CatalogQuery.objects.all()
    catalogs = EnterpriseCatalog.objects.filter(enterprise_uuid__in=customers)
    return CatalogQuery.objects.filter(pk__in=catalogs.values("catalog_query"))


def _editable(query_ids: Collection[int], *, grants: Grants) -> set[int]:
    """QRY-7, for many at once."""
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
