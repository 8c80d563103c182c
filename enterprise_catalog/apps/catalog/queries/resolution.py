"""
From what a caller sends about a query to the query a catalog is attached to (QRY-1 to QRY-7, QRY-9).

A query is shared between tenants, so resolution is copy-on-write: a shared row changes only for a caller who may edit
it, and everybody else gets another row. Deciding (`plan_query`) and writing (`catalog.queries.plan_steps`) are apart,
so that the decision alone can be asked for. Nothing here knows of callers: who may edit is a function.
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
from enterprise_catalog.apps.catalog.queries.plan_steps import Attach, Create, Name, Resolution, Rewrite, Step, TakeOver

# Each round lost means that somebody else made progress; a few are plenty.
_ROUNDS = 10

MayEdit = Callable[[CatalogQuery], bool]


@dataclass(frozen=True)
class RequestedQuery:
    """What a caller sent. No title means: leave the title."""

    content_filter: dict[str, Any]
    uuid: UUID | None = None
    title: str | None = None


def resolve_query(*, wish: RequestedQuery, may_edit: MayEdit) -> Resolution:
    """
    Find, make or change the query; it stays locked. Inside the caller's transaction. Raises QueryConflict.

    Two callers may make the same query at once: the one who loses finds the other's in the next round.
    """
    for _ in range(_ROUNDS):
        step = plan_query(wish=wish, may_edit=may_edit)
        try:
            with transaction.atomic():
                return step.apply()
        except IntegrityError:
            continue
    raise RuntimeError(f"the query for filter {content_filter_hash(wish.content_filter)} keeps changing")


def plan_query(*, wish: RequestedQuery, may_edit: MayEdit) -> Step:
    """Decide, locking the rows the decision rests on. Raises QueryConflict."""
    by_uuid, by_hash = _locked_candidates(wish)
    if wish.uuid is None:
        return _by_filter(wish, by_hash)
    if by_uuid is None:
        return _under_new_uuid(wish, by_hash, may_edit)
    if by_uuid == by_hash:
        return _unchanged(wish, by_uuid, may_edit)
    if may_edit(by_uuid):
        return _edited(wish, by_uuid, by_hash, may_edit)
    return _by_filter(RequestedQuery(wish.content_filter), by_hash)


def _by_filter(wish: RequestedQuery, by_hash: CatalogQuery | None) -> Step:
    """QRY-1: get or create by filter; an existing row is never changed."""
    return Attach(by_hash) if by_hash else _new(wish)


def _unchanged(wish: RequestedQuery, query: CatalogQuery, may_edit: MayEdit) -> Step:
    """QRY-2: attach, and rename where that is allowed."""
    if wish.title in (None, query.title) or not may_edit(query):
        return Attach(query)
    _refuse(_owner_of_title(wish.title, besides=[query]))
    return Name(query, uuid=None, title=wish.title)


def _edited(wish: RequestedQuery, query: CatalogQuery, by_hash: CatalogQuery | None, may_edit: MayEdit) -> Step:
    """
    QRY-3: change the filter for all catalogs on this query, or let the row that has that filter take its place. What
    others use keeps its names then (ADR 0015).
    """
    keeps_names = by_hash is not None and not by_hash.named and not _may_name(by_hash, may_edit)
    owners = {} if keeps_names else _owner_of_title(wish.title, besides=[query])
    if by_hash and by_hash.named:
        owners["content_filter"] = by_hash
    _refuse(owners)
    if by_hash:
        return TakeOver(by_hash, replaced=query, title=wish.title, adopts=not keeps_names)
    return Rewrite(query, wish.content_filter, title=wish.title)


def _under_new_uuid(wish: RequestedQuery, by_hash: CatalogQuery | None, may_edit: MayEdit) -> Step:
    """QRY-4, QRY-5: nobody has this uuid. An existing row adopts it only when nobody else relies on the row."""
    if by_hash is None:
        return _new(wish)
    if by_hash.named or not _may_name(by_hash, may_edit):
        return Attach(by_hash)
    _refuse(_owner_of_title(wish.title))
    return Name(by_hash, uuid=wish.uuid, title=wish.title)


def _may_name(query: CatalogQuery, may_edit: MayEdit) -> bool:
    """Nobody else's catalog would be on a query of another name."""
    return may_edit(query) or not query.catalogs.exists()


def _new(wish: RequestedQuery) -> Step:
    _refuse(_owner_of_title(wish.title))
    return Create(wish.content_filter, uuid=wish.uuid, title=wish.title)


def _owner_of_title(title: str | None, besides: list[CatalogQuery] | None = None) -> dict[str, CatalogQuery]:
    if title is None:
        return {}
    others = CatalogQuery.objects.exclude(pk__in=[query.pk for query in besides or []])
    owner = others.filter(title=title).defer("content_filter").first()
    return {"query_title": owner} if owner else {}


def _refuse(owners: dict[str, CatalogQuery]) -> None:
    if owners:
        raise QueryConflict(owners)


def _locked_candidates(wish: RequestedQuery) -> tuple[CatalogQuery | None, CatalogQuery | None]:
    """
    The rows with this uuid and with this filter, locked in the order of their ids.

    Found first and locked by id, since a search that locks would wait for rows it does not want, too. When one changed
    in between, both are searched again.
    """
    wanted_hash = content_filter_hash(wish.content_filter)
    wanted = Q(content_filter_hash=wanted_hash)
    if wish.uuid is not None:
        wanted |= Q(uuid=wish.uuid)
    for _ in range(_ROUNDS):
        ids = set(CatalogQuery.objects.filter(wanted).values_list("pk", flat=True))
        rows = list(CatalogQuery.objects.select_for_update().filter(pk__in=ids).order_by("pk").defer("content_filter"))
        by_uuid = next((row for row in rows if row.uuid == wish.uuid), None)
        by_hash = next((row for row in rows if row.content_filter_hash == wanted_hash), None)
        if {row.pk for row in (by_uuid, by_hash) if row} == ids:
            return by_uuid, by_hash
    raise RuntimeError(f"the queries for filter {wanted_hash} keep changing")
