"""
What each surface does with each member: computed here, stored with the membership, read by every page.

A standing depends on the content and, where the query overrides it, on the override; so it is stated anew whenever
one of the two is written, in the same transaction.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import F, QuerySet

from enterprise_catalog.apps.catalog.items import ContentType
from enterprise_catalog.apps.catalog.models import (
    AllowedRun,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    ContentOverride,
    Standing,
)


class Standings(NamedTuple):
    """What v1 and v2 do with a member."""

    v1: Standing
    v2: Standing


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
        (V2-2, V2-4).
        """
        if content.restricted:
            allowed = (query_id, content.content_key, content.parent_content_key) in self._allowed
            return Standings(Standing.HIDDEN, Standing.LISTED if allowed else Standing.HIDDEN)
        if content.content_type != ContentType.COURSE:
            return Standings(Standing.LISTED, Standing.LISTED)
        forced, active_v1, active_v2 = self._overrides.get(
            (query_id, content.content_key), (False, content.active, content.active)
        )
        return Standings(_of_course(active_v1 if forced else content.active), _of_course(active_v2))


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
    more_v1: Counter[int] = Counter()
    more_v2: Counter[int] = Counter()
    for member, before, after in moves:
        ids.setdefault(after, []).append(member.pk)
        more_v1[member.catalog_query_id] += _listed(after.v1) - _listed(before.v1)
        more_v2[member.catalog_query_id] += _listed(after.v2) - _listed(before.v2)
    for standings, moved in ids.items():
        CatalogContentKey.objects.filter(pk__in=moved).update(standing_v1=standings.v1, standing_v2=standings.v2)
    for query_id in sorted(more_v1):
        CatalogQuery.objects.filter(pk=query_id).update(
            count_v1=F("count_v1") + more_v1[query_id],
            count_v2=F("count_v2") + more_v2[query_id],
            generation=F("generation") + 1,
        )
    return moves


def _moves(members: list[CatalogContentKey]) -> list[Move]:
    rules = StandingRules(
        query_ids={member.catalog_query_id for member in members},
        content_keys={member.content_id for member in members},
    )
    stated = (
        Move(
            member,
            before=Standings(Standing(member.standing_v1), Standing(member.standing_v2)),
            after=rules.standings(member.catalog_query_id, member.content),
        )
        for member in members
    )
    return [move for move in stated if move.after != move.before]


def members_of(*, query: CatalogQuery, contents: Iterable[ContentMetadata]) -> list[CatalogContentKey]:
    """Membership rows, not yet written, of contents that join a query."""
    contents = list(contents)
    rules = StandingRules(query_ids=[query.pk], content_keys=[content.content_key for content in contents])
    members = []
    for content in contents:
        v1, v2 = rules.standings(query.pk, content)
        members.append(CatalogContentKey(catalog_query=query, content=content, standing_v1=v1, standing_v2=v2))
    return members


def _of_course(active: bool) -> Standing:
    return Standing.LISTED if active else Standing.CONTAINED


def _listed(standing: Standing) -> int:
    return int(standing == Standing.LISTED)
