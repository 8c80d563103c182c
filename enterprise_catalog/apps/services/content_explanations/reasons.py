"""
Explain why a content is in a catalog, or why not, with reasons in sentences (ADD-5).

Whether it is contained comes from `catalog.reading.containment`. API, command and admin page show the same sentences,
which are for people who do not know the tables. The number of statements does not depend on the number of catalogs.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.conf import settings

from enterprise_catalog.apps.catalog.api_versions import V2
from enterprise_catalog.apps.catalog.change_feed.feed import latest_change_by_key
from enterprise_catalog.apps.catalog.freshness import Freshness, freshness
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    EnterpriseCatalog,
    Visibility,
)
from enterprise_catalog.apps.catalog.reading.catalogs import catalogs_with_queries
from enterprise_catalog.apps.catalog.reading.containment import Match, find_matches, matching_pairs
from enterprise_catalog.apps.core.datetimes import EPOCH
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.reports.latest_runs import LatestWork, latest_work
from enterprise_catalog.apps.services.content_explanations.facts import ContentFacts


class Rule(StrEnum):
    """The first rule by which a key is contained (CONT-1)."""

    MEMBER = "member"
    NESTED_RUN = "nested_run"
    PARENT = "parent"


class Code(StrEnum):
    """
    Why a content is not seen in a catalog, or soon may not be.

    The first four say why it is not contained, and the next two why it is contained but not seen. The others are about
    the catalog's refreshes.
    """

    UNKNOWN = "unknown"
    NEVER_PUBLISHED = "never_published"
    NOT_RETURNED = "not_returned"
    QUARANTINED = "quarantined"
    RESTRICTED = "restricted"
    INACTIVE = "inactive"
    HELD = "held"
    FILTER_CHANGED = "filter_changed"
    LATE = "late"
    FAILED = "failed"


@dataclass(frozen=True)
class Reason:
    """A code for programs and a sentence for people. `at` is since when; `run_uuid` is a run that shows more."""

    code: Code
    detail: str
    at: datetime | None = None
    run_uuid: UUID | None = None


@dataclass(frozen=True)
class Explanation:
    """
    Whether and why a catalog contains a key.

    `contains` is the answer of v1. `listed` is true if v1 lists the member (META-4). `member` is the member through
    which the key is contained. `since` is when that joined this catalog, or None if that was before the oldest change
    that is kept. `last_seen` is the last publish that found it.
    """

    catalog: EnterpriseCatalog
    contains: bool
    contains_in_v2: bool
    listed: bool
    rule: Rule | None
    member: str | None
    since: datetime | None
    since_run: UUID | None
    last_seen: datetime | None
    reasons: list[Reason]


@dataclass(frozen=True)
class _Found:
    """What is known of a content and one catalog."""

    content: ContentFacts
    query: CatalogQuery
    rule: Rule | None
    member: str | None
    contains_in_v2: bool
    # Visibility in v1 of those related keys that are members.
    visibility: dict[str, int]
    changes: dict[str, CatalogContentChange]
    work: LatestWork


def explain_content(*, content: ContentFacts, catalog_uuids: Collection[UUID]) -> list[Explanation]:
    """
    Return one explanation for each of these catalogs that exists, in order (COM-9).

    Call inside the `core.db.snapshots.snapshot` in which catalogs and facts were read. Raises QueryGone.
    """
    # Look them up by uuid: sorting all catalogs that contain a content, with all columns, takes far longer.
    catalogs = list(catalogs_with_queries().filter(pk__in=catalog_uuids).order_by("created", "uuid"))
    key, related_keys = content.content_key, content.related_keys.visible
    query_ids = {catalog.catalog_query_id for catalog in catalogs}
    matches = find_matches(query_ids=query_ids, keys=[key])
    in_v2 = matching_pairs(query_ids=query_ids, keys=[key], api_version=V2)
    visibility = _visibility(query_ids, related_keys)
    changes = latest_change_by_key(catalog_uuids=[catalog.uuid for catalog in catalogs], content_keys=related_keys)
    work = latest_work(query_ids=query_ids, content_keys=related_keys)
    explained = []
    for catalog in catalogs:
        query_id = catalog.catalog_query_id
        own = {each: changes[catalog.uuid, each] for each in related_keys if (catalog.uuid, each) in changes}
        match = _best([match for match in matches if match.query_id == query_id], content, own)
        found = _Found(
            content=content,
            query=catalog.catalog_query,
            rule=_rule(match, content) if match else None,
            member=match.member if match else None,
            contains_in_v2=(query_id, key) in in_v2,
            visibility=visibility.get(query_id, {}),
            changes=own,
            work=work.get(query_id, LatestWork()),
        )
        explained.append(_explanation(catalog, found))
    return explained


def _visibility(query_ids: Collection[int], related_keys: Collection[str]) -> dict[int, dict[str, int]]:
    rows = CatalogContentKey.objects.filter(catalog_query__in=query_ids, content__in=related_keys)
    by_query: dict[int, dict[str, int]] = {}
    for query_id, key, visibility in rows.values_list("catalog_query_id", "content_id", "visibility_v1"):
        by_query.setdefault(query_id, {})[key] = visibility
    return by_query


def _best(matches: list[Match], content: ContentFacts, changes: dict[str, CatalogContentChange]) -> Match | None:
    """Return the match by the first rule; of several, the one whose member has been there for longest."""

    def rank(match: Match) -> tuple[int, datetime, str]:
        return list(Rule).index(_rule(match, content)), _joined(match.member, changes)[0] or EPOCH, match.member

    return min(matches, key=rank, default=None)


def _rule(match: Match, content: ContentFacts) -> Rule:
    if match.member == match.asked:
        return Rule.MEMBER
    return Rule.PARENT if match.member in content.related_keys.runs else Rule.NESTED_RUN


def _joined(member: str, changes: dict[str, CatalogContentChange]) -> tuple[datetime | None, UUID | None]:
    change = changes.get(member)
    if change is None or change.change != CatalogContentChange.Change.ADDED:
        return None, None
    return change.changed_at, change.refresh_run_uuid


def _explanation(catalog: EnterpriseCatalog, found: _Found) -> Explanation:
    since, since_run = _joined(found.member, found.changes) if found.member else (None, None)
    return Explanation(
        catalog=catalog,
        contains=found.rule is not None,
        contains_in_v2=found.contains_in_v2,
        listed=found.member is not None and found.visibility.get(found.member) == Visibility.LISTED,
        rule=found.rule,
        member=found.member,
        since=since,
        since_run=since_run,
        last_seen=found.query.refreshed_at if found.rule else None,
        reasons=[*_about_content(found), *_about_refreshes(found)],
    )


def _about_content(found: _Found) -> Iterator[Reason]:
    if found.rule is not None:
        if found.member and found.visibility.get(found.member) == Visibility.CONTAINED:
            yield _inactive(found, found.member)
        if found.work.quarantined:
            yield _quarantined(found, found.work.quarantined, so="What is shown of it may be old.")
        return
    hidden = [key for key in sorted(found.visibility) if not _is_seen(found, key)]
    if hidden:
        yield _restricted(found, hidden[0])
    elif found.visibility:
        # The course does not contain the run unless some query has the run itself (CONT-8).
        course = min(found.visibility)
        detail = f"Its course {course} is in this catalog, but says nothing of this run, and no search returns it."
        yield Reason(Code.NOT_RETURNED, detail)
    elif found.query.refreshed_at is None:
        yield _never_published(found)
    elif found.work.quarantined:
        yield _quarantined(found, found.work.quarantined, so="It is left out until discovery has mended that.")
    elif found.content.hint:
        yield Reason(Code.UNKNOWN, found.content.hint)
    else:
        yield _not_returned(found)


def _about_refreshes(found: _Found) -> Iterator[Reason]:
    query, run, held = found.query, found.work.newest, found.work.held
    if held is not None and held.filter_hash == query.content_filter_hash:
        after = any(found.content.related_keys.visible[key] for key in found.work.held_keys)
        if after != (found.rule is not None):
            change = "add it" if after else "remove it"
            detail = f"A refresh would {change}, but is held: it waits for somebody to approve or reject it."
            yield Reason(Code.HELD, detail, held.held_since, held.pk)
    if query.refreshed_at is not None and query.published_filter_hash != query.content_filter_hash:
        detail = "The content filter was changed after the last refresh; the next one will answer for the new filter."
        yield Reason(Code.FILTER_CHANGED, detail, query.refreshed_at)
    if freshness(query.refreshed_at) == Freshness.STALE:
        detail = f"The last refresh is more than {settings.FRESHNESS_HOURS} hours ago, so this may be out of date."
        yield Reason(Code.LATE, detail, query.refreshed_at)
    if run is not None and run.state == RefreshRun.State.FAILED:
        detail = f"The last refresh failed ({run.reason_code}): {run.reason_detail}"
        yield Reason(Code.FAILED, detail, run.finished_at, run.pk)


def _is_seen(found: _Found, member: str) -> bool:
    return found.visibility[member] != Visibility.HIDDEN and found.content.related_keys.visible[member]


def _inactive(found: _Found, member: str) -> Reason:
    is_asked = member == found.content.content_key
    why = f" ({found.content.inactive_because})" if is_asked and found.content.inactive_because else ""
    what = "It" if is_asked else f"Its course {member}"
    detail = f"{what} is inactive{why}, so lists leave it out; who asks for it by key finds it."
    return Reason(Code.INACTIVE, detail)


def _restricted(found: _Found, member: str) -> Reason:
    what = "It is a restricted run"
    if member in found.content.related_keys.runs:
        what = f"All that this catalog has of it is a restricted run, {member}"
    if found.contains_in_v2:
        return Reason(
            Code.RESTRICTED, f"{what}. This catalog's filter allows it, which API v2 heeds; v1 hides it from everybody."
        )
    return Reason(Code.RESTRICTED, f"{what}, and this catalog's filter does not allow it: v1 and v2 hide it.")


def _never_published(found: _Found) -> Reason:
    detail = "Nothing was published for this catalog yet: no refresh has come to a good end."
    run = found.work.newest
    return Reason(Code.NEVER_PUBLISHED, detail, run.requested_at if run else None, run.pk if run else None)


def _quarantined(found: _Found, document: QuarantinedDocument, *, so: str) -> Reason:
    run, is_asked = document.refresh_run, document.content_key == found.content.content_key
    what = "its document" if is_asked else f"the document of {document.content_key}"
    detail = f"The last refresh could not use {what} ({document.reason}) and set it aside. {so}"
    return Reason(Code.QUARANTINED, detail, run.finished_at, run.pk)


def _not_returned(found: _Found) -> Reason:
    """Say that no search returns it, and when it left if a change is kept."""
    visible = found.content.related_keys.visible
    changes = (change for key, change in found.changes.items() if visible[key])
    last = max(changes, key=lambda change: change.pk, default=None)
    # Content types are left out of all catalogs alike (REFR-11).
    kinds = "" if found.content.queries else ", or it is of a kind that catalogs leave out"
    if last is None or last.change != CatalogContentChange.Change.REMOVED:
        return Reason(Code.NOT_RETURNED, f"This catalog's search does not return it{kinds}.")
    left = f"It left this catalog, whose search does not return it any more{kinds}."
    if last.enterprise_catalog_id is not None:
        left = "It was left behind when this catalog was put on another search, which does not return it."
    return Reason(Code.NOT_RETURNED, left, last.changed_at, last.refresh_run_uuid)
