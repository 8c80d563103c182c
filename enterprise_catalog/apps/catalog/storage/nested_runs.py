"""Store which runs are nested in which course, and which of them are restricted (CONT-1, V2-2)."""

from collections.abc import Mapping

from more_itertools import chunked, constrained_batches

from enterprise_catalog.apps.catalog.models import NestedRun

_ROWS_PER_STATEMENT = 1000
# The courses of a batch usually have a thousand nested runs; at most this number is compared at once.
_ROWS_AT_ONCE = 10_000
_COURSES_AT_ONCE = 200


def write_nested_runs(wanted: Mapping[str, Mapping[str, bool]]) -> None:
    """Make the rows of nested runs agree with the documents, writing only the difference."""
    courses = constrained_batches(
        wanted.items(), _ROWS_AT_ONCE, _COURSES_AT_ONCE, get_len=lambda course: len(course[1]), strict=False
    )
    for some in courses:
        _write_runs_of(dict(some))


def _write_runs_of(wanted: Mapping[str, Mapping[str, bool]]) -> None:
    stored = {(row.course_id, row.run_key): row for row in NestedRun.objects.filter(course_id__in=list(wanted))}
    pairs = {(course, run): restricted for course, runs in wanted.items() for run, restricted in runs.items()}
    gone = [row.pk for pair, row in stored.items() if pairs.get(pair) != row.restricted]
    missing = [
        pair for pair, restricted in pairs.items() if pair not in stored or stored[pair].restricted != restricted
    ]
    for ids in chunked(gone, _ROWS_PER_STATEMENT):
        NestedRun.objects.filter(pk__in=ids).delete()
    NestedRun.objects.bulk_create(
        (NestedRun(course_id=course, run_key=run, restricted=pairs[course, run]) for course, run in missing),
        batch_size=_ROWS_PER_STATEMENT,
    )
