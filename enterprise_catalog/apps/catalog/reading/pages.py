"""
Read pages and streams of a query's item templates.

A page is cut on the membership index, and only its own items are read. Keys and generation come from one statement or
one snapshot, so that no reader sees half of a publish (P2). Nothing but the database is read (P6).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from more_itertools import chunked

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
from enterprise_catalog.apps.catalog.reading.identifiers import Identifier, keys_of
from enterprise_catalog.apps.catalog.reading.page_offsets import page_start
from enterprise_catalog.apps.core.db.replica import read_connection
from enterprise_catalog.apps.core.db.snapshots import InconsistentRead
from enterprise_catalog.apps.core.packed_json import unpack_bytes

# Items of a stream are read in batches of this number, a few MB at a time (META-3).
_STREAM_BATCH = 100

_TABLES = {
    "query": CatalogQuery._meta.db_table,
    "membership": CatalogContentKey._meta.db_table,
    "documents": ContentDocuments._meta.db_table,
    "override": ContentOverride._meta.db_table,
    "listed": Visibility.LISTED.value,
}

# For a large query MariaDB chooses the index of the members, and looks at all entries before the page.
_BY_INDEX = {"mysql": "FORCE INDEX (pages_of_query_{api_version})", "sqlite": "INDEXED BY pages_of_query_{api_version}"}

# Python sorts the rows: MariaDB would write the documents to a temporary table first, and take twice as long.
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

# The generation comes in the same statement as the items, also with an empty page, so that both are of one moment.
_GENERATION = """
    SELECT NULL, NULL, query.generation FROM {query} query WHERE query.id = %s
"""

_RENDERED = """
    SELECT documents.content_key, COALESCE(override.{override_column}, documents.{document_column}){empty}
      FROM {documents} documents
 LEFT JOIN {override} override ON override.catalog_query_id = %s AND override.content_key = documents.content_key
     WHERE documents.content_key IN ({keys})
"""


class PageSlice(NamedTuple):
    """A page: `limit` items after the first `offset` ones."""

    offset: int
    limit: int


@dataclass(frozen=True)
class ContentStream:
    """
    All items of a selection with the state of the query. `items` can be iterated once, inside the snapshot in which
    the stream was made.
    """

    count: int
    query: CatalogQuery
    items: Iterator[bytes]


def page_of_listed(*, query: CatalogQuery, cut: PageSlice, api_version: ApiVersion = V1) -> Iterator[bytes]:
    """
    The templates of one page of what a query lists (META-4). Raises InconsistentRead if the query has another
    generation than when its row was read, and QueryGone.
    """
    first, skipped = page_start(query=query, offset=cut.offset, api_version=api_version)
    return _items_of_generation(query, _ITEMS, [query.pk, first, cut.limit, skipped, query.pk], api_version)


def _items_of_generation(
    query: CatalogQuery,
    template: str,
    parameters: Sequence[int | str | None],
    api_version: ApiVersion,
    *,
    keys: int = 0,
) -> Iterator[bytes]:
    """The templates that this statement finds. Raises InconsistentRead and QueryGone."""
    generation = _statement(_GENERATION, api_version)
    items = _statement(template, api_version, keys=keys, empty=", NULL")
    rows = _rows(f"{generation} UNION ALL {items}", [query.pk, *parameters])
    found = next((row[2] for row in rows if row[0] is None), None)
    if found is None:
        raise QueryGone
    # MariaDB returns a number in a column with NULLs as a decimal.
    if int(found) != query.generation:
        raise InconsistentRead
    return (unpack_bytes(rendered) for _, rendered in _in_order(rows))


def find_members_for_keys(
    *, query_id: int, content_keys: Collection[Identifier], api_version: ApiVersion = V1
) -> list[str]:
    """The members for these keys: the keys themselves, runs of given courses, courses of given runs (META-5)."""
    members: dict[str, set[str]] = {}
    for match in find_matches(query_ids=[query_id], keys=keys_of(content_keys), api_version=api_version):
        members.setdefault(match.asked, set()).add(match.member)
    terms = (term for identifier in content_keys for term in identifier.found_terms(members))
    return sorted({member for term in terms for key in term for member in members.get(key, ())})


def page_for_keys(
    *, query: CatalogQuery, members: Sequence[str], cut: PageSlice, api_version: ApiVersion = V1
) -> Iterator[bytes]:
    """
    The templates of one page of what `find_members_for_keys` found after the query's row was read. Raises
    InconsistentRead if the query has another generation by now, and QueryGone.
    """
    # Without members only the generation is read: nothing equals NULL.
    content_keys: Sequence[str | None] = members[cut.offset : cut.offset + cut.limit] or [None]
    return _items_of_generation(query, _RENDERED, [query.pk, *content_keys], api_version, keys=len(content_keys))


def stream_listed(*, query_id: int, api_version: ApiVersion = V1) -> ContentStream:
    """
    Everything that a query lists, in constant memory. Call and consume it inside `core.db.snapshots.snapshot`. Raises
    QueryGone.
    """
    query = _query(query_id)
    return ContentStream(getattr(query, api_version.count), query, _stream_items(query_id, api_version))


def stream_for_keys(
    *, query_id: int, content_keys: Collection[Identifier], api_version: ApiVersion = V1
) -> ContentStream:
    """Stream the members for these keys, as `stream_listed` does."""
    query = _query(query_id)
    members = find_members_for_keys(query_id=query_id, content_keys=content_keys, api_version=api_version)
    batches = chunked(members, _STREAM_BATCH)
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
    """The templates of these contents as a query shows them, in this order."""
    if not content_keys:
        return []
    statement = _statement(_RENDERED, api_version, keys=len(content_keys))
    by_key = dict(_rows(statement, [query_id, *content_keys]))
    return [unpack_bytes(by_key[key]) for key in content_keys if key in by_key]


def default_items(content_keys: Sequence[str]) -> list[bytes]:
    """The default items of these contents, which no query overrides, in this order (CM-1)."""
    by_key = dict(ContentDocuments.objects.filter(pk__in=content_keys).values_list("pk", "rendered"))
    return [unpack_bytes(by_key[key]) for key in content_keys if key in by_key]


def _stream_items(query_id: int, api_version: ApiVersion) -> Iterator[bytes]:
    statement = _statement(_ITEMS, api_version)
    first, skipped = "", 0
    while True:
        rows = _in_order(_rows(statement, [query_id, first, _STREAM_BATCH, skipped, query_id]))
        for _, rendered in rows:
            yield unpack_bytes(rendered)
        if len(rows) < _STREAM_BATCH:
            return
        first, skipped = rows[-1][0], 1


def _in_order(rows: Iterable[Sequence[Any]]) -> list[tuple[str, bytes]]:
    """Key and document of the rows that have a document, by code points of the key (COM-9)."""
    return sorted(((row[0], row[1]) for row in rows if row[1] is not None), key=itemgetter(0))


def _rows(statement: str, parameters: Sequence[int | str | None]) -> list[Any]:
    with read_connection().cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


# For each API version: a few statements, and one for each number of keys.
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
