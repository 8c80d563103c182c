"""
Tell every query that holds a content that its item was rendered anew (DESIGN: write path, store).

Content is shared: when one customer's refresh brings a new document, the pages, counts, changes and ETags of all other
queries that hold it change in the same transaction. Called inside the transaction that wrote the contents, with their
rows locked.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F

from enterprise_catalog.apps.catalog.items import standing_v1
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    Standing,
)

Change = CatalogContentChange.Change


class _Move(NamedTuple):
    """A membership whose standing is another one now."""

    pk: int
    query_id: int
    content: ContentMetadata
    before: Standing
    after: Standing


def propagate_changes(*, rendered: Sequence[ContentMetadata], modified: Collection[str], now: datetime) -> None:
    """
    Move `items_version` of every query that holds a rendered content; where what is listed changes with it, the
    listing, counts and generation; and `content_modified` of those that hold a modified one (META-21).

    Queries are locked in the order of their ids, after contents, as publishing does: two writers meet in one order.
    """
    query_ids = sorted(_holders([row.content_key for row in rendered]))
    if not query_ids:
        return
    list(CatalogQuery.objects.select_for_update().filter(pk__in=query_ids).order_by("pk").values_list("pk"))
    CatalogQuery.objects.filter(pk__in=query_ids).update(items_version=F("items_version") + 1)
    if modified:
        CatalogQuery.objects.filter(pk__in=_holders(modified)).update(content_modified=now)
    moves = _moves(rendered)
    _write_standings(moves)
    _record_what_was_hidden_or_shown(moves, now)


def _holders(content_keys: Collection[str]) -> set[int]:
    holders = CatalogContentKey.objects.filter(content_id__in=content_keys).values_list("catalog_query_id", flat=True)
    return set(holders.distinct())


def _moves(rendered: Sequence[ContentMetadata]) -> list[_Move]:
    rows = {row.content_key: row for row in rendered}
    standings = {
        key: standing_v1(content_type=row.content_type, active=row.active, restricted=row.restricted)
        for key, row in rows.items()
    }
    memberships = CatalogContentKey.objects.filter(content_id__in=list(rows)).order_by("pk")
    return [
        _Move(pk, query_id, rows[key], Standing(before), standings[key])
        for pk, query_id, key, before in memberships.values_list("pk", "catalog_query_id", "content_id", "standing_v1")
        if standings[key] != before
    ]


def _write_standings(moves: Sequence[_Move]) -> None:
    for standing in Standing:
        ids = [move.pk for move in moves if move.after == standing]
        if ids:
            CatalogContentKey.objects.filter(pk__in=ids).update(standing_v1=standing)
    listed_more: dict[int, int] = {}
    for move in moves:
        difference = (move.after == Standing.LISTED) - (move.before == Standing.LISTED)
        listed_more[move.query_id] = listed_more.get(move.query_id, 0) + difference
    for query_id, difference in sorted(listed_more.items()):
        CatalogQuery.objects.filter(pk=query_id).update(
            count_v1=F("count_v1") + difference, generation=F("generation") + 1
        )


def _record_what_was_hidden_or_shown(moves: Sequence[_Move], now: datetime) -> None:
    """To its catalogs, what v1 hides from everybody has left, and what it hides no more has joined (CHG-2, V2-3)."""
    CatalogContentChange.objects.bulk_create(
        CatalogContentChange(
            catalog_query_id=move.query_id,
            content_key=move.content.content_key,
            content_type=move.content.content_type,
            change=Change.REMOVED if move.after == Standing.HIDDEN else Change.ADDED,
            changed_at=now,
        )
        for move in moves
        if Standing.HIDDEN in (move.before, move.after)
    )
