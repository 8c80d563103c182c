"""
Moments in documents and answers: discovery writes them with or without a zone, the API always as ISO 8601 UTC with
`Z` (COM-13).
"""

from datetime import UTC, datetime
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_datetime(value: Any) -> datetime | None:
    """Read what discovery calls a date, without a zone as UTC; None for everything that is none (DISC-17)."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def sortable_iso(moment: datetime) -> str:
    """Text of fixed width, so that later moments compare greater as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")


def api_iso_from_sortable(sortable: str) -> str:
    """The API's form of a sortable moment: microseconds only when they are not zero (COM-13)."""
    return f"{sortable.removesuffix('.000000')}Z"


def api_iso(moment: datetime | None) -> str | None:
    """The API's form of a moment; None stays None."""
    return None if moment is None else api_iso_from_sortable(sortable_iso(moment))
