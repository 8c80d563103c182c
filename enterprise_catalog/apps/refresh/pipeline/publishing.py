"""
Make a set of keys the members of a query.

These are the steps of one short transaction, which `refresh.pipeline.outcomes` opens and guards by the fence (REFR-6):

    1. compare the members with the new set
    2. lock the added contents, then the query, in the order in which storing locks them; refuse if the filter changed
       meanwhile (REFR-5)
    3. ask the guard
    4. write the difference, its change rows, the query's overrides, counts and generation

A reader sees the old set or the new one. A publish without a difference writes no membership row.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from more_itertools import chunked

from enterprise_catalog.apps.catalog.api_versions import API_VERSIONS
from enterprise_catalog.apps.catalog.change_feed.recording import record_changes
from enterprise_catalog.apps.catalog.content_filters.warnings import has_ignored_fields
from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    ContentOverride,
    Visibility,
)
from enterprise_catalog.apps.catalog.storage.overrides import OverrideChanges, WantedOverride, write_overrides
from enterprise_catalog.apps.catalog.storage.visibility import build_memberships, recompute_visibility
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.pipeline.publish_guard import Objection, objection

# Within SQLite's limit of parameters and a small packet.
_ROWS_PER_STATEMENT = 1000


class FilterChanged(Exception):
    """The query has another filter than the one that was fetched for."""


@dataclass(frozen=True)
class MembershipDifference:
    """Keys that join, keys that leave with the ids of their rows, and how many members there were before."""

    added: list[str]
    removed: dict[str, int]
    before: int

    @property
    def found(self) -> int:
        return self.before - len(self.removed) + len(self.added)


def membership_difference(*, query_id: int, content_keys: Collection[str]) -> MembershipDifference:
    """Compare these keys with the members of the query."""
    members = dict(CatalogContentKey.objects.filter(catalog_query_id=query_id).values_list("content_id", "pk"))
    wanted = set(content_keys)
    return MembershipDifference(
        added=sorted(wanted - members.keys()),
        removed={key: members[key] for key in sorted(members.keys() - wanted)},
        before=len(members),
    )


def lock_for_publishing(*, query_id: int, filter_hash: str, difference: MembershipDifference) -> CatalogQuery:
    """Lock the added contents and the query, so that no visibility changes. Raises FilterChanged, QueryGone."""
    for chunk in chunked(difference.added, _ROWS_PER_STATEMENT):
        list(ContentMetadata.objects.select_for_update().filter(pk__in=chunk).order_by("pk").values_list("pk"))
    query = CatalogQuery.objects.select_for_update().filter(pk=query_id).first()
    if query is None:
        raise QueryGone
    if query.content_filter_hash != filter_hash:
        raise FilterChanged
    return query


def is_guarded(query: CatalogQuery) -> bool:
    """
    Return whether the guard checks the next publish (REFR-9).

    It does not check the first one, nor the first one after a filter change, unless the filter has a key that discovery
    ignores: its result may be everything that discovery has.
    """
    return _has_published_its_filter(query) or has_ignored_fields(query.content_filter)


def guard_objection(*, query: CatalogQuery, difference: MembershipDifference) -> Objection | None:
    """Return why the guard holds this publish, or None."""
    if not is_guarded(query):
        return None
    return objection(
        published=difference.before,
        removed=len(difference.removed),
        found=difference.found,
        is_first=not _has_published_its_filter(query),
    )


def _has_published_its_filter(query: CatalogQuery) -> bool:
    return query.refreshed_at is not None and query.published_filter_hash == query.content_filter_hash


def apply_difference(
    *,
    query: CatalogQuery,
    difference: MembershipDifference,
    run_uuid: uuid.UUID,
    overrides: Sequence[WantedOverride] | None = None,
) -> dict[str, str]:
    """
    Write the difference and the query's overrides; None leaves the overrides as they are.

    Called inside the transaction that locked the query. Returns the reasons of overrides that could not be built, by
    content key.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("publishing needs a transaction")
    now = database_now()
    changes = OverrideChanges(touched=set(), modified=set(), unusable={})
    if overrides is not None:
        changes = write_overrides(query_id=query.pk, wanted=overrides, now=now)
    members_change = bool(difference.added or difference.removed)
    if members_change:
        _write_members(query, difference, run_uuid, now)
    if changes.touched or members_change:
        _recompute_overridden(query, changes.touched)
        _count_members(query)
        query.generation += 1
    if members_change:
        query.content_modified = _latest_date(query)
    if changes.modified:
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
    return changes.unusable


def _write_members(query: CatalogQuery, difference: MembershipDifference, run_uuid: uuid.UUID, now: datetime) -> None:
    removed, added = CatalogContentChange.Change.REMOVED, CatalogContentChange.Change.ADDED
    for all_keys, change in ((list(difference.removed), removed), (difference.added, added)):
        for keys in chunked(all_keys, _ROWS_PER_STATEMENT):
            contents = ContentMetadata.objects.in_bulk(keys)
            if change == removed:
                CatalogContentKey.objects.filter(pk__in=[difference.removed[key] for key in keys]).delete()
            else:
                CatalogContentKey.objects.bulk_create(build_memberships(query=query, contents=contents.values()))
            # Restricted runs are what v1 hides from everybody.
            shown = ((query.pk, contents[key], change) for key in keys if not contents[key].restricted)
            record_changes(shown, changed_at=now, run_uuid=run_uuid)


def _recompute_overridden(query: CatalogQuery, touched: Collection[str]) -> None:
    """Recompute the visibility of members that an override, or a run that it allows, may have changed."""
    members = CatalogContentKey.objects.filter(catalog_query=query)
    restricted = members.filter(content__restricted=True).values_list("content_id", flat=True)
    for keys in chunked(sorted({*touched, *restricted}), _ROWS_PER_STATEMENT):
        recompute_visibility(members.filter(content_id__in=keys))


def _count_members(query: CatalogQuery) -> None:
    members = CatalogContentKey.objects.filter(catalog_query=query)
    query.member_count = members.count()
    for api_version in API_VERSIONS:
        setattr(query, api_version.count, members.filter(**{api_version.visibility: Visibility.LISTED}).count())


def _latest_date(query: CatalogQuery) -> datetime | None:
    """Return the latest date of the query's members. Overrides have dates of their own."""
    members = CatalogContentKey.objects.filter(catalog_query=query)
    dates = (
        members.aggregate(latest=Max("content__modified"))["latest"],
        ContentOverride.objects.filter(catalog_query=query).aggregate(latest=Max("modified"))["latest"],
    )
    return max((date for date in dates if date), default=None)
