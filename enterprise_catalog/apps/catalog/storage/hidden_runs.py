"""
Find runs that a document names without saying that they are restricted (V2-2).

Programs and pathways repeat runs of courses, sometimes by their keys alone. Whether such a run is restricted is known
from other documents: of its course, of the run itself, or of a query that allows it. So it is looked up when an item is
rendered, and items that name a run are rendered again when it becomes restricted, or is no longer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from more_itertools import chunked

from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent
from enterprise_catalog.apps.catalog.content.restricted_runs import named_keys
from enterprise_catalog.apps.catalog.models import AllowedRun, ContentDocuments, ContentMetadata, NestedRun
from enterprise_catalog.apps.core.packed_json import unpack

_KEYS_PER_STATEMENT = 1000
_DOCUMENTS_AT_ONCE = 50

# The types that repeat runs of other contents.
REPEATING_TYPES = frozenset({ContentMetadata.ContentType.PROGRAM, ContentMetadata.ContentType.PATHWAY})


class HiddenRuns:
    """
    The restricted runs that some contents may name.

    `documents` are those of programs and pathways, and `restricted` the keys of runs that are known as restricted and
    not stored yet.
    """

    def __init__(
        self,
        *,
        course_keys: Collection[str] = (),
        documents: Iterable[dict[str, Any]] = (),
        restricted: frozenset[str] = frozenset(),
    ) -> None:
        self._of_courses: dict[str, set[str]] = {}
        for keys in chunked(course_keys, _KEYS_PER_STATEMENT):
            rows = NestedRun.objects.filter(course_id__in=keys, restricted=True)
            for course, run in rows.values_list("course_id", "run_key"):
                self._of_courses.setdefault(course, set()).add(run)
        named = frozenset[str]().union(*map(named_keys, documents))
        self._repeated = _stored_as_restricted(named) | restricted

    def of(self, content_key: str, content_type: str) -> frozenset[str]:
        """Return the runs to hide in the item of a content."""
        if content_type in REPEATING_TYPES:
            return self._repeated
        return frozenset(self._of_courses.get(content_key, ()))


def restrictions_of(
    contents: Sequence[PreparedContent], runs_of_records: Mapping[str, Mapping[str, bool]]
) -> tuple[frozenset[str], frozenset[str]]:
    """The runs that these documents restrict, and those that become restricted by them, or are no longer (V2-2)."""
    nested = {
        content.content_key: {**content.runs, **runs_of_records.get(content.content_key, {})}
        for content in contents
        if content.content_type == ContentMetadata.ContentType.COURSE
    }
    own = {
        content.content_key: content.restricted
        for content in contents
        if content.content_type == ContentMetadata.ContentType.COURSE_RUN
    }
    restricted = {run for runs in (*nested.values(), own) for run, is_restricted in runs.items() if is_restricted}
    return frozenset(restricted), _changed_restrictions(nested=nested, own=own)


def _changed_restrictions(*, nested: Mapping[str, Mapping[str, bool]], own: Mapping[str, bool]) -> frozenset[str]:
    """
    Return the keys of runs that become restricted, or are no longer, when documents are stored.

    `nested` has the runs of each course and `own` the runs with a document, each with whether it is restricted.
    """
    new = {(course, run) for course, runs in nested.items() for run, restricted in runs.items() if restricted}
    new |= {("", run) for run, restricted in own.items() if restricted}
    old: set[tuple[str, str]] = set()
    for keys in chunked(nested, _KEYS_PER_STATEMENT):
        rows = NestedRun.objects.filter(course_id__in=keys, restricted=True)
        old.update(rows.values_list("course_id", "run_key"))
    for keys in chunked(own, _KEYS_PER_STATEMENT):
        restricted = ContentMetadata.objects.filter(pk__in=keys, restricted=True)
        old.update(("", run) for run in restricted.values_list("pk", flat=True))
    return frozenset(run for _, run in new ^ old)


def contents_naming(run_keys: Collection[str]) -> list[str]:
    """Return the keys of the programs and pathways whose documents name one of these runs. Reads all of them."""
    found = []
    rows = ContentDocuments.objects.filter(content__content_type__in=REPEATING_TYPES).order_by("pk")
    last = ""
    while slice_ := list(rows.filter(pk__gt=last)[:_DOCUMENTS_AT_ONCE]):
        for row in slice_:
            if any(not named_keys(document).isdisjoint(run_keys) for document in unpacked([row])):
                found.append(row.pk)
        last = slice_[-1].pk
    return found


def unpacked(stored: Iterable[ContentDocuments]) -> Iterator[dict[str, Any]]:
    """Return the documents of these rows."""
    for row in stored:
        yield from (unpack(packed) for packed in (row.search_document, row.full_record) if packed)


def repeating_documents(
    contents: Sequence[PreparedContent], stored: Mapping[str, ContentDocuments], records: Mapping[str, bytes]
) -> Iterator[dict[str, Any]]:
    """The documents of programs and pathways: those that arrived, and those that are stored."""
    for content in contents:
        if content.content_type in REPEATING_TYPES:
            key = content.content_key
            yield unpack(content.search_document)
            if key in records:
                yield unpack(records[key])
            yield from unpacked([stored[key]] if key in stored else [])


def _stored_as_restricted(keys: Collection[str]) -> frozenset[str]:
    """Return those of these keys that are stored as restricted runs, and nowhere as runs that everybody may see."""
    restricted: dict[str, bool] = {}
    for chunk in chunked(sorted(keys), _KEYS_PER_STATEMENT):
        nested = NestedRun.objects.filter(run_key__in=chunk).values_list("run_key", "restricted")
        run = ContentMetadata.ContentType.COURSE_RUN
        own = ContentMetadata.objects.filter(pk__in=chunk, content_type=run).values_list("pk", "restricted")
        allowed = AllowedRun.objects.filter(run_key__in=chunk).values_list("run_key", flat=True)
        for key, is_restricted in (*nested, *own, *((key, True) for key in allowed)):
            restricted[key] = restricted.get(key, True) and is_restricted
    return frozenset(key for key, is_restricted in restricted.items() if is_restricted)
