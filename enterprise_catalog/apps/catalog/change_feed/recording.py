"""
Write change rows: what joined and left a query, or one catalog (CHG-2).

All change rows are written here, inside the transaction that changes the members and while the query is locked. What v1
hides from everybody joins and leaves unseen (V2-3).
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection
from more_itertools import chunked

from enterprise_catalog.apps.catalog.change_feed.attachment_periods import record_periods
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    Visibility,
)
from enterprise_catalog.apps.core.db.clock import database_now

_CATALOGS_PER_STATEMENT = 500
_ROWS_PER_STATEMENT = 1000
_NO_QUERY = 0

# A catalog may hold many thousands of items, so the database compares the members itself. `change` is a keyword on
# MySQL, hence the quoted names.
_RECORD_MEMBERS_OF_ONE_ONLY = """
    INSERT INTO {changes} (catalog_query_id, enterprise_catalog_id, content_key, content_type, {change}, changed_at)
    SELECT %s, catalog.uuid, member.content_key, content.content_type, %s, %s
      FROM {membership} member
      JOIN {content} content ON content.content_key = member.content_key
      JOIN {catalog} catalog ON catalog.uuid IN ({catalogs})
     WHERE member.catalog_query_id = %s
       AND member.standing_v1 > %s
       AND NOT EXISTS (
           SELECT 1 FROM {membership} other
            WHERE other.catalog_query_id = %s AND other.content_key = member.content_key
           )
     ORDER BY member.content_key
"""


def record_changes(
    changes: Iterable[tuple[int, ContentMetadata, CatalogContentChange.Change]],
    *,
    changed_at: datetime,
    run_uuid: UUID | None = None,
) -> None:
    """Record for all catalogs of a query (by id) that a content joined or left it; `run_uuid` is the run's, if any."""
    CatalogContentChange.objects.bulk_create(
        (
            CatalogContentChange(
                catalog_query_id=query_id,
                content_key=content.content_key,
                content_type=content.content_type,
                change=change,
                refresh_run_uuid=run_uuid,
                changed_at=changed_at,
            )
            for query_id, content, change in changes
        ),
        batch_size=_ROWS_PER_STATEMENT,
    )


def record_attachment(*, catalogs: Collection[UUID], query_id: int, previous_query_id: int | None) -> None:
    """
    Record that these catalogs are attached to a query, and how its members differ from those of their previous query.

    A new catalog has no previous query (None). Called inside the transaction that attaches; locks both queries until
    that ends, so that no publish comes in between.
    """
    queries = CatalogQuery.objects.filter(pk__in=[query_id, previous_query_id]).order_by("pk")
    list(queries.select_for_update().values_list("pk"))
    steps = [(CatalogContentChange.Change.ADDED, query_id, previous_query_id or _NO_QUERY)]
    if previous_query_id is not None:
        steps.insert(0, (CatalogContentChange.Change.REMOVED, previous_query_id, query_id))
    now = connection.ops.adapt_datetimefield_value(database_now())
    for uuids in chunked(catalogs, _CATALOGS_PER_STATEMENT):
        for change, members_of, not_of in steps:
            hexes = [uuid.hex for uuid in uuids]
            parameters = [query_id, change.value, now, *hexes, members_of, Visibility.HIDDEN.value, not_of]
            with connection.cursor() as cursor:
                cursor.execute(_statement(len(uuids)), parameters)
        record_periods(uuids, query_id, previous_query_id)


def _statement(catalog_count: int) -> str:
    quote = connection.ops.quote_name
    return _RECORD_MEMBERS_OF_ONE_ONLY.format(
        changes=quote(CatalogContentChange._meta.db_table),
        change=quote("change"),
        membership=quote(CatalogContentKey._meta.db_table),
        content=quote(ContentMetadata._meta.db_table),
        catalog=quote(EnterpriseCatalog._meta.db_table),
        catalogs=", ".join(["%s"] * catalog_count),
    )
