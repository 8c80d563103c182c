"""
Catalog queries as a caller meets them: which they may see and edit (PERM-10, PERM-19, QRY-7), and what resolving their
wish comes to.

Roles are judged against the catalogs attached right now, asked of the database each time.
"""

from functools import partial
from uuid import UUID

from django.db.models import QuerySet

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.query_changes import Attach, Resolution
from enterprise_catalog.apps.catalog.resolution import QueryConflict, QueryWish, plan_query, resolve_query
from enterprise_catalog.apps.operations.errors import InvalidValues
from enterprise_catalog.apps.operations.refreshes import end_runs_of_replaced_query, tell_runs_the_uuid_of


def may_edit_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """QRY-7: nobody else's catalog may change with it."""
    if grants.is_operator or grants.is_provisioner:
        return True
    customers = _customers_of(query)
    return bool(customers) and all(grants.has_admin_access(customer) for customer in customers)


def may_see_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """One of its catalogs is the caller's; provisioning sees no queries."""
    return grants.administers_any(_customers_of(query)) or grants.is_operator


def visible_queries(*, grants: Grants) -> QuerySet[CatalogQuery]:
    """All that this caller may see, in their order (PERM-9, PERM-19, COM-9)."""
    customers = grants.administered_customers()
    if customers is None:
        return CatalogQuery.objects.all()
    catalogs = EnterpriseCatalog.objects.filter(enterprise_uuid__in=customers)
    return CatalogQuery.objects.filter(pk__in=catalogs.values("catalog_query"))


def resolve_wish(wish: QueryWish, *, grants: Grants) -> Resolution:
    """The query to attach to, found, made or changed. Raises InvalidValues (QRY-6)."""
    try:
        resolution = resolve_query(wish=wish, may_edit=partial(may_edit_query, grants=grants))
    except QueryConflict as conflict:
        raise InvalidValues(conflict.errors) from conflict
    if resolution.replaced_query_id is not None:
        end_runs_of_replaced_query(replacement=resolution.query)
    if resolution.uuid_changed:
        tell_runs_the_uuid_of(resolution.query)
    return resolution


def would_only_attach(wish: QueryWish, *, query_id: int, grants: Grants) -> bool:
    """True when the wish ends at this query and changes nothing. Writes nothing itself (CRUD-5)."""
    try:
        step = plan_query(wish=wish, may_edit=partial(may_edit_query, grants=grants))
    except QueryConflict:
        return False
    return isinstance(step, Attach) and step.query.pk == query_id


def wish_without_filter(
    *, attached_query_id: int, query_uuid: UUID | None, title: str | None, grants: Grants
) -> QueryWish | None:
    """
    What a change means that names a query, or its title, and no filter (CRUD-8); None when it names neither.

    The row whose filter is taken is locked, so that nobody gives it another one before the wish is resolved.
    """
    if query_uuid is None and title is None:
        return None
    queries = CatalogQuery.objects.select_for_update()
    attached = queries.get(pk=attached_query_id)
    if query_uuid is None:
        return QueryWish(attached.content_filter, attached.uuid, title)
    asked = queries.filter(uuid=query_uuid).first()
    if asked is None:
        return QueryWish(attached.content_filter, query_uuid, title)
    if may_see_query(asked, grants=grants):
        return QueryWish(asked.content_filter, query_uuid, title)
    # It counts as unknown, and its uuid cannot be adopted: the catalog stays where it is.
    return None


def _customers_of(query: CatalogQuery) -> set[UUID]:
    catalogs = EnterpriseCatalog.objects.filter(catalog_query=query).order_by()
    return set(catalogs.values_list("enterprise_uuid", flat=True).distinct())
