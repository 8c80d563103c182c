"""
Hide restricted runs wherever a document repeats courses or runs (V2-2, V2-5, V2-6).

Discovery repeats them in courses, programs, curricula, steps of pathways and other places, and adds more. So nothing
here depends on where. An object with a restriction type is a restricted run. Whatever names that run elsewhere in the
document by its key or uuid (an object with only a key, a list of keys beside a course) is hidden with it.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from enterprise_catalog.apps.catalog.content.course_document import (
    describe_runs,
    is_restricted,
    may_be_allowed,
)

# Each restricted run has one. Most documents have none, which a search in their bytes shows.
_FIELD, _OPEN_FIELD = b'"restriction_type":', b'"restriction_type":null'

# As opaque-keys writes them: course-v1:edX+DemoX+1T2026, or edX/DemoX/1T2026 as it was long ago.
_RUN_KEY = re.compile(r"[^\s/:+]+:[^\s/+]+(?:\+[^\s/+]+)+|[^\s/:]+/[^\s/:]+/[^\s/:]+")


def may_have_restricted_runs(document: bytes) -> bool:
    """Return False if the JSON of a document, as orjson writes it, has no restricted run in it."""
    return document.count(_FIELD) != document.count(_OPEN_FIELD)


def restricted_names(document: dict[str, Any], *, allowed: Collection[str] = ()) -> frozenset[str]:
    """
    Return the keys and uuids of all restricted runs inside a document, without those that are allowed by key.

    The document's own key and uuid are never among them.
    """
    hidden = (run for run in _objects_inside(document) if _is_hidden(run, allowed))
    return frozenset[str]().union(*map(names_of, hidden)) - names_of(document)


def named_keys(document: dict[str, Any]) -> frozenset[str]:
    """
    Return all texts in a document that may be the key of a run.

    These are the keys of objects, the entries of lists, and what has the form of a course run's key anywhere else: as
    the value or the name of a field.
    """
    found: set[str] = set()
    pending: list[Any] = [document]
    while pending:
        outer = pending.pop()
        if isinstance(outer, dict):
            found.update(filter(_RUN_KEY.fullmatch, outer))
            texts = ((field, inner) for field, inner in outer.items() if isinstance(inner, str))
            found.update(text for field, text in texts if field == "key" or _RUN_KEY.fullmatch(text))
            pending.extend(outer.values())
        elif isinstance(outer, list):
            found.update(entry for entry in outer if isinstance(entry, str))
            pending.extend(outer)
    return frozenset(found) - names_of(document)


def without_restricted_runs(
    document: dict[str, Any], *, allowed: Collection[str] = (), names: Collection[str] = ()
) -> dict[str, Any]:
    """
    Return a document without restricted runs, except for those that are allowed by key.

    `names` are keys and uuids of further hidden runs. A course that lost runs has the summaries of those that are left.
    Returns the document itself if nothing is hidden, and changes nothing.
    """
    hidden = restricted_names(document, allowed=allowed) | (frozenset(names) - names_of(document))
    if not hidden and not any(_is_hidden(run, allowed) for run in _objects_inside(document)):
        return document
    # A run that is named by its key in one place may be named by its uuid in another.
    named = (names_of(value) for value in _objects_inside(document))
    hidden = hidden.union(*(names for names in named if not hidden.isdisjoint(names))) - names_of(document)
    shown: dict[str, Any] = _Hiding(hidden, allowed).shown(document)
    return shown


class _Hiding:
    """Copies values without the hidden runs."""

    def __init__(self, names: frozenset[str], allowed: Collection[str]) -> None:
        self._names = names
        self._allowed = allowed

    def shown(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.shown(entry) for entry in value if not self._hides(entry)]
        if not isinstance(value, dict):
            return value
        shown = {
            field: None if self._hides(entry) else self.shown(entry)
            for field, entry in value.items()
            if field not in self._names
        }
        runs, left = value.get("course_runs"), shown.get("course_runs")
        if isinstance(runs, list) and isinstance(left, list) and len(left) < len(runs):
            describe_runs(shown)
        return shown

    def _hides(self, value: Any) -> bool:
        if isinstance(value, str):
            return value in self._names
        if not isinstance(value, dict):
            return False
        return _is_hidden(value, self._allowed) or not self._names.isdisjoint(names_of(value))


def _is_hidden(run: dict[str, Any], allowed: Collection[str]) -> bool:
    return is_restricted(run) and not (may_be_allowed(run) and _text(run.get("key")) in allowed)


def _objects_inside(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects in a value at any depth, without the value itself."""
    pending = [value]
    while pending:
        outer = pending.pop()
        for inner in outer.values() if isinstance(outer, dict) else outer:
            if isinstance(inner, dict):
                yield inner
                pending.append(inner)
            elif isinstance(inner, list):
                pending.append(inner)


def names_of(value: dict[str, Any]) -> frozenset[str]:
    """Return the key and the uuid of an object."""
    return frozenset(text for field in ("key", "uuid") if (text := _text(value.get(field))))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
