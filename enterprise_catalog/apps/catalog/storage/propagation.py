"""
Tell every query that holds a content that its item was rendered anew (DESIGN: write path, store).

Content is shared: when one customer's refresh brings a new document, the pages, counts, changes and ETags of all other
queries that hold it change in the same transaction. Called inside the transaction that wrote the contents, with their
rows locked.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import F

from enterprise_catalog.apps.catalog.change_feed.recording import record_changes
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    Visibility,
)
from enterprise_catalog.apps.catalog.storage.overrides import rerender_overrides
from enterprise_catalog.apps.catalog.storage.visibility import VisibilityChange, recompute_visibility


def propagate_changes(
    *, rendered: Sequence[ContentMetadata], modified: Collection[str], now: datetime
) -> dict[str, str]:
    """
    Move `items_version` of every query that holds a rendered content, and render what it shows of it in its own way;
    where what is listed changes with it, the listing, counts and generation; and `content_modified` of those that hold
    a modified one (META-21).

    Queries are locked in the order of their ids, after contents, as publishing does: two writers meet in one order.
    Returns the contents that some query shows as before, since its own way of showing them could not be built, with
    the reason.
    """
    keys = [row.content_key for row in rendered]
    query_ids = sorted(_holders(keys))
    if not query_ids:
        return {}
    list(CatalogQuery.objects.select_for_update().filter(pk__in=query_ids).order_by("pk").values_list("pk"))
    CatalogQuery.objects.filter(pk__in=query_ids).update(items_version=F("items_version") + 1)
    if modified:
        CatalogQuery.objects.filter(pk__in=_holders(modified)).update(content_modified=now)
    stale = rerender_overrides(keys)
    moves = recompute_visibility(CatalogContentKey.objects.filter(content_id__in=keys).order_by("pk"))
    _record_what_was_hidden_or_shown(moves, now)
    return stale


def _holders(content_keys: Collection[str]) -> set[int]:
    holders = CatalogContentKey.objects.filter(content_id__in=content_keys).values_list("catalog_query_id", flat=True)
    return set(holders.distinct())


def _record_what_was_hidden_or_shown(moves: Sequence[VisibilityChange], now: datetime) -> None:
    """To its catalogs, what v1 hides from everybody has left, and what it hides no more has joined (CHG-2, V2-3)."""
    joined, left = CatalogContentChange.Change.ADDED, CatalogContentChange.Change.REMOVED
    changes = (
        (move.member.catalog_query_id, move.member.content, left if move.after.v1 == Visibility.HIDDEN else joined)
        for move in moves
        if (move.before.v1 == Visibility.HIDDEN) != (move.after.v1 == Visibility.HIDDEN)
    )
    record_changes(changes, changed_at=now)
