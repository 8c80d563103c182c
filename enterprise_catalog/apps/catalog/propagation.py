"""
Tell every query that holds a content that it changed (DESIGN: write path, store).

Content is shared: when one customer's refresh brings a new document, the pages, counts and ETags of all other queries
that hold it change in the same transaction. Called inside the transaction that wrote the contents, with their rows
locked.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from enterprise_catalog.apps.catalog.items import standing_v1
from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery, ContentMetadata, Standing


def propagate_changes(*, changed: Sequence[ContentMetadata], now: datetime) -> None:
    """
    Move `content_modified` of every holder, and where a change alters what is listed, the listing, counts and
    generation.

    Queries are locked in the order of their ids, after contents, as publishing does: two writers meet in one order.
    """
    standings = {
        row.content_key: standing_v1(content_type=row.content_type, active=row.active, restricted=row.restricted)
        for row in changed
    }
    query_ids = sorted(
        CatalogContentKey.objects.filter(content_id__in=list(standings))
        .values_list("catalog_query_id", flat=True)
        .distinct()
    )
    if not query_ids:
        return
    list(CatalogQuery.objects.select_for_update().filter(pk__in=query_ids).order_by("pk").values_list("pk"))
    listed_more = _move_standings(standings)
    CatalogQuery.objects.filter(pk__in=query_ids).update(content_modified=now)
    for query_id, difference in sorted(listed_more.items()):
        CatalogQuery.objects.filter(pk=query_id).update(
            count_v1=F("count_v1") + difference, generation=F("generation") + 1
        )


def _move_standings(standings: dict[str, Standing]) -> dict[int, int]:
    """Update memberships whose standing changed; returns how many more items each of their queries lists now."""
    memberships = CatalogContentKey.objects.filter(content_id__in=list(standings))
    moved = [
        (pk, query_id, before, standings[key])
        for pk, query_id, key, before in memberships.values_list("pk", "catalog_query_id", "content_id", "standing_v1")
        if standings[key] != before
    ]
    for standing in Standing:
        ids = [pk for pk, _, _, after in moved if after == standing]
        if ids:
            CatalogContentKey.objects.filter(pk__in=ids).update(standing_v1=standing)
    listed_more: dict[int, int] = {}
    for _, query_id, before, after in moved:
        difference = (after == Standing.LISTED) - (before == Standing.LISTED)
        listed_more[query_id] = listed_more.get(query_id, 0) + difference
    return listed_more
