"""Fuzz documents in the fields that the code reads: any course becomes an item (P7, DISC-17)."""

from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.content.items import build_item
from enterprise_catalog.apps.catalog.content.prepared_content import prepare_content
from enterprise_catalog.apps.catalog.rendering.item_template import GAP, render_template
from enterprise_catalog.apps.core.packed_json import pack

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KNOWN_TEXT = st.sampled_from(
    ["verified", "published", "custom-b2c", "executive-education-2u", "paid-executive-education", "50.00", "x",
     "2026-01-01T00:00:00Z", "9999-12-31", "0001-01-01T00:00:00+14:00", "http://[broken", "https://e.org/?a=1"]
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS | TEXT | KNOWN_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def odd_object(*fields: str):
    return st.fixed_dictionaries({}, optional=dict.fromkeys(fields, ANYTHING))


SEATS = st.lists(odd_object("type", "upgrade_deadline", "upgrade_deadline_override") | ANYTHING, max_size=3) | ANYTHING
RUNS = st.lists(
    st.builds(
        lambda run, seats: run | {"seats": seats},
        odd_object(
            "key", "uuid", "end", "status", "restriction_type", "is_enrollable", "is_marketable", "fixed_price_usd",
            "enrollment_end", "first_enrollable_paid_seat_price",
        ),
        SEATS,
    )
    | ANYTHING,
    max_size=3,
)  # fmt: skip
COURSES = st.builds(
    lambda course, runs, entitlements: course | {"course_runs": runs, "entitlements": entitlements},
    odd_object(
        "course_type", "product_source", "marketing_url", "advertised_course_run_uuid", "languages", "active", "key",
        "course_run_keys", "enrollment_url", "title",
    ),
    RUNS | ANYTHING,
    st.lists(odd_object("mode", "price", "sku") | ANYTHING, max_size=3) | ANYTHING,
)  # fmt: skip


@given(COURSES, st.none() | COURSES)
def test_any_course_becomes_an_item(search_document, full_record):  # P7, DISC-17
    search_document |= {"content_type": "course", "aggregation_key": "course:k"}
    prepare_content(
        pack(search_document),
        content_key="k",
        content_type="course",
        parent_content_key=None,
        content_uuid=None,
        now=datetime(2026, 11, 23, tzinfo=UTC),
    )
    item = build_item(
        content_key="k",
        content_type="course",
        parent_content_key=None,
        search_document=search_document,
        full_record=full_record,
    )
    head, *segments = render_template(item, content_key="k", modified="2026-01-01T00:00:00.000000").split(GAP)
    assert len(segments) == len(orjson.loads(head)["runs"]) + 1
    assert orjson.loads(b"".join(segments) + b"}")["aggregation_key"] == "course:k"
