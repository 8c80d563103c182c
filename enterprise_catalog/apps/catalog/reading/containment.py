"""
Find out which keys are in which queries, and through which member (CONT-1).

Keys are exact here. What a caller wrote becomes keys in `catalog.reading.identifiers`.

One statement probes indexes. Its cost depends on the number of keys and queries in question, not on the number of
members (P9). It is written in SQL, since rules are easiest to compare side by side, and it runs for every enrollment.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from enum import IntEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from enterprise_catalog.apps.catalog.api_versions import V1, ApiVersion
from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import (
    AllowedRun,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    NestedRun,
    Visibility,
)
from enterprise_catalog.apps.core.db.batching import batches_for_statements, escaped_length
from enterprise_catalog.apps.core.db.replica import read_connection
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.core.fields import is_storable_key

# A statement repeats each key up to five times; SQLite takes 32,766 parameters.
_KEYS_PER_STATEMENT = 1000
# Bytes that a key takes in a statement beside itself: quotes, comma and blank.
_KEY_BYTES = 4

_TABLES = {
    "query": CatalogQuery._meta.db_table,
    "membership": CatalogContentKey._meta.db_table,
    "content": ContentMetadata._meta.db_table,
    "nested_run": NestedRun._meta.db_table,
    "allowed_run": AllowedRun._meta.db_table,
    "catalog": EnterpriseCatalog._meta.db_table,
}

_MATCHES = """
    -- 1. the key is a member
    SELECT member.catalog_query_id, member.content_key AS asked, member.content_key AS held, 1 AS rule
      FROM {membership} member
     WHERE member.catalog_query_id IN ({queries}) AND member.content_key IN ({keys}) AND member.{visibility} > {hidden}
 UNION ALL
    -- 2. the key is the course of a member run
    SELECT member.catalog_query_id, run.parent_content_key, member.content_key, 2
      FROM {content} run
      JOIN {membership} member ON member.content_key = run.content_key AND member.catalog_query_id IN ({queries})
     WHERE run.parent_content_key IN ({keys}) AND member.{visibility} > {hidden}
 UNION ALL
    -- 3. the key is a run inside a member course
    SELECT member.catalog_query_id, nested.run_key, member.content_key, 3
      FROM {nested_run} nested
      JOIN {membership} member ON member.content_key = nested.course_key AND member.catalog_query_id IN ({queries})
     WHERE nested.run_key IN ({keys}) AND NOT nested.restricted AND member.{visibility} > {hidden}
 UNION ALL
    -- 4. the key is a run that names a member course as its own, while some query holds that run (CONT-8)
    SELECT member.catalog_query_id, run.content_key, member.content_key, 4
      FROM {content} run
      JOIN {membership} member ON member.content_key = run.parent_content_key AND member.catalog_query_id IN ({queries})
     WHERE run.content_key IN ({keys}) AND NOT run.restricted AND member.{visibility} > {hidden}
       AND EXISTS (SELECT 1 FROM {membership} holder WHERE holder.content_key = run.content_key)
"""

# One row for each query that exists, from the same moment. A query that is gone would seem to contain nothing.
_QUERIES = """
 UNION ALL
    SELECT query.id, NULL, NULL, 0 FROM {query} query WHERE query.id IN ({queries})
"""

_ALLOWED_MATCHES = """
 UNION ALL
    -- 5. the key is a restricted run that the query allows, inside a member course (V2-3)
    SELECT member.catalog_query_id, allowed.run_key, member.content_key, 5
      FROM {allowed_run} allowed
      JOIN {membership} member
        ON member.content_key = allowed.course_key AND member.catalog_query_id = allowed.catalog_query_id
     WHERE allowed.catalog_query_id IN ({queries}) AND allowed.run_key IN ({keys}) AND member.{visibility} > {hidden}
"""

# Stands for a list of queries: the query of each member.
_ANY_QUERY = "member.catalog_query_id"

# Catalogs in their order (COM-9), each at least once. Django takes longer to compile this query than databases take to
# answer it.
_OF_CATALOGS = """
   SELECT catalog.uuid, catalog.enterprise_uuid, matches.asked
     FROM {catalog} catalog
LEFT JOIN ({matches}) matches ON matches.catalog_query_id = catalog.catalog_query_id
    WHERE catalog.{chosen_by} = %s
 ORDER BY catalog.created, catalog.uuid
"""

# Stands for a list of queries: those of the chosen catalogs.
_CHOSEN_QUERIES = "SELECT chosen.catalog_query_id FROM {catalog} chosen WHERE chosen.{chosen_by} = %s"

_OF_CUSTOMER = """
    SELECT uuid, catalog_query_id FROM {catalog} WHERE enterprise_uuid = %s
"""


class Rule(IntEnum):
    """How a key is contained, by the numbers of the comments above."""

    MEMBER = 1
    COURSE_OF_MEMBER = 2
    NESTED_RUN = 3
    RUN_OF_COURSE = 4
    ALLOWED_RUN = 5


class Match(NamedTuple):
    """The key `asked` is in the query because `member` is a member of it."""

    query_id: int
    asked: str
    member: str
    # A value of Rule.
    rule: int


class CatalogMatches(NamedTuple):
    """A catalog with its customer, and those of the given keys that it contains."""

    uuid: UUID
    enterprise_uuid: UUID
    contained: set[str]


def matches_in_catalog(uuid: UUID, *, keys: Collection[str], api_version: ApiVersion = V1) -> CatalogMatches | None:
    """Which of the keys a catalog contains; None without such a catalog."""
    return next(iter(_of_catalogs("uuid", uuid, keys, api_version)), None)


def matches_in_catalogs_of(
    customer: UUID, *, keys: Collection[str], api_version: ApiVersion = V1
) -> list[CatalogMatches]:
    """Which of the keys each catalog of a customer contains, also if none, in the order of catalogs (COM-9)."""
    return _of_catalogs("enterprise_uuid", customer, keys, api_version)


def queries_of_customer(customer: UUID) -> dict[UUID, int]:
    """The query that each catalog of a customer is attached to, by the catalog's uuid."""
    with read_connection().cursor() as cursor:
        cursor.execute(_OF_CUSTOMER.format(**_TABLES), [customer.hex])
        return {UUID(uuid): query_id for uuid, query_id in cursor.fetchall()}


def find_matches(*, query_ids: Collection[int], keys: Collection[str], api_version: ApiVersion = V1) -> list[Match]:
    """
    Every way in which one of the keys is contained in one of the queries, in no particular order.

    Raises QueryGone if one of the queries does not exist.
    """
    return list(_matches(sorted(set(query_ids)), keys, api_version))


def matching_pairs(
    *, query_ids: Collection[int], keys: Collection[str], api_version: ApiVersion = V1
) -> set[tuple[int, str]]:
    """The pairs (query id, key) for which the key is contained in the query."""
    return {
        (match.query_id, match.asked) for match in find_matches(query_ids=query_ids, keys=keys, api_version=api_version)
    }


def contained_keys(*, query_ids: Collection[int], keys: Collection[str], api_version: ApiVersion = V1) -> set[str]:
    """Those of the keys that at least one query contains, all read from one snapshot (P2)."""
    with snapshot():
        return {match.asked for match in find_matches(query_ids=query_ids, keys=keys, api_version=api_version)}


def queries_containing(key: str, *, api_version: ApiVersion = V1) -> QuerySet[CatalogQuery]:
    """A queryset of all queries that contain the key, by the same rules. It is not evaluated here."""
    if not key or not is_storable_key(key):
        return CatalogQuery.objects.none()
    template = _template(api_version)
    matches = _statement(template, api_version, queries=_ANY_QUERY, keys="%s")
    parameters: list[Any] = [key] * template.count("{keys}")
    # In a derived table MariaDB evaluates the union once, otherwise once for each row outside.
    containing = RawSQL(f"SELECT matches.catalog_query_id FROM ({matches}) matches", parameters)  # noqa: S608, S611
    return CatalogQuery.objects.filter(pk__in=containing)


def _template(api_version: ApiVersion) -> str:
    return _MATCHES + (_ALLOWED_MATCHES if api_version.shows_allowed_runs else "")


def _statement(template: str, api_version: ApiVersion, *, queries: str, keys: str) -> str:
    """Only names of tables and columns go into the text of a statement; values are parameters."""
    return template.format(
        **_TABLES, queries=queries, keys=keys, visibility=api_version.visibility_column, hidden=Visibility.HIDDEN.value
    )


def _of_catalogs(chosen_by: str, value: UUID, keys: Collection[str], api_version: ApiVersion) -> list[CatalogMatches]:
    template = _template(api_version)
    rules = template.count("{keys}")
    queries = _CHOSEN_QUERIES.format(**_TABLES, chosen_by=chosen_by)
    # Without a storable key the catalogs are still found: nothing equals NULL.
    chunks: Sequence[Sequence[str | None]] = list(_in_chunks(keys, rules)) or [[None]]
    found: dict[str, CatalogMatches] = {}
    with snapshot() if len(chunks) > 1 else nullcontext():
        for chunk in chunks:
            matches = _statement(template, api_version, queries=queries, keys=_places(chunk))
            statement = _OF_CATALOGS.format(**_TABLES, chosen_by=chosen_by, matches=matches)
            with read_connection().cursor() as cursor:
                cursor.execute(statement, [*[value.hex, *chunk] * rules, value.hex])
                rows = cursor.fetchall()
            for uuid, customer, asked in rows:
                if uuid not in found:
                    found[uuid] = CatalogMatches(UUID(uuid), UUID(customer), set())
                if asked is not None:
                    found[uuid].contained.add(asked)
    return list(found.values())


def _places(values: Collection[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _in_chunks(keys: Collection[str], rules: int) -> Iterator[tuple[str, ...]]:
    """The storable keys, in batches that fit a statement with this number of rules."""
    return batches_for_statements(
        sorted({key for key in keys if key and is_storable_key(key)}),
        size=lambda key: rules * (_KEY_BYTES + escaped_length(key)),
        rows_at_most=_KEYS_PER_STATEMENT,
    )


def _matches(query_ids: list[int], keys: Collection[str], api_version: ApiVersion) -> Iterator[Match]:
    if not query_ids:
        return
    template = _template(api_version) + _QUERIES
    rules = template.count("{keys}")
    for chunk in _in_chunks(keys, rules):
        statement = _statement(template, api_version, queries=_places(query_ids), keys=_places(chunk))
        parameters: list[int | str] = [*query_ids, *chunk]
        with read_connection().cursor() as cursor:
            cursor.execute(statement, [*parameters * rules, *query_ids])
            rows = cursor.fetchall()
        matches = [Match(*row) for row in rows if row[1] is not None]
        if len(rows) - len(matches) < len(query_ids):
            raise QueryGone
        yield from matches
