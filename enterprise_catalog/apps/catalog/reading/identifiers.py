"""
From an identifier, which is a content key or a content uuid, to the contents it names (CM-1, CM-2, CUST-5).

Index probes on narrow rows; no document is read. Digits are a key like any other: row ids are nobody's business.
"""

from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from enterprise_catalog.apps.catalog.api_versions import V1, ApiVersion
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.catalog.reading.containment import find_matches
from enterprise_catalog.apps.catalog.reading.related_keys import courses_of_runs, storable_keys, visible_contents
from enterprise_catalog.apps.core.uuids import parse_uuid


def get_content(identifier: str, *, as_course: bool) -> ContentMetadata | None:
    """The content, rather by key than by uuid. `as_course` turns a run, also a nested-only one, into its course."""
    found = _rows_named([identifier])[:1]
    if as_course and not (found and _is_no_run(found[0])):
        found = _courses([row.content_key for row in found] or [identifier], found)
    return next(iter(found), None)


def list_contents(identifiers: Sequence[str], *, as_courses: bool) -> QuerySet[ContentMetadata]:
    """The contents, each once, in content key order; what is unknown is left out."""
    found = _rows_named(identifiers)
    if as_courses:
        runs = {*identifiers, *(row.content_key for row in found)}
        found = [*filter(_is_no_run, found), *_courses(runs, found)]
    return visible_contents().filter(pk__in={row.content_key for row in found})


def all_contents(*, as_courses: bool) -> QuerySet[ContentMetadata]:
    """Everything the store holds, in content key order. The course of a run is held beside it."""
    return (
        visible_contents().exclude(content_type=ContentMetadata.ContentType.COURSE_RUN)
        if as_courses
        else visible_contents()
    )


def find_members(identifier: str, *, query_ids: Collection[int], api_version: ApiVersion = V1) -> dict[int, str]:
    """
    For each query that has it, the member an identifier names: the content itself, else by key a run's course, else a
    course's first run (CUST-5). A uuid names nothing but the content itself.
    """
    with_uuid = _with_uuids(ContentMetadata.objects.all(), [identifier]).values_list("pk", flat=True)
    asked = {identifier, *with_uuid}
    found = find_matches(query_ids=query_ids, keys=asked, api_version=api_version)
    matches = [match for match in found if match.asked == identifier or match.asked == match.member]
    matches.sort(key=lambda match: (match.member != match.asked, match.asked != identifier, match.member))
    # The best one last, so that it stays.
    return {match.query_id: match.member for match in reversed(matches)}


def _is_no_run(content: ContentMetadata) -> bool:
    return content.content_type != ContentMetadata.ContentType.COURSE_RUN


def _courses(run_keys: Collection[str], contents: Sequence[ContentMetadata]) -> list[ContentMetadata]:
    """The course of each run: the first that is stored of those in which v1 shows the run."""
    candidates = [
        [course for course, visible in courses.items() if visible]
        for courses in courses_of_runs(run_keys, contents).values()
    ]
    wanted = {course for courses in candidates for course in courses}
    stored = visible_contents().filter(content_type=ContentMetadata.ContentType.COURSE).in_bulk(wanted)
    courses = (next((stored[key] for key in courses if key in stored), None) for courses in candidates)
    return [course for course in courses if course]


def _rows_named(identifiers: Sequence[str]) -> list[ContentMetadata]:
    return [
        *visible_contents().filter(pk__in=storable_keys(identifiers)),
        *_with_uuids(visible_contents(), identifiers),
    ]


def _with_uuids(contents: QuerySet[ContentMetadata], identifiers: Sequence[str]) -> QuerySet[ContentMetadata]:
    uuids = [uuid for uuid in map(parse_uuid, identifiers) if uuid]
    return contents.filter(content_uuid__in=uuids)
