"""
How the keys that somebody holds of a catalog differ from its members (DIFF-1, DIFF-2).

Exact keys only: a course is not found through its runs, nor a run through its course. One statement reads the members
without their documents, so the three lists are of one moment (P2) and the memory is that of the keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery, ContentOverride, Visibility


@dataclass(frozen=True)
class MemberDiff:
    """
    Given keys that are no members, in the order they were given; members that were not given; and given members with
    the moment each was modified. Both in key order.
    """

    not_found: list[str]
    not_included: list[str]
    found: list[tuple[str, datetime]]


def difference_from_members(*, query_id: int, content_keys: Iterable[str]) -> MemberDiff:
    """Compare with all that v1 shows of a query, inactive courses included. Raises QueryGone."""
    members = CatalogContentKey.objects.filter(catalog_query_id=query_id, visibility_v1__gt=Visibility.HIDDEN)
    # A course that the filter forces in is a document of this query's own (REFR-19), with a date of its own.
    forced = ContentOverride.objects.filter(catalog_query_id=query_id, content_id=OuterRef("content_id"), forced=True)
    members = members.annotate(own_modified=Subquery(forced.values("modified")))
    rows = members.order_by("content_id").values_list("content_id", "content__modified", "own_modified")
    given = dict.fromkeys(content_keys)
    not_included: list[str] = []
    found: list[tuple[str, datetime]] = []
    for key, modified, own_modified in rows.iterator():
        if key in given:
            found.append((key, max(modified, own_modified or modified)))
            del given[key]
        else:
            not_included.append(key)
    if not (found or not_included or CatalogQuery.objects.filter(pk=query_id).exists()):
        raise QueryGone
    return MemberDiff(not_found=list(given), not_included=not_included, found=found)
