"""
Resolve a requested query to the row that a catalog is attached to (QRY-1 to QRY-7, QRY-9).

Customers share queries, so resolution is copy-on-write: a shared row changes only for callers who may edit it, and
other callers get another row. `plan_query` decides and `catalog.queries.resolution_steps` writes, so that a decision
can be made without writing. Nothing here knows callers: `may_edit` is a function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.exceptions import QueryConflict
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.catalog.queries.resolution_steps import (
    Attach,
    Create,
    Name,
    Resolution,
    Rewrite,
    Step,
    TakeOver,
)

# A lost round means that another writer has made progress, so few are needed.
_ROUNDS = 10

MayEdit = Callable[[CatalogQuery], bool]


@dataclass(frozen=True)
class RequestedQuery:
    """The filter, uuid and title that a caller sent. None keeps the present title."""

    content_filter: dict[str, Any]
    uuid: UUID | None = None
    title: str | None = None


def resolve_query(*, requested: RequestedQuery, may_edit: MayEdit) -> Resolution:
    """
    Find, create or change the query, which stays locked. Call this inside a transaction. Raises QueryConflict.

    If two callers create the same query at once, the one that loses finds the other's in the next round.
    """
    for _ in range(_ROUNDS):
        step = plan_query(requested=requested, may_edit=may_edit)
        try:
            with transaction.atomic():
                return step.apply()
        except IntegrityError:
            continue
    raise RuntimeError(f"the query for filter {content_filter_hash(requested.content_filter)} keeps changing")


def plan_query(*, requested: RequestedQuery, may_edit: MayEdit) -> Step:
    """Decide which step to take, and lock the rows on which the decision depends. Raises QueryConflict."""
    by_uuid, by_hash = _locked_candidates(requested)
    if requested.uuid is None:
        return _by_filter(requested, by_hash)
    if by_uuid is None:
        return _under_new_uuid(requested, by_hash, may_edit)
    if by_uuid == by_hash:
        return _unchanged(requested, by_uuid, may_edit)
    if may_edit(by_uuid):
        return _edited(requested, by_uuid, by_hash, may_edit)
    return _by_filter(RequestedQuery(requested.content_filter), by_hash)


def _by_filter(requested: RequestedQuery, by_hash: CatalogQuery | None) -> Step:
    """Get or create by filter. An existing row is never changed (QRY-1)."""
    return Attach(by_hash) if by_hash else _new(requested)


def _unchanged(requested: RequestedQuery, query: CatalogQuery, may_edit: MayEdit) -> Step:
    """Attach, and rename if the caller may (QRY-2)."""
    if requested.title in (None, query.title) or not may_edit(query):
        return Attach(query)
    _refuse(_owner_of_title(requested.title, besides=[query]))
    return Name(query, uuid=None, title=requested.title)


def _edited(requested: RequestedQuery, query: CatalogQuery, by_hash: CatalogQuery | None, may_edit: MayEdit) -> Step:
    """
    Change the filter for all catalogs on this query, or let the query with that filter replace it (QRY-3). A query that
    others use keeps its names then (ADR 0015).
    """
    keeps_names = by_hash is not None and not by_hash.named and not _may_name(by_hash, may_edit)
    owners = {} if keeps_names else _owner_of_title(requested.title, besides=[query])
    if by_hash and by_hash.named:
        owners["content_filter"] = by_hash
    _refuse(owners)
    if by_hash:
        return TakeOver(by_hash, replaced=query, title=requested.title, adopts=not keeps_names)
    return Rewrite(query, requested.content_filter, title=requested.title)


def _under_new_uuid(requested: RequestedQuery, by_hash: CatalogQuery | None, may_edit: MayEdit) -> Step:
    """No query has this uuid. An existing row adopts it only if nobody else relies on the row (QRY-4, QRY-5)."""
    if by_hash is None:
        return _new(requested)
    if by_hash.named or not _may_name(by_hash, may_edit):
        return Attach(by_hash)
    _refuse(_owner_of_title(requested.title))
    return Name(by_hash, uuid=requested.uuid, title=requested.title)


def _may_name(query: CatalogQuery, may_edit: MayEdit) -> bool:
    """True if no catalog of other customers would get a query with another name."""
    return may_edit(query) or not query.catalogs.exists()


def _new(requested: RequestedQuery) -> Step:
    _refuse(_owner_of_title(requested.title))
    return Create(requested.content_filter, uuid=requested.uuid, title=requested.title)


def _owner_of_title(title: str | None, besides: list[CatalogQuery] | None = None) -> dict[str, CatalogQuery]:
    if title is None:
        return {}
    others = CatalogQuery.objects.exclude(pk__in=[query.pk for query in besides or []])
    owner = others.filter(title=title).defer("content_filter").first()
    return {"query_title": owner} if owner else {}


def _refuse(owners: dict[str, CatalogQuery]) -> None:
    if owners:
        raise QueryConflict(owners)


def _locked_candidates(requested: RequestedQuery) -> tuple[CatalogQuery | None, CatalogQuery | None]:
    """
    The rows with this uuid and with this filter, locked in the order of their ids.

    They are found first and then locked by id, since a search that locks would also wait for other rows. If one has
    changed in between, both are searched again.
    """
    wanted_hash = content_filter_hash(requested.content_filter)
    wanted = Q(content_filter_hash=wanted_hash)
    if requested.uuid is not None:
        wanted |= Q(uuid=requested.uuid)
    for _ in range(_ROUNDS):
        ids = set(CatalogQuery.objects.filter(wanted).values_list("pk", flat=True))
        rows = list(CatalogQuery.objects.select_for_update().filter(pk__in=ids).order_by("pk").defer("content_filter"))
        by_uuid = next((row for row in rows if row.uuid == requested.uuid), None)
        by_hash = next((row for row in rows if row.content_filter_hash == wanted_hash), None)
        if {row.pk for row in (by_uuid, by_hash) if row} == ids:
            return by_uuid, by_hash
    raise RuntimeError(f"the queries for filter {wanted_hash} keep changing")
