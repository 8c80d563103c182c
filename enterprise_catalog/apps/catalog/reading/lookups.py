"""
Look up contents by identifiers, which name content keys and content uuids (CM-1, CM-2, CUST-5).

Only narrow rows are read, on indexes. A number is a key like any other and never the id of a row. If several contents
answer, those that some query holds come first, then the one whose key was written, then the last stored: when discovery
has given a course another key, two stored contents have its uuid and its runs.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from enterprise_catalog.apps.catalog.api_versions import V1, ApiVersion
from enterprise_catalog.apps.catalog.models import CatalogContentKey, ContentMetadata
from enterprise_catalog.apps.catalog.reading.containment import Match, Rule, find_matches
from enterprise_catalog.apps.catalog.reading.identifiers import Identifier, keys_of
from enterprise_catalog.apps.catalog.reading.related_keys import courses_of_runs, storable_keys, visible_contents
from enterprise_catalog.apps.core.datetimes import EPOCH
from enterprise_catalog.apps.core.uuids import parse_uuid

# In a customer's catalog a run stands for its course: first the one that the run names, then any that lists the run.
# A run itself is the answer if its course is no member, and a course without membership stands for its first run.
_PREFERENCE = {
    Rule.RUN_OF_COURSE: 0,
    Rule.NESTED_RUN: 1,
    Rule.ALLOWED_RUN: 1,
    Rule.MEMBER: 2,
    Rule.COURSE_OF_MEMBER: 3,
}

Term = tuple[str, ...]


def get_content(identifier: Identifier, *, as_course: bool) -> ContentMetadata | None:
    """
    The content that this names: the whole text, else the first of its parts that names any. `as_course` replaces a run
    by its course, also a run that is only nested in one.
    """
    return next(iter(_contents_of(identifier, _find([identifier], as_courses=as_course))[:1]), None)


def list_contents(identifiers: Sequence[Identifier], *, as_courses: bool) -> QuerySet[ContentMetadata]:
    """
    The contents that these identifiers name, one for each identifier or part of one, in content key order and without
    repetitions. Unknown identifiers are left out.
    """
    found = _find(identifiers, as_courses=as_courses)
    contents = [content for identifier in identifiers for content in _contents_of(identifier, found)]
    return visible_contents().filter(pk__in={content.content_key for content in contents})


def all_contents(*, as_courses: bool) -> QuerySet[ContentMetadata]:
    """All contents in content key order. `as_courses` leaves out runs, since their courses are stored, too."""
    return (
        visible_contents().exclude(content_type=ContentMetadata.ContentType.COURSE_RUN)
        if as_courses
        else visible_contents()
    )


class _Candidate(NamedTuple):
    """A match for a term, with what decides between several (the smallest wins)."""

    term: int
    preference: int
    by_uuid: bool
    match: Match


def find_members(identifier: Identifier, *, query_ids: Collection[int], api_version: ApiVersion = V1) -> dict[int, str]:
    """
    The member that an identifier means in each query that has one (CUST-5): a run's course, else the content itself,
    else a course's first run. A uuid never means a course's run.
    """
    keys_of_uuid: dict[UUID | None, set[str]] = {}
    # Without uuids this asks no database.
    named = ContentMetadata.objects.filter(content_uuid__in=_uuids(identifier.terms))
    for key, uuid in named.values_list("pk", "content_uuid"):
        keys_of_uuid.setdefault(uuid, set()).add(key)
    keys = keys_of([identifier]).union(*keys_of_uuid.values())
    candidates: dict[int, list[_Candidate]] = {}
    matches = find_matches(query_ids=query_ids, keys=keys, api_version=api_version)
    for number, term in enumerate(identifier.terms):
        others = keys_of_uuid.get(parse_uuid(term[0]), set()).difference(term)
        for match in matches:
            by_uuid = match.asked in others
            if match.asked in term or (by_uuid and match.rule != Rule.COURSE_OF_MEMBER):
                candidate = _Candidate(number, _PREFERENCE[Rule(match.rule)], by_uuid, match)
                candidates.setdefault(match.query_id, []).append(candidate)
    return _best_members(candidates)


def _best_members(candidates: dict[int, list[_Candidate]]) -> dict[int, str]:
    """The best member of each query. Dates are read only where several contents are equally good, which is rare."""
    best: dict[int, list[str]] = {}
    for query_id, found in candidates.items():
        first = min(candidate[:3] for candidate in found)
        members = sorted({candidate.match.member for candidate in found if candidate[:3] == first})
        is_course_of_members = first[1] == _PREFERENCE[Rule.COURSE_OF_MEMBER]
        best[query_id] = members[:1] if is_course_of_members else members
    ambiguous = {key for members in best.values() if len(members) > 1 for key in members}
    stored = ContentMetadata.objects.filter(pk__in=ambiguous).values_list("pk", "modified")
    modified = dict(stored) if ambiguous else {}
    return {query: max(keys, key=lambda key: modified.get(key, EPOCH)) for query, keys in best.items()}


def _find(identifiers: Iterable[Identifier], *, as_courses: bool) -> dict[Term, ContentMetadata]:
    """The content that each term of the identifiers names, or with `as_courses` its course if it is a run."""
    terms = {term for identifier in identifiers for term in identifier.terms}
    found = _named_by(terms)
    if not as_courses:
        return found
    others = {term: content for term, content in found.items() if not _is_run(content)}
    runs = {term: found[term].content_key if term in found else term[0] for term in terms - others.keys()}
    courses = _courses(set(runs.values()), [content for content in found.values() if _is_run(content)])
    return others | {term: courses[run] for term, run in runs.items() if run in courses}


def _contents_of(identifier: Identifier, found: dict[Term, ContentMetadata]) -> list[ContentMetadata]:
    """What the whole text names, else what each part names."""
    if identifier.whole in found:
        return [found[identifier.whole]]
    return [found[part] for part in identifier.parts if part in found]


def _is_run(content: ContentMetadata) -> bool:
    return content.content_type == ContentMetadata.ContentType.COURSE_RUN


def _named_by(terms: Collection[Term]) -> dict[Term, ContentMetadata]:
    """The content with a key of the term, or with its uuid."""
    by_key = Q(pk__in=storable_keys([key for term in terms for key in term]))
    uuids = _uuids(terms)
    # Without uuids each term has one answer at most, and nobody asks who holds it.
    rows = (
        _with_holders(visible_contents()).filter(by_key | Q(content_uuid__in=uuids))
        if uuids
        else visible_contents().filter(by_key)
    )
    answers: dict[str | UUID | None, list[ContentMetadata]] = {}
    for row in rows:
        answers.setdefault(row.content_key, []).append(row)
        answers.setdefault(row.content_uuid, []).append(row)
    found = {}
    for term in terms:
        names: list[str | UUID | None] = [*term, *_uuids([term])]
        named = [row for name in names for row in answers.get(name, ())]
        if named:
            found[term] = min(named, key=lambda row: (not _is_held(row), row.content_key not in term, *_newest(row)))
    return found


def _courses(run_keys: Collection[str], contents: Iterable[ContentMetadata]) -> dict[str, ContentMetadata]:
    """The course of each run in which v1 shows it: of the stored ones that some query holds, the one it names."""
    named = {content.content_key: content.parent_content_key for content in contents}
    visible = {
        run: [course for course, is_visible in courses.items() if is_visible]
        for run, courses in courses_of_runs(run_keys, contents).items()
    }
    wanted = {course for courses in visible.values() for course in courses}
    courses = visible_contents().filter(content_type=ContentMetadata.ContentType.COURSE)
    stored = _with_holders(courses).in_bulk(wanted)
    found = {}
    for run, keys in visible.items():
        rows = [stored[key] for key in keys if key in stored]
        if rows:
            own = named.get(run)
            found[run] = min(rows, key=lambda row: (not _is_held(row), row.content_key != own, *_newest(row)))
    return found


def _with_holders(contents: QuerySet[ContentMetadata]) -> QuerySet[ContentMetadata]:
    return contents.annotate(held=Exists(CatalogContentKey.objects.filter(content=OuterRef("pk"))))


def _is_held(content: ContentMetadata) -> bool:
    return getattr(content, "held", False)


def _newest(content: ContentMetadata) -> tuple[float, str]:
    """Sorts the last stored first, and of those stored together the first key."""
    return -content.modified.timestamp(), content.content_key


def _uuids(terms: Iterable[Term]) -> set[UUID]:
    return {uuid for term in terms if (uuid := parse_uuid(term[0]))}
