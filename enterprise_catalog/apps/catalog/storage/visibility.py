"""
What each surface does with each member: computed here, stored with the membership, read by every page.

A standing depends on the content and, where the query overrides it, on the override; so it is stated anew whenever
one of the two is written, in the same transaction.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import F, QuerySet

from enterprise_catalog.apps.catalog.api_versions import SURFACES
from enterprise_catalog.apps.catalog.models import (
    AllowedRun,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    ContentOverride,
    Standing,
)


class Standings(NamedTuple):
    """What each of SURFACES does with a member."""

    v1: Standing
    v2: Standing
    legacy: Standing

    @classmethod
    def of(cls, member: CatalogContentKey) -> "Standings":
        return cls(*(Standing(getattr(member, surface.standing)) for surface in SURFACES))

    def columns(self) -> dict[str, Standing]:
        return {surface.standing: standing for surface, standing in zip(SURFACES, self, strict=True)}


class StandingRules:
    """Standings of contents in queries; reads what overrides them once, for all of both."""

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

    def standings(self, query_id: int, content: ContentMetadata) -> Standings:
        """
        Inactive courses are listed only when asked for by key (META-4); restricted runs are hidden unless allowed
        (V2-2, V2-4). The legacy surface has rules of its own about what it lists (LEG-5).
        """
        if content.restricted:
            allowed = (query_id, content.content_key, content.parent_content_key) in self._allowed
            return Standings(Standing.HIDDEN, Standing.LISTED if allowed else Standing.HIDDEN, Standing.HIDDEN)
        legacy = _listed_if(content.listed_on_legacy)
        if content.content_type != ContentMetadata.ContentType.COURSE:
            return Standings(Standing.LISTED, Standing.LISTED, legacy)
        forced, active_v1, active_v2 = self._overrides.get(
            (query_id, content.content_key), (False, content.active, content.active)
        )
        return Standings(_listed_if(active_v1 if forced else content.active), _listed_if(active_v2), legacy)


class Move(NamedTuple):
    """A member, with its content, that stands otherwise than before."""

    member: CatalogContentKey
    before: Standings
    after: Standings


def state_anew(memberships: QuerySet[CatalogContentKey]) -> list[Move]:
    """
    Correct the standings of these memberships, and the counts and generation of queries that list more or less by it;
    returns what moved. Inside the transaction that changed contents or overrides, with the queries locked.
    """
    moves = _moves(list(memberships.select_related("content")))
    ids: dict[Standings, list[int]] = {}
    more: dict[int, Counter[str]] = {}
    for member, before, after in moves:
        ids.setdefault(after, []).append(member.pk)
        counts = more.setdefault(member.catalog_query_id, Counter())
        for surface, stood, stands in zip(SURFACES, before, after, strict=True):
            counts[surface.count] += _listed(stands) - _listed(stood)
    for standings, moved in ids.items():
        CatalogContentKey.objects.filter(pk__in=moved).update(**standings.columns())
    for query_id, counts in sorted(more.items()):
        CatalogQuery.objects.filter(pk=query_id).update(
            generation=F("generation") + 1, **{column: F(column) + number for column, number in counts.items()}
        )
    return moves


def _moves(members: list[CatalogContentKey]) -> list[Move]:
    rules = StandingRules(
        query_ids={member.catalog_query_id for member in members},
        content_keys={member.content_id for member in members},
    )
    stated = (
        Move(member, before=Standings.of(member), after=rules.standings(member.catalog_query_id, member.content))
        for member in members
    )
    return [move for move in stated if move.after != move.before]


def members_of(*, query: CatalogQuery, contents: Iterable[ContentMetadata]) -> list[CatalogContentKey]:
    """Membership rows, not yet written, of contents that join a query."""
    contents = list(contents)
    rules = StandingRules(query_ids=[query.pk], content_keys=[content.content_key for content in contents])
    return [
        CatalogContentKey(catalog_query=query, content=content, **rules.standings(query.pk, content).columns())
        for content in contents
    ]


def _listed_if(condition: bool) -> Standing:
    return Standing.LISTED if condition else Standing.CONTAINED


def _listed(standing: Standing) -> int:
    return int(standing == Standing.LISTED)


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
