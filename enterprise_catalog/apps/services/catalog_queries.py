"""
Catalog queries as a caller meets them: which they may see and edit (PERM-10, PERM-19, QRY-7), and what resolving their
wish comes to.

Roles are judged against the catalogs attached right now, asked of the database each time.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from uuid import UUID

from django.db.models import Q, QuerySet

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.content_filters.directives import RESTRICTED_RUNS_KEY
from enterprise_catalog.apps.catalog.exceptions import QueryConflict
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.queries.plan_steps import Attach, Resolution
from enterprise_catalog.apps.catalog.queries.resolution import QueryWish, plan_query, resolve_query
from enterprise_catalog.apps.services.errors import InvalidValues
from enterprise_catalog.apps.services.refreshes import end_runs_of_replaced_query, tell_runs_the_uuid_of

# What a wish is refused for by the field it came in, up to the uuid of the query that is in the way (QRY-6).
_TAKEN = {
    "query_title": "This title is already used by catalog query",
    "content_filter": "This content filter is already used by catalog query",
}


def may_edit_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """QRY-7: nobody else's catalog may change with it."""
    return query.pk in _editable([query.pk], grants=grants)


def may_see_query(query: CatalogQuery, *, grants: Grants) -> bool:
    """One of its catalogs is the caller's; provisioning sees no queries."""
    return grants.administers_any(_customers_of(query)) or grants.may_view_every_query


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


def resolve_wish(wish: QueryWish, *, grants: Grants) -> Resolution:
    """The query to attach to, found, made or changed. Raises InvalidValues (QRY-6)."""
    try:
        resolution = resolve_query(wish=wish, may_edit=partial(may_edit_query, grants=grants))
    except QueryConflict as conflict:
        raise InvalidValues(taken_errors(conflict.owners, grants=grants)) from conflict
    if resolution.replaced_query_id is not None:
        end_runs_of_replaced_query(replacement=resolution.query)
    if resolution.uuid_changed:
        tell_runs_the_uuid_of(resolution.query)
    return resolution


def taken_errors(owners: Mapping[str, CatalogQuery], *, grants: Grants) -> dict[str, list[str]]:
    """QRY-6, for the queries that have a title or filter already; their uuids only for who may see them."""
    return {
        field: [f"{_TAKEN[field]} {owner.uuid}." if may_see_query(owner, grants=grants) else _TAKEN[field]]
        for field, owner in owners.items()
    }


def refuse_restricted_runs(wish: QueryWish, *, attached_query_id: int | None, grants: Grants) -> None:
    """
    Only operators and provisioning say which restricted runs a filter allows (V2-1), whether they write the filter or
    attach a query that has it. What the catalog's query (None: it is new) holds already may be sent back, or left out;
    but not be carried into another query, whose other catalogs would follow. The filters compared with stay locked.
    Raises InvalidValues.
    """
    wanted = wish.content_filter.get(RESTRICTED_RUNS_KEY)
    if wanted is None or grants.may_allow_restricted_runs:
        return
    involved = CatalogQuery.objects.select_for_update().filter(Q(pk=attached_query_id or 0) | Q(uuid=wish.uuid))
    held = {query.pk: query.content_filter.get(RESTRICTED_RUNS_KEY) for query in involved.order_by("pk")}
    if attached_query_id not in held or any(value != wanted for value in held.values()):
        raise InvalidValues({"content_filter": [f"{RESTRICTED_RUNS_KEY} may be set by operators only."]})


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
