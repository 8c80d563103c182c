"""Normalized metadata (META-30..35)."""

from typing import Any

import pytest

from enterprise_catalog.apps.catalog.content.normalized_metadata import content_price, exec_ed_sku, normalized_metadata

COURSE = {"course_type": "verified-audit"}
ENTITLEMENTS: list[dict[str, Any]] = [
    {"mode": "verified", "price": "1.00", "sku": "NO"},
    {"mode": "paid-executive-education", "price": "2900.00", "sku": "ONE"},
    {"mode": "paid-executive-education", "price": "3100.00", "sku": "TWO"},
]
EXEC_ED = {"course_type": "executive-education-2u", "entitlements": ENTITLEMENTS}


def normalized(*, course: dict[str, Any], run: dict[str, Any] | None) -> dict[str, Any]:
    return normalized_metadata(course=course, run=run, price=content_price(course=course, run=run))


def test_dates_are_the_runs_as_sent():  # META-31
    run = {"start": "2026-10-25T00:00:00Z", "end": "2027-04-19T00:00:00", "enrollment_start": None}
    metadata = normalized(course=COURSE, run=run)
    assert (metadata["start_date"], metadata["end_date"], metadata["enroll_start_date"]) == (
        "2026-10-25T00:00:00Z",
        "2027-04-19T00:00:00",
        None,
    )


def test_without_a_run_there_are_no_dates_but_a_price():  # META-30, META-34
    assert normalized(course=COURSE, run=None) == {
        "start_date": None,
        "end_date": None,
        "enroll_by_date": None,
        "enroll_start_date": None,
        "content_price": 0.0,
    }


def test_enroll_by_is_the_earlier_of_enrollment_end_and_upgrade_deadline():
    """Dates are compared in any time zones, and the original text is returned (META-33)."""
    run = {
        "enrollment_end": "2026-12-01T01:00:00+02:00",
        "seats": [{"type": "verified", "upgrade_deadline": "2026-11-30T23:30:00"}],
    }
    assert normalized(course=COURSE, run=run)["enroll_by_date"] == "2026-12-01T01:00:00+02:00"


@pytest.mark.parametrize(
    ("seats", "deadline"),
    [
        (
            [{"type": "audit", "upgrade_deadline": "2026-01-01"}, {"type": "verified", "upgrade_deadline": "2027"}],
            "2027",
        ),
        ([{"type": "odd", "upgrade_deadline": "2026-01-01"}, {"type": "audit", "upgrade_deadline": "2027"}], "2027"),
        ([{"type": "verified", "upgrade_deadline": "2026", "upgrade_deadline_override": "2028"}], "2028"),
        ([{"upgrade_deadline": None}], None),
        (None, None),
    ],
)
def test_the_best_seat_decides_the_deadline(seats, deadline):  # META-33
    assert normalized(course=COURSE, run={"seats": seats})["enroll_by_date"] == deadline


def test_exec_ed_ignores_seats():  # META-32
    run = {"enrollment_end": "2027-01-01", "seats": [{"type": "verified", "upgrade_deadline": "2026-01-01"}]}
    assert normalized(course=EXEC_ED, run=run)["enroll_by_date"] == "2027-01-01"


@pytest.mark.parametrize(
    ("course", "run", "price"),
    [
        (COURSE, {"fixed_price_usd": "50.00", "first_enrollable_paid_seat_price": 49}, 50.0),
        (COURSE, {"fixed_price_usd": "0.00", "first_enrollable_paid_seat_price": 49}, 0.0),
        (COURSE, {"fixed_price_usd": 0, "first_enrollable_paid_seat_price": "49.50"}, 49.5),
        (COURSE, {"fixed_price_usd": "", "first_enrollable_paid_seat_price": "49.50"}, 49.5),
        (EXEC_ED, {"fixed_price_usd": None, "first_enrollable_paid_seat_price": 49}, 2900.0),
        (EXEC_ED, None, 2900.0),
        (COURSE, {"first_enrollable_paid_seat_price": None}, 0.0),
        (COURSE, {"fixed_price_usd": "call us", "first_enrollable_paid_seat_price": "49.50"}, 49.5),
        (COURSE, {"fixed_price_usd": True, "first_enrollable_paid_seat_price": "0.00"}, 0.0),
        (EXEC_ED | {"entitlements": [ENTITLEMENTS[1] | {"price": {}}, ENTITLEMENTS[2]]}, None, 3100.0),
        (EXEC_ED | {"entitlements": [ENTITLEMENTS[1] | {"price": "n/a"}]}, None, None),
        (COURSE, {"first_enrollable_paid_seat_price": "not a price"}, None),
        (COURSE, {"fixed_price_usd": "NaN", "first_enrollable_paid_seat_price": [49]}, None),
        (COURSE, {"fixed_price_usd": False, "first_enrollable_paid_seat_price": []}, None),
    ],
)
def test_price(course, run, price):
    """
    Text is truthy unless it is empty, so "0.00" is a price. What cannot be read is passed over, and never free
    (META-34, META-35).
    """
    assert normalized(course=course, run=run)["content_price"] == price


def test_the_last_exec_ed_sku_is_sold():  # ENR-4
    assert exec_ed_sku(EXEC_ED) == "TWO"
    assert exec_ed_sku(COURSE) is None
