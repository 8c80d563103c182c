"""
Compute the visibility of each member in each API version, which is stored with the membership and read by every page.

Visibility depends on the content and on the query's override of it. So it is recomputed in the same transaction
whenever one of the two is written.
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
    """The visibility of a member in each of API_VERSIONS."""

    v1: Visibility
    v2: Visibility
    legacy: Visibility

    @classmethod
    def of(cls, member: CatalogContentKey) -> "MemberVisibility":
        return cls(*(Visibility(getattr(member, api_version.visibility)) for api_version in API_VERSIONS))

    def columns(self) -> dict[str, Visibility]:
        return {api_version.visibility: visibility for api_version, visibility in zip(API_VERSIONS, self, strict=True)}


class VisibilityRules:
    """Compute visibilities of these contents in these queries, whose overrides are read once."""

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
        Inactive courses are contained but not listed (META-4). Restricted runs are hidden unless allowed (V2-2, V2-4).
        The legacy API has its own rules for what it lists (LEG-5).
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
    """A member, with its content, whose visibility changes."""

    member: CatalogContentKey
    before: MemberVisibility
    after: MemberVisibility


def recompute_visibility(memberships: QuerySet[CatalogContentKey]) -> list[VisibilityChange]:
    """
    Correct the visibility of these memberships, and the counts and generation of their queries; return the changes.

    Call this inside the transaction that changed contents or overrides, with the queries locked.
    """
    changes = _changes(list(memberships.select_related("content")))
    ids: dict[MemberVisibility, list[int]] = {}
    added: dict[int, Counter[str]] = {}
    for member, before, after in changes:
        ids.setdefault(after, []).append(member.pk)
        counts = added.setdefault(member.catalog_query_id, Counter())
        for api_version, old, new in zip(API_VERSIONS, before, after, strict=True):
            counts[api_version.count] += _listed(new) - _listed(old)
    for visibility, changed in ids.items():
        CatalogContentKey.objects.filter(pk__in=changed).update(**visibility.columns())
    for query_id, counts in sorted(added.items()):
        CatalogQuery.objects.filter(pk=query_id).update(
            generation=F("generation") + 1, **{column: F(column) + number for column, number in counts.items()}
        )
    return changes


def _changes(members: list[CatalogContentKey]) -> list[VisibilityChange]:
    rules = VisibilityRules(
        query_ids={member.catalog_query_id for member in members},
        content_keys={member.content_id for member in members},
    )
    computed = (
        VisibilityChange(member, MemberVisibility.of(member), rules.of_member(member.catalog_query_id, member.content))
        for member in members
    )
    return [change for change in computed if change.after != change.before]


def build_memberships(*, query: CatalogQuery, contents: Iterable[ContentMetadata]) -> list[CatalogContentKey]:
    """Make unsaved membership rows of contents that join a query."""
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


# The flag that a content needs to be listed on the legacy API. Pathways are never listed (LEG-5).
_LISTED_IF = {
    ContentMetadata.ContentType.COURSE_RUN: "has_enrollable_seats",
    ContentMetadata.ContentType.PROGRAM: "is_program_eligible_for_one_click_purchase",
}


def is_listed_on_legacy(content_type: str, search_document: dict[str, Any]) -> bool:
    """True if the legacy API lists the content (LEG-5). A missing flag counts as false."""
    if content_type == ContentMetadata.ContentType.COURSE:
        return True
    flag = _LISTED_IF.get(ContentMetadata.ContentType(content_type))
    return flag is not None and search_document.get(flag) is True
