"""
The steps that the resolution of a requested query may take, each applied under the locks of its decision.

`catalog.queries.resolution` decides which step is taken. A step writes the query, its history and, for catalogs that it
moves, the changes of their content. It never starts a refresh, and only publishing changes members.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from enterprise_catalog.apps.catalog.change_feed.recording import record_attachment
from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash, equivalence_key
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.models.history import thin
from enterprise_catalog.apps.core.callers import change_reason

_HISTORY_ROWS_PER_STATEMENT = 500


@dataclass(frozen=True)
class Resolution:
    """
    The query to attach to, as stored.

    `filter_changed` is True if catalogs that were attached to it, or to the query that it replaced (whose id is
    `replaced_query_id`), have another filter now. `uuid_changed` is True if the query has another uuid now.
    """

    query: CatalogQuery
    filter_changed: bool = False
    replaced_query_id: int | None = None
    uuid_changed: bool = False


@dataclass(frozen=True)
class Attach:
    """Use the query unchanged."""

    query: CatalogQuery

    def apply(self) -> Resolution:
        return Resolution(self.query)


@dataclass(frozen=True)
class Create:
    """Create a query, since no query has this filter."""

    content_filter: dict[str, Any]
    uuid: UUID | None
    title: str | None

    def apply(self) -> Resolution:
        query = CatalogQuery.objects.create(
            uuid=self.uuid or uuid4(),
            title=self.title,
            named=self.uuid is not None or self.title is not None,
            **_filter_columns(self.content_filter),
        )
        return Resolution(query)


@dataclass(frozen=True)
class Name:
    """Give the query a uuid or a title, on which callers may rely from now on. None keeps the present one."""

    query: CatalogQuery
    uuid: UUID | None
    title: str | None

    def apply(self) -> Resolution:
        _update(self.query, named=True, **_names(self.uuid, self.title))
        return Resolution(self.query, uuid_changed=self.uuid is not None)


@dataclass(frozen=True)
class Rewrite:
    """Change the filter of the query for all its catalogs. Its members stay until the next publish."""

    query: CatalogQuery
    content_filter: dict[str, Any]
    title: str | None

    def apply(self) -> Resolution:
        named = self.query.named or self.title is not None
        _update(self.query, named=named, **_names(None, self.title), **_filter_columns(self.content_filter))
        return Resolution(self.query, filter_changed=True)


@dataclass(frozen=True)
class TakeOver:
    """
    Let the query replace another one: it takes over the catalogs and, if it `adopts` them, the uuid, and the title
    unless a new one is given.
    """

    query: CatalogQuery
    replaced: CatalogQuery
    title: str | None
    adopts: bool

    def apply(self) -> Resolution:
        replaced_id, title = self.replaced.pk, self.replaced.title if self.title is None else self.title
        _move_catalogs(source_id=replaced_id, target=self.query)
        # First, since uuid and title are unique.
        self.replaced.delete()
        if self.adopts:
            named = self.replaced.named or title is not None
            _update(self.query, named=named, **_names(self.replaced.uuid, title))
        return Resolution(self.query, filter_changed=True, replaced_query_id=replaced_id, uuid_changed=self.adopts)


Step = Attach | Create | Name | Rewrite | TakeOver


def _filter_columns(content_filter: dict[str, Any]) -> dict[str, Any]:
    return {
        "content_filter": content_filter,
        "content_filter_hash": content_filter_hash(content_filter),
        "equivalence_key": equivalence_key(content_filter),
    }


def _names(uuid: UUID | None, title: str | None) -> dict[str, Any]:
    return {field: value for field, value in {"uuid": uuid, "title": title}.items() if value is not None}


def _update(query: CatalogQuery, **changes: Any) -> None:
    """Write these columns only: others may be deferred, or belong to publishing."""
    for field, value in changes.items():
        setattr(query, field, value)
    query.save(update_fields=[*changes, "modified"])


def _move_catalogs(*, source_id: int, target: CatalogQuery) -> None:
    """Move catalogs to another query. For callers only the query changes, so `modified` of catalogs stays (CRUD-1)."""
    catalogs = list(EnterpriseCatalog.objects.select_for_update().filter(catalog_query_id=source_id).order_by("pk"))
    uuids = [catalog.pk for catalog in catalogs]
    record_attachment(catalogs=uuids, query_id=target.pk, previous_query_id=source_id)
    EnterpriseCatalog.objects.filter(catalog_query_id=source_id).update(catalog_query=target)
    for catalog in catalogs:
        catalog.catalog_query = target
    # A bulk update sends no signals, which otherwise write history and bound it.
    EnterpriseCatalog.history.bulk_history_create(
        catalogs,
        batch_size=_HISTORY_ROWS_PER_STATEMENT,
        update=True,
        default_date=timezone.now(),
        default_change_reason=change_reason() or "",
    )
    thin(EnterpriseCatalog, uuids)
