"""
Read what joined and left a catalog, oldest first, from any position on (CHG-1 to CHG-4).

A catalog's changes are its own, which attaching wrote, and those of its queries while it was attached to them. All are
written while the query is locked, so their ids follow the order of the commits. A reader that has read up to an id has
missed nothing before it. Dates only say since when a caller wants to read, and what is too old to be kept.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import attrgetter
from uuid import UUID

from django.conf import settings
from django.db.models import F, Max, Q, QuerySet

from enterprise_catalog.apps.catalog.change_feed.attachment_periods import latest_change
from enterprise_catalog.apps.catalog.exceptions import ChangesExpired
from enterprise_catalog.apps.catalog.models import CatalogAttachment, CatalogContentChange
from enterprise_catalog.apps.core.datetimes import EPOCH
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.replica import read_connection
from enterprise_catalog.apps.core.db.snapshots import snapshot

# A caller that begins with the oldest change has this long to read on before its cursor is refused.
_GRACE = timedelta(days=1)
# A change is dated before it is written, so dates may be out of the order of ids, but never by more than this.
_MOST_OUT_OF_ORDER = timedelta(hours=1)

# The newest change of each key in each catalog's feed. The feed has the catalog's own changes, and those of its queries
# in the periods in which it was attached.
_LATEST = """
    SELECT feed.catalog_uuid, feed.content_key, MAX(feed.id)
      FROM (SELECT period.enterprise_catalog_id AS catalog_uuid, own.content_key, own.id
              FROM {periods} period
              JOIN {changes} own ON own.catalog_query_id = period.catalog_query_id
               AND own.enterprise_catalog_id = period.enterprise_catalog_id
             WHERE period.enterprise_catalog_id IN ({catalogs}) AND own.content_key IN ({keys})
         UNION ALL
            SELECT period.enterprise_catalog_id, shared.content_key, shared.id
              FROM {periods} period
              JOIN {changes} shared ON shared.catalog_query_id = period.catalog_query_id
               AND shared.enterprise_catalog_id IS NULL
               AND shared.id > period.begins_after
               AND (period.ends_with IS NULL OR shared.id <= period.ends_with)
             WHERE period.enterprise_catalog_id IN ({catalogs}) AND shared.content_key IN ({keys})) feed
  GROUP BY feed.catalog_uuid, feed.content_key
"""


@dataclass(frozen=True)
class FeedPosition:
    """How far a caller has read: up to this change. It has missed nothing that is older than `read_until`."""

    change_id: int
    read_until: datetime


@dataclass(frozen=True)
class ChangePage:
    """Some changes, and the position after them. Without more changes, the caller reads on there later."""

    changes: list[CatalogContentChange]
    position: FeedPosition
    has_more: bool


def list_changes_after(*, catalog_uuid: UUID, since: FeedPosition | datetime | None, limit: int) -> ChangePage:
    """
    Return the next changes after a position, or later than a date; None: all that are kept. Raises ChangesExpired.

    All statements read one snapshot, so a catalog that is attached elsewhere meanwhile is read as before or as after.
    """
    with snapshot():
        now = database_now()
        kept_since = now - timedelta(days=settings.CHANGES_RETENTION_DAYS)
        if isinstance(since, FeedPosition):
            _refuse_if_older(since.read_until, than=kept_since - _GRACE, kept_since=kept_since)
            return _page(catalog_uuid, after=since.change_id, later_than=EPOCH, limit=limit, now=now)
        later_than = since or kept_since
        _refuse_if_older(later_than, than=kept_since, kept_since=kept_since)
        page = _page(catalog_uuid, after=_last_before(later_than), later_than=later_than, limit=limit, now=now)
        # Changes that are older than the date are not read next time, either.
        return page if page.changes else replace(page, position=FeedPosition(_end_of(catalog_uuid), now))


def latest_changes(*, catalog_uuid: UUID, limit: int) -> list[CatalogContentChange]:
    """Return the newest changes of a catalog, the newest first."""
    changes = list(CatalogContentChange.objects.filter(enterprise_catalog=catalog_uuid).order_by("-pk")[:limit])
    wanted = limit
    for period in _periods_with_changes(catalog_uuid).reverse():
        of_query = list(_of_period(period).order_by("-pk")[:wanted])
        changes += of_query
        wanted -= len(of_query)
        if not wanted:
            break
    return sorted(changes, key=attrgetter("pk"), reverse=True)[:limit]


def latest_change_by_key(
    *, catalog_uuids: Collection[UUID], content_keys: Collection[str]
) -> dict[tuple[UUID, str], CatalogContentChange]:
    """Return the newest change that is kept of each of these keys in each of these catalogs."""
    if not catalog_uuids or not content_keys:
        return {}
    statement = _LATEST.format(
        periods=CatalogAttachment._meta.db_table,
        changes=CatalogContentChange._meta.db_table,
        catalogs=", ".join(["%s"] * len(catalog_uuids)),
        keys=", ".join(["%s"] * len(content_keys)),
    )
    with read_connection().cursor() as cursor:
        cursor.execute(statement, [*(uuid.hex for uuid in catalog_uuids), *content_keys] * 2)
        rows = cursor.fetchall()
    changes = CatalogContentChange.objects.in_bulk({change_id for _, _, change_id in rows})
    return {(UUID(uuid), key): changes[change_id] for uuid, key, change_id in rows if change_id in changes}


def prune_changes_before(now: datetime) -> datetime:
    """
    Return the date before which changes can be deleted.

    A cursor is served while its date is within the retention and its grace. The changes it has yet to read may be
    dated a little before that date.
    """
    return now - timedelta(days=settings.CHANGES_RETENTION_DAYS) - _GRACE - _MOST_OUT_OF_ORDER


def _refuse_if_older(date: datetime, *, than: datetime, kept_since: datetime) -> None:
    if date < than:
        raise ChangesExpired(kept_since)


def _page(catalog_uuid: UUID, *, after: int, later_than: datetime, limit: int, now: datetime) -> ChangePage:
    changes = _read(catalog_uuid, after=after, later_than=later_than, limit=limit + 1)
    if len(changes) > limit:
        last = changes[limit - 1]
        return ChangePage(changes[:limit], FeedPosition(last.pk, last.changed_at), has_more=True)
    # A caller that has read all changes has missed nothing up to now.
    return ChangePage(changes, FeedPosition(changes[-1].pk if changes else after, now), has_more=False)


def _read(catalog_uuid: UUID, *, after: int, later_than: datetime, limit: int) -> list[CatalogContentChange]:
    """Merge the first changes of the catalog and of its queries, each read by its index and no further than needed."""
    later = CatalogContentChange.objects.filter(pk__gt=after, changed_at__gt=later_than).order_by("pk")
    own = later.filter(enterprise_catalog=catalog_uuid)[:limit]
    of_queries: list[CatalogContentChange] = []
    # Periods follow one another, so once there are enough changes, later periods are not needed.
    for period in _periods_with_changes(catalog_uuid).filter(Q(ends_with=None) | Q(ends_with__gt=after)):
        of_queries += (later & _of_period(period))[: limit - len(of_queries)]
        if len(of_queries) == limit:
            break
    return list(islice(merge(own, of_queries, key=attrgetter("pk")), limit))


def _periods_with_changes(catalog_uuid: UUID) -> QuerySet[CatalogAttachment]:
    periods = CatalogAttachment.objects.filter(enterprise_catalog=catalog_uuid).order_by("pk")
    return periods.exclude(ends_with=F("begins_after"))


def _of_period(period: CatalogAttachment) -> QuerySet[CatalogContentChange]:
    """Select the changes of the query while the catalog was attached to it."""
    changes = CatalogContentChange.objects.filter(catalog_query=period.catalog_query_id, enterprise_catalog=None)
    changes = changes.filter(pk__gt=period.begins_after)
    return changes if period.ends_with is None else changes.filter(pk__lte=period.ends_with)


def _last_before(date: datetime) -> int:
    """Return the id of a change up to which all changes are dated before `date`; 0 if there is none."""
    earlier = CatalogContentChange.objects.filter(changed_at__lte=date - _MOST_OUT_OF_ORDER)
    return earlier.order_by("-changed_at", "-pk").values_list("pk", flat=True).first() or 0


def _end_of(catalog_uuid: UUID) -> int:
    """Return an id that all future changes of this catalog exceed, and no change so far does."""
    own = CatalogContentChange.objects.filter(enterprise_catalog=catalog_uuid).aggregate(last=Max("pk"))["last"] or 0
    periods = CatalogAttachment.objects.filter(enterprise_catalog=catalog_uuid)
    ends = (row.ends_with if row.ends_with is not None else latest_change(row.catalog_query_id) for row in periods)
    return max(own, *ends, 0)
