"""
Find contents by identifier, which is a content key or a content uuid (CM-1, CM-2, CUST-5).

Only narrow rows are read, on indexes. A number is a key like any other and never the id of a row.
"""

from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from enterprise_catalog.apps.catalog.api_versions import V1, ApiVersion
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.catalog.reading.containment import find_matches
from enterprise_catalog.apps.catalog.reading.related_keys import courses_of_runs, storable_keys, visible_contents
from enterprise_catalog.apps.core.uuids import parse_uuid


def get_content(identifier: str, *, as_course: bool) -> ContentMetadata | None:
    """
    The content with this key, else with this uuid. `as_course` replaces a run by its course, also a run that is only
    nested in one.
    """
    found = _rows_named([identifier])[:1]
    if as_course and not (found and _is_no_run(found[0])):
        found = _courses([row.content_key for row in found] or [identifier], found)
    return next(iter(found), None)


def list_contents(identifiers: Sequence[str], *, as_courses: bool) -> QuerySet[ContentMetadata]:
    """The contents with these identifiers, each once, in content key order. Unknown identifiers are left out."""
    found = _rows_named(identifiers)
    if as_courses:
        runs = {*identifiers, *(row.content_key for row in found)}
        found = [*filter(_is_no_run, found), *_courses(runs, found)]
    return visible_contents().filter(pk__in={row.content_key for row in found})


def all_contents(*, as_courses: bool) -> QuerySet[ContentMetadata]:
    """All contents in content key order. `as_courses` leaves out runs, since their courses are stored, too."""
    return (
        visible_contents().exclude(content_type=ContentMetadata.ContentType.COURSE_RUN)
        if as_courses
        else visible_contents()
    )


def find_members(identifier: str, *, query_ids: Collection[int], api_version: ApiVersion = V1) -> dict[int, str]:
    """
    The member that an identifier means in each query that has one (CUST-5): the content itself, else a run's course,
    else a course's first run. A uuid only means the content itself.
    """
    with_uuid = _with_uuids(ContentMetadata.objects.all(), [identifier]).values_list("pk", flat=True)
    keys = {identifier, *with_uuid}
    found = find_matches(query_ids=query_ids, keys=keys, api_version=api_version)
    matches = [match for match in found if match.asked == identifier or match.asked == match.member]
    matches.sort(key=lambda match: (match.member != match.asked, match.asked != identifier, match.member))
    # The best one last, so that it stays.
    return {match.query_id: match.member for match in reversed(matches)}


def _is_no_run(content: ContentMetadata) -> bool:
    return content.content_type != ContentMetadata.ContentType.COURSE_RUN


def _courses(run_keys: Collection[str], contents: Sequence[ContentMetadata]) -> list[ContentMetadata]:
    """The course of each run: the first stored course in which v1 shows the run."""
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
