"""
A catalog as its content is served: itself, its query and its customer, with the page that somebody wants, in one
statement.

Where a page begins depends on the query, which the catalog's row names first. So a process remembers the rows that it
has seen, cuts the page by them, and believes it only when the same statement brought the same row again. What was made
of that row is used again, too. Nothing has to be forgotten: a row that has changed is another row. That rests on one
rule: whatever changes what a query lists moves its generation with it (P2). Whoever restores a database moves all
generations (docs/operations).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.signals import setting_changed
from django.db.models import QuerySet

from enterprise_catalog.apps.catalog.api_versions import V1, V2, ApiVersion
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.page_offsets import page_start
from enterprise_catalog.apps.catalog.reading.pages import ContentPage, PageSlice, items_of, with_items
from enterprise_catalog.apps.catalog.rendering.cache_validators import CacheValidators, catalog_validators
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller
from enterprise_catalog.apps.core.db.replica import read_connection
from enterprise_catalog.apps.core.db.row_lookup import JoinedColumns, ModelColumns, RowLookup
from enterprise_catalog.apps.core.db.snapshots import InconsistentRead
from enterprise_catalog.apps.customers.selectors import SERVED

# The surfaces whose pages are read here.
_COUNTS = (V1.count, V2.count)
# No more than serving content takes: columns that nobody reads were half of the time of this look-up.
_COLUMNS = JoinedColumns(
    catalog=ModelColumns(
        EnterpriseCatalog,
        *("title", "enterprise_uuid", "enterprise_name", "catalog_query", "publish_audit_enrollment_urls", "modified"),
    ),
    query=ModelColumns(
        CatalogQuery,
        *("refreshed_at", "generation", "items_version", "content_modified", "member_count", *_COUNTS),
    ),
    customer=SERVED,
)
_HEAD = """
    SELECT NULL, NULL, {columns}
      FROM {catalog}
      JOIN {query} ON {query}.id = {catalog}.catalog_query_id
 LEFT JOIN {customer} ON {customer}.uuid = {catalog}.enterprise_uuid
     WHERE {catalog}.uuid = %s
"""
# What stands before the columns: key and document of an item.
_EMPTY = 2
_Row = tuple[Any, ...]


@dataclass(frozen=True)
class ServedQuery:
    """`counts` are what each surface lists, by its column."""

    pk: int
    generation: int
    refreshed_at: datetime | None
    counts: Mapping[str, int]


@dataclass(frozen=True)
class ServedCatalog:
    """
    What the rows of a catalog make: `version` is that of everything it lists. Values only, and no models, since many
    requests use it at once.
    """

    uuid: UUID
    title: str
    enterprise_uuid: UUID
    query: ServedQuery
    link: TemplateFiller
    version: CacheValidators


@dataclass(frozen=True)
class ServedPage:
    """A catalog with a page of what it lists, as both are at one moment."""

    catalog: ServedCatalog
    content: ContentPage

    @property
    def enterprise_uuid(self) -> UUID:
        return self.catalog.enterprise_uuid


class _Last(NamedTuple):
    row: _Row
    catalog: ServedCatalog


class _Seen:
    """The row of a catalog when it was read last, and what was made of it."""

    last: _Last | None = None


@lru_cache(maxsize=settings.SERVED_CATALOGS_KEPT)
def _seen(uuid: UUID) -> _Seen:
    return _Seen()


# Links are made of settings, too; only tests change them.
setting_changed.connect(lambda **_: _seen.cache_clear(), weak=False)


def get_served_catalog(uuid: UUID) -> ServedCatalog | None:
    """None without such a catalog."""
    last = _look(uuid)
    return last.catalog if last else None


def served_page(uuid: UUID, *, api_version: ApiVersion, cut: Callable[[int], PageSlice]) -> ServedPage | None:
    """
    The catalog with a page of what it lists (META-4): `cut` says which, when it is told how many there are. None
    without such a catalog. Raises Moved when something is published just between two statements.
    """
    last = _seen(uuid).last
    if last:
        with suppress(InconsistentRead):
            return _page_if_still(last, uuid, api_version, cut)
    last = _look(uuid)
    return _page_if_still(last, uuid, api_version, cut) if last else None


def _look(uuid: UUID) -> _Last | None:
    """What is known of the row that the catalog has now."""
    row = _read_row(uuid)
    if row is None:
        return None
    seen = _seen(uuid)
    last = seen.last
    if last is None or last.row != row:
        last = seen.last = _Last(row, _made(row))
    return last


def _read_row(uuid: UUID) -> _Row | None:
    with read_connection().cursor() as cursor:
        cursor.execute(_head(), [uuid.hex])
        row: _Row | None = cursor.fetchone()
        return row


def _page_if_still(last: _Last, uuid: UUID, api_version: ApiVersion, cut: Callable[[int], PageSlice]) -> ServedPage:
    """The page as this row of the catalog would have it cut. Raises Moved when that is its row no more."""
    query = last.catalog.query
    count = query.counts[api_version.count]
    offset, limit = cut(count)
    first, skipped = page_start(query=query, offset=offset, api_version=api_version)
    parameters: list[int | str] = [uuid.hex, query.pk, first, limit, skipped, query.pk]
    with read_connection().cursor() as cursor:
        cursor.execute(_head_with_items(api_version), parameters)
        rows = cursor.fetchall()
    if last.row not in rows:
        raise InconsistentRead
    return ServedPage(last.catalog, ContentPage(count, query.generation, items_of(rows)))


@cache
def _head() -> str:
    return _HEAD.format(columns=_COLUMNS.names(read_connection()), **_COLUMNS.tables)


@cache
def _head_with_items(api_version: ApiVersion) -> str:
    return with_items(_head(), columns=len(_COLUMNS), api_version=api_version)


def _made(row: _Row) -> ServedCatalog:
    found: dict[str, Any] = _COLUMNS.instances(row[_EMPTY:], read_connection())
    catalog, query, customer = found["catalog"], found["query"], found["customer"]
    catalog.catalog_query = query
    return ServedCatalog(
        uuid=catalog.uuid,
        title=catalog.title,
        enterprise_uuid=catalog.enterprise_uuid,
        query=ServedQuery(
            query.pk, query.generation, query.refreshed_at, {name: getattr(query, name) for name in _COUNTS}
        ),
        link=TemplateFiller(catalog=catalog, customer=customer),
        version=catalog_validators(catalog=catalog, customer=customer),
    )


def catalogs_with_queries() -> QuerySet[EnterpriseCatalog]:
    """A content filter may be a megabyte; whoever needs it loads it."""
    return EnterpriseCatalog.objects.select_related("catalog_query").defer("catalog_query__content_filter")


def _with_query(catalog: EnterpriseCatalog, query: CatalogQuery) -> EnterpriseCatalog:
    EnterpriseCatalog._meta.get_field("catalog_query").set_cached_value(catalog, query)
    return catalog


_catalog_with: RowLookup[EnterpriseCatalog] = RowLookup(
    "{catalog} JOIN {query} ON {query}.id = {catalog}.catalog_query_id WHERE {catalog}.uuid = %s",
    _with_query,
    catalog=ModelColumns(EnterpriseCatalog),
    query=ModelColumns(CatalogQuery, without=["content_filter"]),
)


def get_catalog_with_query(uuid: UUID) -> EnterpriseCatalog | None:
    """The catalog with its query, which is loaded without its filter."""
    return _catalog_with(uuid.hex)
