"""
Containment: which of these keys are in these queries, and through which member (CONT-1).

One statement, index probes only: its cost depends on how many keys and queries are asked about, never on how many
members they have (P9). It is written in SQL because the four rules read best side by side, and because it runs for
every enrollment.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.db import connection

from enterprise_catalog.apps.catalog.models import CatalogContentKey, ContentMetadata, NestedRun, Standing
from enterprise_catalog.apps.core.db import in_chunks, snapshot
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH

# Each key stands four times in the statement; SQLite takes 32,766 parameters.
_KEYS_PER_STATEMENT = 1000

_TABLES = {
    "membership": CatalogContentKey._meta.db_table,
    "content": ContentMetadata._meta.db_table,
    "nested_run": NestedRun._meta.db_table,
}

_MATCHES = """
    -- 1. the key is a member
    SELECT member.catalog_query_id, member.content_key, member.content_key
      FROM {membership} member
     WHERE member.catalog_query_id IN ({queries}) AND member.content_key IN ({keys}) AND member.standing_v1 > {hidden}
 UNION ALL
    -- 2. the key is the course of a member run
    SELECT member.catalog_query_id, run.parent_content_key, member.content_key
      FROM {content} run
      JOIN {membership} member ON member.content_key = run.content_key AND member.catalog_query_id IN ({queries})
     WHERE run.parent_content_key IN ({keys}) AND member.standing_v1 > {hidden}
 UNION ALL
    -- 3. the key is a run inside a member course
    SELECT member.catalog_query_id, nested.run_key, member.content_key
      FROM {nested_run} nested
      JOIN {membership} member ON member.content_key = nested.course_key AND member.catalog_query_id IN ({queries})
     WHERE nested.run_key IN ({keys}) AND NOT nested.restricted AND member.standing_v1 > {hidden}
 UNION ALL
    -- 4. the key is a run that names a member course as its own, while some query holds that run (CONT-8)
    SELECT member.catalog_query_id, run.content_key, member.content_key
      FROM {content} run
      JOIN {membership} member ON member.content_key = run.parent_content_key AND member.catalog_query_id IN ({queries})
     WHERE run.content_key IN ({keys}) AND NOT run.restricted AND member.standing_v1 > {hidden}
       AND EXISTS (SELECT 1 FROM {membership} holder WHERE holder.content_key = run.content_key)
"""


class Match(NamedTuple):
    """`asked` is in the query because `member` is a member of it."""

    query_id: int
    asked: str
    member: str


def find_matches(*, query_ids: Collection[int], keys: Collection[str]) -> list[Match]:
    """Every way in which one of the keys is contained in one of the queries, in no particular order."""
    return list(_matches(sorted(set(query_ids)), sorted(set(keys))))


def matching_pairs(*, query_ids: Collection[int], keys: Collection[str]) -> set[tuple[int, str]]:
    """The pairs (query id, key) for which the key is contained in the query."""
    return {(match.query_id, match.asked) for match in find_matches(query_ids=query_ids, keys=keys)}


def contained_keys(*, query_ids: Collection[int], keys: Collection[str]) -> set[str]:
    """Those of the keys that some query contains, all judged at one moment however many they are (P2)."""
    with snapshot():
        return {match.asked for match in _matches(sorted(set(query_ids)), sorted(set(keys)))}


def _matches(query_ids: list[int], keys: list[str]) -> Iterator[Match]:
    # Longer keys cannot be stored, so they match nothing (COM-16); NUL is no text to some drivers.
    known = [key for key in keys if key and len(key) <= CONTENT_KEY_MAX_LENGTH and "\x00" not in key]
    if not query_ids or not known:
        return
    for chunk in in_chunks(known, _KEYS_PER_STATEMENT):
        statement = _MATCHES.format(
            **_TABLES,
            queries=", ".join(["%s"] * len(query_ids)),
            keys=", ".join(["%s"] * len(chunk)),
            hidden=Standing.HIDDEN.value,
        )
        parameters: list[int | str] = [*query_ids, *chunk]
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters * 4)
            yield from (Match(*row) for row in cursor.fetchall())
