"""
What each surface does with each member: computed here, stored with the membership, read by every page.

A visibility depends on the content and, where the query overrides it, on the override; so it is stated anew whenever
one of the two is written, in the same transaction.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import F, QuerySet

from enterprise_catalog.apps.catalog.api_versions import API_VERSIONS
from enterprise_catalog.apps.catalog.models import (
    AllowedRun,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    ContentOverride,
    Visibility,
)


class MemberVisibility(NamedTuple):
    """What each of SURFACES does with a member."""

    v1: Visibility
    v2: Visibility
    legacy: Visibility

    @classmethod
    def of(cls, member: CatalogContentKey) -> "MemberVisibility":
        return cls(*(Visibility(getattr(member, api_version.visibility)) for api_version in API_VERSIONS))

    def columns(self) -> dict[str, Visibility]:
        return {api_version.visibility: visibility for api_version, visibility in zip(API_VERSIONS, self, strict=True)}


class VisibilityRules:
    """Visibility of contents in queries; reads what overrides them once, for all of both."""

    def __init__(self, *, query_ids: Collection[int], content_keys: Collection[str]) -> None:
        overrides = ContentOverride.objects.filter(catalog_query_id__in=query_ids, content_id__in=content_keys)
        self._overrides = {
            (query_id, key): (forced, active_v1, active_v2)
            for query_id, key, forced, active_v1, active_v2 in overrides.values_list(
                "catalog_query_id", "content_id", "forced", "active_v1", "active_v2"
            )
        }
        allowed = AllowedRun.objects.filter(catalog_query_id__in=query_ids, run_key__in=content_keys)
        self._allowed = set(allowed.values_list("catalog_query_id", "run_key", "course_key"))

    def of_member(self, query_id: int, content: ContentMetadata) -> MemberVisibility:
        """
        Inactive courses are listed only when asked for by key (META-4); restricted runs are hidden unless allowed
        (V2-2, V2-4). The legacy surface has rules of its own about what it lists (LEG-5).
        """
        if content.restricted:
            allowed = (query_id, content.content_key, content.parent_content_key) in self._allowed
            return MemberVisibility(
                Visibility.HIDDEN, Visibility.LISTED if allowed else Visibility.HIDDEN, Visibility.HIDDEN
            )
        legacy = _listed_if(content.listed_on_legacy)
        if content.content_type != ContentMetadata.ContentType.COURSE:
            return MemberVisibility(Visibility.LISTED, Visibility.LISTED, legacy)
        forced, active_v1, active_v2 = self._overrides.get(
            (query_id, content.content_key), (False, content.active, content.active)
        )
        return MemberVisibility(_listed_if(active_v1 if forced else content.active), _listed_if(active_v2), legacy)


class VisibilityChange(NamedTuple):
    """A member, with its content, that stands otherwise than before."""

    member: CatalogContentKey
    before: MemberVisibility
    after: MemberVisibility


def recompute_visibility(memberships: QuerySet[CatalogContentKey]) -> list[VisibilityChange]:
    """
    Correct the visibility of these memberships, and the counts and generation of queries that list more or less by it;
    returns what moved. Inside the transaction that changed contents or overrides, with the queries locked.
    """
    moves = _moves(list(memberships.select_related("content")))
    ids: dict[MemberVisibility, list[int]] = {}
    more: dict[int, Counter[str]] = {}
    for member, before, after in moves:
        ids.setdefault(after, []).append(member.pk)
        counts = more.setdefault(member.catalog_query_id, Counter())
        for api_version, stood, stands in zip(API_VERSIONS, before, after, strict=True):
            counts[api_version.count] += _listed(stands) - _listed(stood)
    for visibility, moved in ids.items():
        CatalogContentKey.objects.filter(pk__in=moved).update(**visibility.columns())
    for query_id, counts in sorted(more.items()):
        CatalogQuery.objects.filter(pk=query_id).update(
            generation=F("generation") + 1, **{column: F(column) + number for column, number in counts.items()}
        )
    return moves


def _moves(members: list[CatalogContentKey]) -> list[VisibilityChange]:
    rules = VisibilityRules(
        query_ids={member.catalog_query_id for member in members},
        content_keys={member.content_id for member in members},
    )
    stated = (
        VisibilityChange(
            member, before=MemberVisibility.of(member), after=rules.of_member(member.catalog_query_id, member.content)
        )
        for member in members
    )
    return [move for move in stated if move.after != move.before]


def build_memberships(*, query: CatalogQuery, contents: Iterable[ContentMetadata]) -> list[CatalogContentKey]:
    """Membership rows, not yet written, of contents that join a query."""
    contents = list(contents)
    rules = VisibilityRules(query_ids=[query.pk], content_keys=[content.content_key for content in contents])
    return [
        CatalogContentKey(catalog_query=query, content=content, **rules.of_member(query.pk, content).columns())
        for content in contents
    ]


def _listed_if(condition: bool) -> Visibility:
    return Visibility.LISTED if condition else Visibility.CONTAINED


def _listed(visibility: Visibility) -> int:
    return int(visibility == Visibility.LISTED)


# What has to be true of a content to be listed; pathways never are (LEG-5).
_LISTED_IF = {
    ContentMetadata.ContentType.COURSE_RUN: "has_enrollable_seats",
    ContentMetadata.ContentType.PROGRAM: "is_program_eligible_for_one_click_purchase",
}


def is_listed_on_legacy(content_type: str, search_document: dict[str, Any]) -> bool:
    """Of a member that is not hidden; a missing flag counts as false."""
    if content_type == ContentMetadata.ContentType.COURSE:
        return True
    flag = _LISTED_IF.get(ContentMetadata.ContentType(content_type))
    return flag is not None and search_document.get(flag) is True
