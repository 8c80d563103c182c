"""
Compute normalized metadata: four dates and the price of a course or run (META-30..35). Clients would otherwise have to
find them in runs, seats and entitlements.

Pure functions over the full record. Dates are returned as discovery wrote them.
"""

from typing import Any

from enterprise_catalog.apps.catalog.content.course_document import EXEC_ED_ENTITLEMENT_MODE, dicts, is_exec_ed, number
from enterprise_catalog.apps.core.datetimes import parse_datetime

_BEST_SEAT_ORDER = ("verified", "professional", "no-id-professional", "unpaid-executive-education", "audit")


def normalized_metadata(*, course: dict[str, Any], run: dict[str, Any] | None, price: float | None) -> dict[str, Any]:
    """
    The normalized metadata of one run of a course, or of a course without an advertised run (`run` None). `price` is
    that of `content_price`.
    """
    return {
        "start_date": run.get("start") if run else None,
        "end_date": run.get("end") if run else None,
        "enroll_by_date": _enroll_by(course, run) if run else None,
        "enroll_start_date": run.get("enrollment_start") if run else None,
        "content_price": price,
    }


def content_price(*, course: dict[str, Any], run: dict[str, Any] | None) -> float | None:
    """
    Return the first price that is given and can be read as a number (META-34). Text such as "0.00" counts as given.

    Returns 0.0 if no price is given, and None if none of those that are given can be read: unknown is not free. So the
    documents must be those that discovery sent: a price that was hidden would count as missing.
    """
    candidates = [run.get("fixed_price_usd") if run else None]
    if is_exec_ed(course):
        candidates += [entry.get("price") for entry in _exec_ed_entitlements(course)]
    candidates.append(run.get("first_enrollable_paid_seat_price") if run else None)
    given = [number(candidate) for candidate in candidates if _is_given(candidate)]
    return next((price for price in given if price is not None), None if given else 0.0)


def exec_ed_sku(course: dict[str, Any]) -> str | None:
    """The SKU of the last executive education entitlement, which is the one that is sold (ENR-4)."""
    skus = [entitlement.get("sku") for entitlement in _exec_ed_entitlements(course)]
    return skus[-1] or None if skus else None


def _exec_ed_entitlements(course: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in dicts(course.get("entitlements")) if entry.get("mode") == EXEC_ED_ENTITLEMENT_MODE]


def _enroll_by(course: dict[str, Any], run: dict[str, Any]) -> str | None:
    enrollment_end = run.get("enrollment_end")
    if is_exec_ed(course):
        return enrollment_end
    seats = sorted(dicts(run.get("seats")), key=_seat_preference)
    deadline = (seats[0].get("upgrade_deadline_override") or seats[0].get("upgrade_deadline")) if seats else None
    known = [(date, text) for text in (enrollment_end, deadline) if (date := parse_datetime(text))]
    if not known:
        return enrollment_end or deadline
    return min(known, key=lambda pair: pair[0])[1]


def _seat_preference(seat: dict[str, Any]) -> int:
    seat_type = seat.get("type")
    return _BEST_SEAT_ORDER.index(seat_type) if seat_type in _BEST_SEAT_ORDER else len(_BEST_SEAT_ORDER)


def _is_given(price: Any) -> bool:
    """Return False for a missing price: null, an empty text, or the number 0."""
    return price not in (None, "", 0) or price is False
