"""
One search document out of several true answers.

Discovery can answer the same course differently to different filters: `exclude_expired_course_run` trims ended runs
out of `course_runs`, `languages` and `seat_types`, but a filter that names an attribute of those runs defeats it, and
`detail_fields` adds fields (DISC-14). If the query that came last won, two refreshes would fight over one document
and unchanged content would seem to change every day. So:

1. Ended runs are trimmed here, whatever discovery did (REFR-13).
2. The rest is split into what every filter sees alike and the few fields that differ.
3. Answers that agree in the first part are ranked by how much ended content they let through; the best one seen stays.

This module compares documents; it must never read or write rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enterprise_catalog.apps.core.datetimes import parse_datetime
from enterprise_catalog.apps.core.packed_json import digest

# What discovery derives from the runs it let through, and what only `detail_fields` brings.
_TRIMMED_FIELDS = ("languages", "seat_types")
_DETAIL_FIELDS = ("level_type", "outcome", "modified")
_STAND_IN_RANK = "~"
_VARIANT_FIELDS = frozenset(_TRIMMED_FIELDS + _DETAIL_FIELDS)


@dataclass(frozen=True)
class Variant:
    """
    What tells two answers apart: `core` (32 hex digits, equal when all filters see the same content), `rank` (sorts
    better answers first) and `extras` (32 hex digits of the fields in which answers differ).
    """

    core: str
    rank: str
    extras: str

    def replaces(self, stored: "Variant") -> bool:
        """
        True when this answer should be stored over that one: the content really changed, or it is a better answer, or
        the same kind of answer that says something new. A worse answer to unchanged content changes nothing,
        whichever query came last.
        """
        if self._stands_in and not stored._stands_in:
            return False
        if self.core != stored.core:
            return True
        return self.extras != stored.extras and self.rank <= stored.rank

    @property
    def _stands_in(self) -> bool:
        return self.rank == _STAND_IN_RANK


def stand_in_variant(document: dict[str, Any]) -> Variant:
    """Of a document that no search returned; any that one did is better."""
    return Variant(core=digest(document), rank=_STAND_IN_RANK, extras="")


def trim_ended_runs(document: dict[str, Any], *, now: datetime) -> tuple[dict[str, Any], list[str]]:
    """The course document without runs that ended, and their keys; runs without an end stay (REFR-13)."""
    runs = document.get("course_runs")
    if not isinstance(runs, list):
        return document, []
    ended = [run for run in runs if isinstance(run, dict) and _has_ended(run, now)]
    if not ended:
        return document, []
    kept = [run for run in runs if not (isinstance(run, dict) and _has_ended(run, now))]
    return document | {"course_runs": kept}, [str(run.get("key")) for run in ended]


def variant_of(trimmed: dict[str, Any], *, ended_keys: Iterable[str]) -> Variant:
    """Describe a trimmed document; `ended_keys` are the runs that had to be trimmed out of it."""
    shown = sorted(ended_keys)
    missing_details = sum(field not in trimmed for field in _DETAIL_FIELDS)
    core = {field: value for field, value in trimmed.items() if field not in _VARIANT_FIELDS}
    extras = {field: trimmed[field] for field in _VARIANT_FIELDS if field in trimmed}
    return Variant(
        core=digest(core),
        rank=f"{len(shown):05d}.{missing_details}.{digest(shown)[:16]}",
        extras=digest(extras),
    )


def _has_ended(run: dict[str, Any], now: datetime) -> bool:
    end = parse_datetime(run.get("end"))
    return end is not None and end < now
