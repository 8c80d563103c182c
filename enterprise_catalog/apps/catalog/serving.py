"""
A catalog as its content is served: itself, its query and its customer, with the page that somebody wants, in one
statement.

Where a page begins depends on the query, which the catalog's row names first. So a process remembers the rows that it
has seen, cuts the page by them, and believes it only when the same statement brought the same row again. What was made
of that row is used again, too. Nothing has to be forgotten: a row that has changed is another row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.signals import setting_changed

from enterprise_catalog.apps.catalog.anchors import GenerationGone, page_start
from enterprise_catalog.apps.catalog.linking import CatalogLinker
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.pages import ContentPage, Cut, items_of, listed_page, with_items
from enterprise_catalog.apps.catalog.surfaces import V1, V2, Surface
from enterprise_catalog.apps.catalog.versions import Version, version_of_catalog
from enterprise_catalog.apps.core.prepared import Columns, Part
from enterprise_catalog.apps.core.replica import reading
from enterprise_catalog.apps.customers.lookup import SERVED

_COUNTS = (V1.count, V2.count)
# No more than serving content takes: columns that nobody reads were half of the time of this look-up.
_COLUMNS = Columns(
    catalog=Part(
        EnterpriseCatalog,
        *("title", "enterprise_uuid", "enterprise_name", "catalog_query", "publish_audit_enrollment_urls", "modified"),
    ),
    query=Part(
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
    link: CatalogLinker
    version: Version


@dataclass(frozen=True)
class Serving:
    """A catalog that somebody asks for, and the page that was wanted if it could be read at once."""

    catalog: ServedCatalog
    page: ContentPage | None

    @property
    def enterprise_uuid(self) -> UUID:
        return self.catalog.enterprise_uuid

    def listed_page(self, cut: Cut, surface: Surface) -> ContentPage:
        """The page that was wanted. Raises QueryGone."""
        return self.page or listed_page(query=self.catalog.query, cut=cut, surface=surface)


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


def serve(uuid: UUID, *, surface: Surface, cut: Cut | None = None) -> Serving | None:
    """The catalog, with this page of what it lists (META-4) if it was seen before. None without such a catalog."""
    seen = _seen(uuid)
    last = seen.last
    if last and cut:
        page = _page_if_still(last.row, uuid, last.catalog.query, surface, cut)
        if page:
            return Serving(last.catalog, page)
    row = _read_row(uuid)
    if row is None:
        return None
    if last is None or last.row != row:
        last = seen.last = _Last(row, _made(row))
    return Serving(last.catalog, None)


def _read_row(uuid: UUID) -> _Row | None:
    with reading().cursor() as cursor:
        cursor.execute(_head(), [uuid.hex])
        row: _Row | None = cursor.fetchone()
        return row


def _page_if_still(row: _Row, uuid: UUID, query: ServedQuery, surface: Surface, cut: Cut) -> ContentPage | None:
    """The page as this row of the catalog would have it cut, if that is its row still."""
    try:
        first, skipped = page_start(query=query, offset=cut.offset, surface=surface)
    except GenerationGone:
        return None
    parameters: list[int | str] = [uuid.hex, query.pk, first, cut.limit, skipped, query.pk]
    with reading().cursor() as cursor:
        cursor.execute(_head_with_items(surface), parameters)
        rows = cursor.fetchall()
    if row not in rows:
        return None
    return ContentPage(query.counts[surface.count], query.generation, items_of(rows))


@cache
def _head() -> str:
    return _HEAD.format(columns=_COLUMNS.names(reading()), **_COLUMNS.tables)


@cache
def _head_with_items(surface: Surface) -> str:
    return with_items(_head(), columns=len(_COLUMNS), surface=surface)


def _made(row: _Row) -> ServedCatalog:
    found: dict[str, Any] = _COLUMNS.instances(row[_EMPTY:], reading())
    catalog, query, customer = found["catalog"], found["query"], found["customer"]
    catalog.catalog_query = query
    return ServedCatalog(
        uuid=catalog.uuid,
        title=catalog.title,
        enterprise_uuid=catalog.enterprise_uuid,
        query=ServedQuery(
            query.pk, query.generation, query.refreshed_at, {name: getattr(query, name) for name in _COUNTS}
        ),
        link=CatalogLinker(catalog=catalog, customer=customer),
        version=version_of_catalog(catalog=catalog, customer=customer),
    )
