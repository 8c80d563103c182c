"""
What joins and leaves a catalog when it is attached to a query, as change rows of that catalog alone, and which of the
query's changes are the catalog's from then on (CHG-2).

Set-wise and inside the database: a catalog may hold many thousands of items. Part of the transaction that attaches, and
it holds both queries' locks until that ends, so that no publish comes in between. It never attaches anything itself.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection

from enterprise_catalog.apps.catalog.models import (
    CatalogAttachment,
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    Standing,
)
from enterprise_catalog.apps.core.db.batching import in_chunks
from enterprise_catalog.apps.core.db.clock import database_now

_CATALOGS_PER_STATEMENT = 500
_NO_QUERY = 0

# What v1 hides from everybody joins and leaves unseen (V2-3). `change` is a keyword on MySQL, hence the quoted names.
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


def record_attachment(*, catalogs: Collection[UUID], query_id: int, previous_query_id: int | None) -> None:
    """
    Record for each of these catalogs the difference between the members of its previous query (None: it is new) and of
    the one it is attached to, and that it is.
    """
    queries = CatalogQuery.objects.filter(pk__in=[query_id, previous_query_id]).order_by("pk")
    list(queries.select_for_update().values_list("pk"))
    steps = [(CatalogContentChange.Change.ADDED, query_id, previous_query_id or _NO_QUERY)]
    if previous_query_id is not None:
        steps.insert(0, (CatalogContentChange.Change.REMOVED, previous_query_id, query_id))
    now = connection.ops.adapt_datetimefield_value(database_now())
    for uuids in in_chunks(list(catalogs), _CATALOGS_PER_STATEMENT):
        for change, members_of, not_of in steps:
            hexes = [uuid.hex for uuid in uuids]
            parameters = [query_id, change.value, now, *hexes, members_of, Standing.HIDDEN.value, not_of]
            with connection.cursor() as cursor:
                cursor.execute(_statement(len(uuids)), parameters)
        _record_periods(uuids, query_id, previous_query_id)


def _record_periods(catalogs: Sequence[UUID], query_id: int, previous_query_id: int | None) -> None:
    if previous_query_id is not None:
        open_periods = CatalogAttachment.objects.filter(enterprise_catalog__in=catalogs, ends_with=None)
        open_periods.update(ends_with=latest_change(previous_query_id))
    begins_after = latest_change(query_id)
    CatalogAttachment.objects.bulk_create(
        CatalogAttachment(enterprise_catalog_id=uuid, catalog_query_id=query_id, begins_after=begins_after)
        for uuid in catalogs
    )


def latest_change(query_id: int) -> int:
    """The last one of the query itself so far. Its next one, of whoever waits for our lock, gets a higher id."""
    changes = CatalogContentChange.objects.filter(catalog_query_id=query_id, enterprise_catalog=None)
    return changes.order_by("-id").values_list("id", flat=True).first() or 0


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
