"""
What is in a catalog: pages of rendered items, cut on the membership index; only that page's items are read (DESIGN:
read path).

Count, keys and generation come from one statement or one snapshot, or are compared afterwards, so that no reader sees
half of a publish (P2). Reads only, of the database only (P6).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from enterprise_catalog.apps.catalog.api_versions import API_VERSIONS, V1, ApiVersion
from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    CatalogQuery,
    ContentDocuments,
    ContentOverride,
    Visibility,
)
from enterprise_catalog.apps.catalog.reading.containment import find_matches
from enterprise_catalog.apps.catalog.reading.page_offsets import QueryState, page_start
from enterprise_catalog.apps.core.db.batching import in_chunks
from enterprise_catalog.apps.core.db.replica import read_connection
from enterprise_catalog.apps.core.db.snapshots import InconsistentRead
from enterprise_catalog.apps.core.packed_json import unpack_bytes

# Items of a streamed answer are read in batches of this many: a few MB at a time, whatever the size of the catalog
# (META-3).
_WALK_BATCH = 100

_TABLES = {
    "query": CatalogQuery._meta.db_table,
    "membership": CatalogContentKey._meta.db_table,
    "documents": ContentDocuments._meta.db_table,
    "override": ContentOverride._meta.db_table,
    "listed": Visibility.LISTED.value,
}

# MariaDB's own choice for a query of 20,000 was the index of the members, in which it looked at all entries before the
# page: 11,000 of them took a millisecond.
_BY_INDEX = {"mysql": "FORCE INDEX (pages_of_query_{api_version})", "sqlite": "INDEXED BY pages_of_query_{api_version}"}

# Its rows are put in order here: MariaDB would write the documents to a temporary table first, and take twice as long.
_ITEMS = """
    SELECT page.content_key, COALESCE(override.{override_column}, documents.{document_column}){empty}
      FROM (SELECT member.content_key
              FROM {membership} member {by_index}
             WHERE member.catalog_query_id = %s AND member.{visibility} = {listed} AND member.content_key >= %s
          ORDER BY member.content_key
             LIMIT %s OFFSET %s) page
      JOIN {documents} documents ON documents.content_key = page.content_key
 LEFT JOIN {override} override ON override.catalog_query_id = %s AND override.content_key = page.content_key
"""

# The query's row comes along even with an empty page, so that count and items are of one moment.
_STATE = """
    SELECT NULL, NULL, query.{count}, query.generation FROM {query} query WHERE query.id = %s
"""

_RENDERED = """
    SELECT documents.content_key, COALESCE(override.{override_column}, documents.{document_column}){empty}
      FROM {documents} documents
 LEFT JOIN {override} override ON override.catalog_query_id = %s AND override.content_key = documents.content_key
     WHERE documents.content_key IN ({keys})
"""


class PageSlice(NamedTuple):
    """The items of a page: these many, after so many others."""

    offset: int
    limit: int


@dataclass(frozen=True)
class ContentPage:
    """
    `items` are rendered items in content key order (COM-9), to be iterated once: unpacked one after the other, each
    uses the memory of the one before. `count` is how many the whole selection lists.
    """

    count: int
    generation: int
    items: Iterable[bytes]


@dataclass(frozen=True)
class ContentStream:
    """
    A whole selection, and the query as it is with these items: `items` may be iterated once, inside the snapshot it
    was made in.
    """

    count: int
    query: QueryState
    items: Iterator[bytes]


def page_of_listed(*, query: QueryState, cut: PageSlice, api_version: ApiVersion = V1) -> ContentPage:
    """One page of what a catalog lists (META-4). Raises QueryGone."""
    with suppress(InconsistentRead):
        first, skipped = page_start(query=query, offset=cut.offset, api_version=api_version)
        page = _page(query.pk, api_version, first=first, cut=PageSlice(skipped, cut.limit))
        if page.generation == query.generation or not first:
            return page
    return _page(query.pk, api_version, first="", cut=cut)


def _page(query_id: int, api_version: ApiVersion, *, first: str, cut: PageSlice) -> ContentPage:
    """Of the listed items from this key on."""
    rows = _rows(_page_statement(api_version), [query_id, query_id, first, cut.limit, cut.offset, query_id])
    return ContentPage(*_state_in(rows), items_of(rows))


def _state_in(rows: Iterable[Sequence[Any]]) -> tuple[int, int]:
    """What `_STATE` brought along: how many are listed, and the generation. Raises QueryGone."""
    state = next((row[2:] for row in rows if row[0] is None), None)
    if state is None:
        raise QueryGone
    # MariaDB makes decimals of what stands in one column with nothing.
    count, generation = map(int, state)
    return count, generation


def with_items(head: str, *, columns: int, api_version: ApiVersion) -> str:
    """
    A statement that brings the one row of `head`, which has two empty columns and then so many, and with it rows of
    items, which have their key and document in these two. After those of `head`, its parameters are the query, the key
    to begin at, how many items, after how many others, and the query again.
    """
    return f"{head} UNION ALL {_statement(_ITEMS, api_version, empty=', NULL' * columns)}"


def items_of(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The items in such rows, in order."""
    return (unpack_bytes(rendered) for _, rendered in _in_order(rows))


def find_members_for_keys(*, query_id: int, content_keys: Sequence[str], api_version: ApiVersion = V1) -> list[str]:
    """What a catalog has for these keys: members, runs of asked courses, courses of asked runs (META-5)."""
    matches = find_matches(query_ids=[query_id], keys=content_keys, api_version=api_version)
    return sorted({match.member for match in matches})


def page_for_keys(
    *, query: QueryState, members: Sequence[str], cut: PageSlice, api_version: ApiVersion = V1
) -> ContentPage:
    """
    One page of what `find_members_for_keys` found after the query's row was read. Raises Moved when they may be of
    another generation than that row, and QueryGone.
    """
    # Without any the state alone: nothing equals NULL.
    content_keys: Sequence[str | None] = members[cut.offset : cut.offset + cut.limit] or [None]
    rows = _rows(_asked_statement(api_version, len(content_keys)), [query.pk, query.pk, *content_keys])
    _, generation = _state_in(rows)
    if generation != query.generation:
        raise InconsistentRead
    return ContentPage(len(members), generation, items_of(rows))


def stream_listed(*, query_id: int, api_version: ApiVersion = V1) -> ContentStream:
    """
    All that a catalog lists, in constant memory. Call and consume inside `core.db.locks.snapshot`. Raises QueryGone.
    """
    query = _query(query_id)
    return ContentStream(getattr(query, api_version.count), query, _walk_listed(query_id, api_version))


def stream_for_keys(*, query_id: int, content_keys: Sequence[str], api_version: ApiVersion = V1) -> ContentStream:
    """The same of all that a catalog has for these keys."""
    query = _query(query_id)
    members = find_members_for_keys(query_id=query_id, content_keys=content_keys, api_version=api_version)
    batches = in_chunks(members, _WALK_BATCH)
    items = (
        item
        for batch in batches
        for item in rendered_items(query_id=query_id, content_keys=batch, api_version=api_version)
    )
    return ContentStream(len(members), query, items)


def _query(query_id: int) -> CatalogQuery:
    counts = [api_version.count for api_version in API_VERSIONS]
    query = CatalogQuery.objects.only("generation", "refreshed_at", *counts).filter(pk=query_id).first()
    if query is None:
        raise QueryGone
    return query


def rendered_items(*, query_id: int, content_keys: Sequence[str], api_version: ApiVersion = V1) -> list[bytes]:
    """The items of these contents as a query shows them, in this order."""
    if not content_keys:
        return []
    statement = _statement(_RENDERED, api_version, keys=len(content_keys))
    by_key = dict(_rows(statement, [query_id, *content_keys]))
    return [unpack_bytes(by_key[key]) for key in content_keys if key in by_key]


def default_items(content_keys: Sequence[str]) -> list[bytes]:
    """The items of these contents as no query shows them in its own way, in this order (CM-1)."""
    by_key = dict(ContentDocuments.objects.filter(pk__in=content_keys).values_list("pk", "rendered"))
    return [unpack_bytes(by_key[key]) for key in content_keys if key in by_key]


def _walk_listed(query_id: int, api_version: ApiVersion) -> Iterator[bytes]:
    statement = _statement(_ITEMS, api_version)
    first, skipped = "", 0
    while True:
        rows = _in_order(_rows(statement, [query_id, first, _WALK_BATCH, skipped, query_id]))
        for _, rendered in rows:
            yield unpack_bytes(rendered)
        if len(rows) < _WALK_BATCH:
            return
        first, skipped = rows[-1][0], 1


def _in_order(rows: Iterable[Sequence[Any]]) -> list[tuple[str, bytes]]:
    """Key and document of rows that have one, by code points (COM-9)."""
    return sorted(((row[0], row[1]) for row in rows if row[1] is not None), key=itemgetter(0))


def _rows(statement: str, parameters: Sequence[int | str | None]) -> list[Any]:
    with read_connection().cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


@lru_cache
def _page_statement(api_version: ApiVersion) -> str:
    return with_items(_statement(_STATE, api_version), columns=2, api_version=api_version)


def _asked_statement(api_version: ApiVersion, keys: int) -> str:
    state, items = _statement(_STATE, api_version), _statement(_RENDERED, api_version, keys=keys, empty=", NULL" * 2)
    return f"{state} UNION ALL {items}"


# Of each surface, a handful and one for each number of keys.
@lru_cache(maxsize=1000)
def _statement(template: str, api_version: ApiVersion, *, keys: int = 0, empty: str = "") -> str:
    """Only names of tables and columns go into the text of a statement; values are parameters."""
    return template.format(
        **_TABLES,
        keys=", ".join(["%s"] * keys),
        empty=empty,
        by_index=_BY_INDEX[read_connection().vendor].format(api_version=api_version.name),
        visibility=api_version.visibility_column,
        count=api_version.count,
        document_column=api_version.document,
        override_column=api_version.override,
    )
