"""
Publish: make a set of keys the members of a query. These are the steps of the one short transaction that `outcomes`
opens and guards by the fence (REFR-6).

    1. difference between the members and the new set
    2. lock the added contents, then the query, in the order storing uses; refuse when the filter changed meanwhile
    (REFR-5)
    3. ask the guard
    4. write the difference, its change rows, the query's overrides, counts and generation

A reader sees the old set or the new one. Nothing new writes no membership row.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from more_itertools import chunked

from enterprise_catalog.apps.catalog.api_versions import API_VERSIONS
from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    ContentOverride,
    Visibility,
)
from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride, write_overrides
from enterprise_catalog.apps.catalog.storage.visibility import build_memberships, recompute_visibility
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.pipeline.publish_guard import Objection, objection

# Rows per statement: within SQLite's parameter limit and a modest packet.
_ROWS_PER_STATEMENT = 1000


class FilterChanged(Exception):
    """The query asks something else now; what was fetched answers another question."""


@dataclass(frozen=True)
class MembershipDifference:
    """Keys that join, rows (by id) and keys that leave, and how many members there were."""

    added: list[str]
    removed: dict[str, int]
    before: int

    @property
    def found(self) -> int:
        return self.before - len(self.removed) + len(self.added)


def membership_difference(*, query_id: int, content_keys: Collection[str]) -> MembershipDifference:
    """What publishing these keys would change."""
    members = dict(CatalogContentKey.objects.filter(catalog_query_id=query_id).values_list("content_id", "pk"))
    wanted = set(content_keys)
    return MembershipDifference(
        added=sorted(wanted - members.keys()),
        removed={key: members[key] for key in sorted(members.keys() - wanted)},
        before=len(members),
    )


def lock_for_publishing(*, query_id: int, filter_hash: str, difference: MembershipDifference) -> CatalogQuery:
    """Lock the added contents and the query, so that no visibility moves under us. Raises FilterChanged, QueryGone."""
    for chunk in chunked(difference.added, _ROWS_PER_STATEMENT):
        list(ContentMetadata.objects.select_for_update().filter(pk__in=chunk).order_by("pk").values_list("pk"))
    query = CatalogQuery.objects.select_for_update().filter(pk=query_id).first()
    if query is None:
        raise QueryGone
    if query.content_filter_hash != filter_hash:
        raise FilterChanged
    return query


def is_guarded(query: CatalogQuery) -> bool:
    """A first publish and the first one after a filter change are free (REFR-9)."""
    return query.refreshed_at is not None and query.published_filter_hash == query.content_filter_hash


def guard_objection(*, query: CatalogQuery, difference: MembershipDifference) -> Objection | None:
    """The guard's word, where it has a say."""
    if not is_guarded(query):
        return None
    return objection(published=difference.before, removed=len(difference.removed), found=difference.found)


def apply_difference(
    *,
    query: CatalogQuery,
    difference: MembershipDifference,
    run_uuid: uuid.UUID,
    overrides: Sequence[WantedOverride] | None = None,
) -> dict[str, str]:
    """
    Write the difference, and the query's overrides unless they are not known (None); returns the overrides that could
    not be built, by content key with the reason. Inside the transaction that locked the query.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("publishing needs a transaction")
    now = database_now()
    touched: set[str] = set()
    unusable: dict[str, str] = {}
    if overrides is not None:
        touched, unusable = write_overrides(query_id=query.pk, wanted=overrides, now=now)
    if difference.added or difference.removed:
        _write_members(query, difference, run_uuid, now)
    if touched or difference.added or difference.removed:
        _state_overridden(query, touched)
        _count_members(query)
        query.generation += 1
        if touched:
            query.content_modified = now
    query.refreshed_at = now
    query.published_filter_hash = query.content_filter_hash
    CatalogQuery.objects.filter(pk=query.pk).update(
        refreshed_at=query.refreshed_at,
        published_filter_hash=query.published_filter_hash,
        generation=query.generation,
        member_count=query.member_count,
        content_modified=query.content_modified,
        **{api_version.count: getattr(query, api_version.count) for api_version in API_VERSIONS},
    )
    return unusable


def _write_members(query: CatalogQuery, difference: MembershipDifference, run_uuid: uuid.UUID, now: datetime) -> None:
    for keys in chunked(difference.removed, _ROWS_PER_STATEMENT):
        contents = ContentMetadata.objects.in_bulk(keys)
        CatalogContentKey.objects.filter(pk__in=[difference.removed[key] for key in keys]).delete()
        _record(query, [contents[key] for key in keys], CatalogContentChange.Change.REMOVED, run_uuid, now)
    for keys in chunked(difference.added, _ROWS_PER_STATEMENT):
        contents = ContentMetadata.objects.in_bulk(keys)
        CatalogContentKey.objects.bulk_create(build_memberships(query=query, contents=contents.values()))
        _record(query, [contents[key] for key in keys], CatalogContentChange.Change.ADDED, run_uuid, now)


def _state_overridden(query: CatalogQuery, touched: Collection[str]) -> None:
    """Members that an override, or a run it allows, makes stand otherwise than before."""
    members = CatalogContentKey.objects.filter(catalog_query=query)
    restricted = members.filter(content__restricted=True).values_list("content_id", flat=True)
    for keys in chunked(sorted({*touched, *restricted}), _ROWS_PER_STATEMENT):
        recompute_visibility(members.filter(content_id__in=keys))


def _record(
    query: CatalogQuery,
    contents: Sequence[ContentMetadata],
    change: CatalogContentChange.Change,
    run_uuid: uuid.UUID,
    now: datetime,
) -> None:
    CatalogContentChange.objects.bulk_create(
        CatalogContentChange(
            catalog_query=query,
            content_key=content.content_key,
            content_type=content.content_type,
            change=change,
            refresh_run_uuid=run_uuid,
            changed_at=now,
        )
        for content in contents
        # What v1 hides from everybody joins and leaves unseen (V2-3).
        if not content.restricted
    )


def _count_members(query: CatalogQuery) -> None:
    members = CatalogContentKey.objects.filter(catalog_query=query)
    query.member_count = members.count()
    for api_version in API_VERSIONS:
        setattr(query, api_version.count, members.filter(**{api_version.visibility: Visibility.LISTED}).count())
    # What the query shows in its own way has dates of its own; its earlier ones must not come back.
    moments = (
        members.aggregate(latest=Max("content__modified"))["latest"],
        ContentOverride.objects.filter(catalog_query=query).aggregate(latest=Max("modified"))["latest"],
    )
    query.content_modified = max((moment for moment in moments if moment), default=None)
