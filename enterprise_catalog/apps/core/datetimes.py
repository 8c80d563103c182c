"""Read discovery's dates, with or without a zone, and write the API's dates, ISO 8601 in UTC with `Z` (COM-13)."""

from datetime import UTC, datetime
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_datetime(value: Any) -> datetime | None:
    """Read a date of discovery, in UTC unless it has a zone. Return None if it is not a date (DISC-17)."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def sortable_iso(value: datetime) -> str:
    """Write a datetime as text of fixed width, so that later ones compare greater as text."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")


def api_iso_from_sortable(sortable: str) -> str:
    """Return the API's form of a `sortable_iso`: with microseconds only if they are not zero (COM-13)."""
    return f"{sortable.removesuffix('.000000')}Z"


def api_iso(value: datetime | None) -> str | None:
    """Return the API's form of a datetime; None stays None."""
    return None if value is None else api_iso_from_sortable(sortable_iso(value))
