"""
Turn an item into a row of a table, with the columns that people sort and filter by (EXP-1).

Pure functions over items as get_content_metadata serves them. Nothing here knows about file formats. A field of an odd
shape makes an empty cell and never an error.
"""

from collections.abc import Callable
from typing import Any

from enterprise_catalog.apps.catalog.content.course_document import number

Cell = str | float | bool | None

# Spreadsheets evaluate text that begins with one of these, or its full-width form, as a formula.
_FORMULA_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def export_row(item: dict[str, Any]) -> list[Cell]:
    """The cells of one item, in the order of COLUMNS; None for a missing value."""
    return [_cell(value(item)) for value in COLUMNS.values()]


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        # An apostrophe marks the cell as text.
        return f"'{value}" if _may_be_formula(value) else value
    return value if isinstance(value, bool | int | float) else None


def _may_be_formula(text: str) -> bool:
    """Return whether a formula may begin here, after blanks and invisible characters, which some programs drop."""
    for character in text:
        if character in _FORMULA_STARTS:
            return True
        if character.isprintable() and not character.isspace():
            return False
    return False


def _content_key(item: dict[str, Any]) -> Any:
    return item["uuid"] if item["content_type"] == "program" else item["key"]


def _names(*fields: str) -> Callable[[dict[str, Any]], str | None]:
    """A function that returns the first non-empty one of these fields as text: names, separated by semicolons."""

    def names(item: dict[str, Any]) -> str | None:
        for field in fields:
            value = item.get(field)
            known = [name for entry in (value if isinstance(value, list) else [value]) if (name := _name(entry))]
            if known:
                return "; ".join(known)
        return None

    return names


def _name(entry: Any) -> str | None:
    """The name of a thing: search documents have it as text, full records as an object."""
    if isinstance(entry, dict):
        key, name = _text(entry.get("key")), _text(entry.get("name"))
        return f"{key}: {name}" if key and name and key != name else name or key
    return _text(entry)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _date(normalized: str, of_a_run: str) -> Callable[[dict[str, Any]], Any]:
    """A function that returns a date of a run, or of a course's advertised run, as discovery wrote it."""
    return lambda item: _text(_normalized(item).get(normalized)) or _text(item.get(of_a_run))


def _price(item: dict[str, Any]) -> float | None:
    normalized = _normalized(item)
    return number(
        normalized["content_price"] if "content_price" in normalized else item.get("first_enrollable_paid_seat_price")
    )


def _normalized(item: dict[str, Any]) -> dict[str, Any]:
    """The normalized metadata of an item. Documents of runs and programs may have anything under this name."""
    value = item.get("normalized_metadata")
    return value if isinstance(value, dict) else {}


COLUMNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "content_key": _content_key,
    "content_type": lambda item: item["content_type"],
    "title": lambda item: item.get("title"),
    "parent_content_key": lambda item: item["parent_content_key"],
    "organizations": _names("organizations", "owners", "authoring_organizations", "org"),
    "subjects": _names("subjects"),
    "languages": _names("languages", "language", "content_language"),
    "level_type": _names("level_type"),
    "start_date": _date("start_date", "start"),
    "end_date": _date("end_date", "end"),
    "enroll_by_date": _date("enroll_by_date", "enrollment_end"),
    "content_price": _price,
    "active": lambda item: item.get("active"),
    "enrollment_url": lambda item: item.get("enrollment_url"),
    "content_last_modified": lambda item: item["content_last_modified"],
}
