"""Compute a course's advertised run, whether it is active, and its normalized metadata."""

from datetime import UTC, datetime

from tests.contract.oracle.world import EXEC_ED, EXEC_ED_MODE, UNREADABLE_PRICE, Item, runs_of

SEAT_ORDER = ["verified", "professional", "no-id-professional", "unpaid-executive-education", "audit"]


def instant(text: str) -> datetime:
    """Read a time; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def advertised(course: Item) -> Item | None:
    uuid = course.get("advertised_course_run_uuid")
    return next((run for run in runs_of(course) if uuid and run.get("uuid") == uuid), None)


def is_active(run: Item, *, allowed: bool) -> bool:  # META-20
    published = (run.get("status") or "").lower() == "published"
    meant_for_all = (published and bool(run.get("is_marketable"))) or bool(run.get("is_marketable_external"))
    return bool(run.get("is_enrollable")) and (meant_for_all or (published and allowed))


def normalized(course: Item, run: Item | None) -> Item:  # META-30, META-31
    return {
        "start_date": (run or {}).get("start"),
        "end_date": (run or {}).get("end"),
        "enroll_start_date": (run or {}).get("enrollment_start"),
        "enroll_by_date": _enroll_by(course, run) if run else None,
        "content_price": _price(course, run or {}),
    }


def _enroll_by(course: Item, run: Item) -> str | None:  # META-32, META-33
    if course.get("course_type") == EXEC_ED:
        return run.get("enrollment_end")
    rank = {kind: place for place, kind in enumerate(SEAT_ORDER)}
    seats = sorted(run.get("seats") or [], key=lambda seat: rank.get(seat.get("type"), len(rank)))
    deadline = seats and (seats[0].get("upgrade_deadline_override") or seats[0].get("upgrade_deadline"))
    return min((date for date in (run.get("enrollment_end"), deadline) if date), key=instant, default=None)


def _price(course: Item, run: Item) -> float | None:  # META-34
    candidates = [run.get("fixed_price_usd")]
    if course.get("course_type") == EXEC_ED:
        mode = [row for row in course.get("entitlements") or [] if row.get("mode") == EXEC_ED_MODE]
        candidates += [row.get("price") for row in mode]
    candidates.append(run.get("first_enrollable_paid_seat_price"))
    truthy = [price for price in candidates if price]
    prices = [float(price) for price in truthy if price != UNREADABLE_PRICE]
    return prices[0] if prices else None if truthy else 0.0
