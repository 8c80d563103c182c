"""
Choose one search document out of several correct variants.

Discovery returns the same course differently for different filters. `exclude_expired_course_run` trims ended runs out
of `course_runs`, `languages` and `seat_types`, unless the filter names an attribute of those runs. `detail_fields` adds
fields (DISC-14). If the latest variant were stored, two refreshes would replace each other's
document, and unchanged content would seem to change every day. So:

1. Ended runs are trimmed here, whatever discovery did (REFR-13).
2. The rest is split into the fields that are equal for every filter and the few fields that differ.
3. Variants that are equal in the first part are ranked by the ended content that they contain. The best one is kept.
4. Undated fields (META-21) take no part in that: the best variant is kept, with the latest undated fields.

This module compares documents and neither reads nor writes rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from enterprise_catalog.apps.catalog.content.undated_fields import undated_fields, without_undated_fields
from enterprise_catalog.apps.core.datetimes import parse_datetime
from enterprise_catalog.apps.core.packed_json import digest

# Fields that discovery derives from the runs that it returns, and fields that only `detail_fields` adds.
_TRIMMED_FIELDS = ("languages", "seat_types")
_DETAIL_FIELDS = ("level_type", "outcome", "modified")
_STAND_IN_RANK = "~"
_VARIANT_FIELDS = frozenset(_TRIMMED_FIELDS + _DETAIL_FIELDS)


@dataclass(frozen=True)
class Variant:
    """
    The data that distinguishes two variants.

    `core` has 32 hex digits, equal if the content is the same for all filters. `rank` sorts better variants first.
    `extras` has 32 hex digits, of the fields in which variants differ.
    """

    core: str
    rank: str
    extras: str

    def replaces(self, stored: "Variant") -> bool:
        """
        True if this variant should replace the stored one: the content really changed, or this variant is better, or
        it is of the same rank and has other extras. A worse variant of unchanged content replaces nothing.
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
    """The variant of a document that no search returned. Any document of a search is better."""
    return Variant(core=digest(document), rank=_STAND_IN_RANK, extras=digest({}))


def trim_ended_runs(document: dict[str, Any], *, now: datetime) -> tuple[dict[str, Any], list[str]]:
    """The course document without ended runs, and the keys of these. Runs without an end stay (REFR-13)."""
    runs = document.get("course_runs")
    if not isinstance(runs, list):
        return document, []
    ended = [run for run in runs if isinstance(run, dict) and _has_ended(run, now)]
    if not ended:
        return document, []
    kept = [run for run in runs if not (isinstance(run, dict) and _has_ended(run, now))]
    return document | {"course_runs": kept}, [str(run.get("key")) for run in ended]


def variant_of(trimmed: dict[str, Any], *, ended_keys: Iterable[str]) -> Variant:
    """Describe a trimmed document; `ended_keys` are the keys of the runs that were trimmed out of it."""
    shown = sorted(ended_keys)
    missing_details = sum(field not in trimmed for field in _DETAIL_FIELDS)
    return Variant(
        core=digest(_core(trimmed)),
        rank=f"{len(shown):05d}.{missing_details}.{digest(shown)[:16]}",
        extras=digest(_extras(trimmed)),
    )


def choose_document(
    *, stored_document: dict[str, Any], stored: Variant, new_document: dict[str, Any], new: Variant
) -> tuple[dict[str, Any], Variant]:
    """
    Return the document to store in place of the stored one, and its variant; `new` replaces `stored`.

    If only undated fields differ, a worse variant gives its undated fields to the stored document and nothing else.
    Otherwise every change of a counter would let the latest variant win.
    """
    same_core = digest(without_undated_fields(_core(new_document))) == digest(
        without_undated_fields(_core(stored_document))
    )
    if new.core == stored.core or not same_core or replace(new, core=stored.core).replaces(stored):
        return new_document, new
    merged = without_undated_fields(_core(stored_document)) | undated_fields(_core(new_document))
    return merged | _extras(stored_document), replace(stored, core=new.core)


def _core(document: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in document.items() if field not in _VARIANT_FIELDS}


def _extras(document: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in document.items() if field in _VARIANT_FIELDS}


def _has_ended(run: dict[str, Any], now: datetime) -> bool:
    end = parse_datetime(run.get("end"))
    return end is not None and end < now
