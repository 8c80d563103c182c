"""
Compare keys that a caller holds with the members of a catalog (DIFF-1, DIFF-2).

Keys have to be equal: a course is not found through its runs, nor a run through its course. One statement reads all
members without their documents. So the three lists are of one moment (P2), and memory is needed for keys only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import OuterRef, Subquery

from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery, ContentOverride, Visibility


class FoundMember(NamedTuple):
    content_key: str
    modified: datetime


@dataclass(frozen=True)
class MemberDiff:
    """
    The given keys that are not members, in the given order; the members that were not given, in key order; and the
    given members with their dates of modification, in key order.
    """

    not_found: list[str]
    not_included: list[str]
    found: list[FoundMember]


def difference_from_members(*, query_id: int, content_keys: Iterable[str], modified_at_least: datetime) -> MemberDiff:
    """
    Compare keys with everything that v1 shows of a query, inactive courses included. No member counts as older than
    `modified_at_least`, as in a page (META-11). Raises QueryGone.
    """
    members = CatalogContentKey.objects.filter(catalog_query_id=query_id, visibility_v1__gt=Visibility.HIDDEN)
    # A course that the filter forces in has a document for this query alone (REFR-19), which has its own date.
    forced = ContentOverride.objects.filter(catalog_query_id=query_id, content_id=OuterRef("content_id"), forced=True)
    members = members.annotate(own_modified=Subquery(forced.values("modified")))
    rows = members.order_by("content_id").values_list("content_id", "content__modified", "own_modified")
    given = dict.fromkeys(content_keys)
    not_included: list[str] = []
    found: list[FoundMember] = []
    for key, modified, own_modified in rows.iterator():
        if key in given:
            found.append(FoundMember(key, max(modified, own_modified or modified, modified_at_least)))
            del given[key]
        else:
            not_included.append(key)
    if not (found or not_included or CatalogQuery.objects.filter(pk=query_id).exists()):
        raise QueryGone
    return MemberDiff(not_found=list(given), not_included=not_included, found=found)
