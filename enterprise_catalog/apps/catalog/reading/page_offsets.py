"""
Find the key at which a page begins, so that a page deep inside a large catalog costs what the first one costs (P9).

A database finds the n-th entry of an index by counting from its start. So each process caches page checkpoints, which
are every hundredth key that a query lists, by the generation of the query. What a generation lists never changes, so
nothing has to be invalidated.
"""

from datetime import datetime
from functools import lru_cache

from django.conf import settings

from enterprise_catalog.apps.catalog.api_versions import ApiVersion
from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery, Visibility
from enterprise_catalog.apps.core.db.replica import read_connection
from enterprise_catalog.apps.core.db.snapshots import InconsistentRead

CHECKPOINT_INTERVAL = 100

# One statement, so that keys and generation are of one moment.
_LISTED = """
    SELECT query.generation, member.content_key
      FROM {query} query
      JOIN {membership} member ON member.catalog_query_id = query.id
     WHERE query.id = %s AND member.{visibility} = {listed}
  ORDER BY member.content_key
"""


def page_start(*, query: CatalogQuery, offset: int, api_version: ApiVersion) -> tuple[str, int]:
    """
    The key to count from, and the number of listed keys from there on that come before the page. Raises
    InconsistentRead if the query has another generation by now.
    """
    if offset < CHECKPOINT_INTERVAL:
        return "", offset
    checkpoints = _checkpoints(query.pk, query.generation, query.refreshed_at, api_version)
    if not checkpoints:
        return "", offset
    number = min(offset // CHECKPOINT_INTERVAL, len(checkpoints) - 1)
    return checkpoints[number], offset - number * CHECKPOINT_INTERVAL


# `refreshed_at` is part of the key: a restored database may count the same generations again, with other content.
@lru_cache(maxsize=settings.PAGE_CHECKPOINTS_CACHED)
def _checkpoints(
    query_id: int, generation: int, refreshed_at: datetime | None, api_version: ApiVersion
) -> tuple[str, ...]:
    statement = _LISTED.format(
        query=CatalogQuery._meta.db_table,
        membership=CatalogContentKey._meta.db_table,
        visibility=api_version.visibility_column,
        listed=Visibility.LISTED.value,
    )
    with read_connection().cursor() as cursor:
        cursor.execute(statement, [query_id])
        rows = cursor.fetchall()
    if any(found != generation for found, _ in rows[:1]):
        raise InconsistentRead
    return tuple(key for _, key in rows[::CHECKPOINT_INTERVAL])
