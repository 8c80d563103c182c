"""
Update every query that has a content as a member when the item of the content is rendered again.

Queries share content: when one customer's refresh brings a new document, the pages, counts, changes and ETags of all
other queries with this content change in the same transaction. Call this inside the transaction that wrote the
contents, with their rows locked.
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
    Increase `items_version` of every query with one of the rendered contents, and render its overrides. If visibilities
    change, update counts and generation and record the changes. Set `content_modified` of queries with a modified
    content (META-21).

    Queries are locked in the order of their ids, after contents, as publishing does, so that writers do not deadlock.
    Returns the contents whose override in some query could not be built and stays as it was, each with the reason.
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
    changes = recompute_visibility(CatalogContentKey.objects.filter(content_id__in=keys).order_by("pk"))
    _record_hidden_and_shown(changes, now)
    return stale


def _holders(content_keys: Collection[str]) -> set[int]:
    holders = CatalogContentKey.objects.filter(content_id__in=content_keys).values_list("catalog_query_id", flat=True)
    return set(holders.distinct())


def _record_hidden_and_shown(changes: Sequence[VisibilityChange], now: datetime) -> None:
    """Record that a member left if v1 hides it from now on, and that it joined if v1 hid it before (CHG-2, V2-3)."""
    joined, left = CatalogContentChange.Change.ADDED, CatalogContentChange.Change.REMOVED
    rows = (
        (member.catalog_query_id, member.content, left if after.v1 == Visibility.HIDDEN else joined)
        for member, before, after in changes
        if (before.v1 == Visibility.HIDDEN) != (after.v1 == Visibility.HIDDEN)
    )
    record_changes(rows, changed_at=now)
