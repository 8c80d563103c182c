"""
Items show no restricted run, wherever a document repeats courses or runs (V2-2, V2-5, V2-6).

The generated documents are the real-shaped samples with copies of runs put anywhere.
"""

import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.content.items import build_item
from enterprise_catalog.apps.catalog.content.restricted_runs import (
    may_have_restricted_runs,
    named_keys,
    restricted_names,
    without_restricted_runs,
)
from enterprise_catalog.apps.catalog.rendering.item_template import render_template
from enterprise_catalog.apps.catalog.rendering.template_filler import catalog_independent_item
from enterprise_catalog.testing.properties import examples
from tests import samples

B2B, B2C = "custom-b2b-enterprise", "custom-b2c"
COURSE, OPEN, HIDDEN, ALLOWED = "edX+A", "course-v1:edX+A+1T", "course-v1:edX+A+2T", "course-v1:edX+A+3T"
HIDDEN_UUID = "00000000-0000-4000-8000-000000000001"
HIDDEN_RUN = {"key": HIDDEN, "uuid": HIDDEN_UUID, "restriction_type": B2C, "status": "reviewed"}
ALLOWED_RUN = {"key": ALLOWED, "uuid": "00000000-0000-4000-8000-000000000002", "restriction_type": B2B}
OPEN_RUN = {
    "key": OPEN,
    "uuid": "00000000-0000-4000-8000-000000000003",
    "restriction_type": None,
    "status": "published",
}


def sample(name: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads((Path(str(samples.__file__)).parent / name).read_text())["results"]
    return results


def item_of(
    content_type: str, search: dict[str, Any], record: dict[str, Any] | None = None, **arguments: Any
) -> dict[str, Any]:
    item: dict[str, Any] = build_item(
        content_key="k",
        content_type=content_type,
        parent_content_key=None,
        search_document={"aggregation_key": f"{content_type}:k"} | search,
        full_record=record,
        **arguments,
    )
    return item


PLACES = {
    "courses of a program": {"courses": [{"key": COURSE, "course_runs": [OPEN_RUN, HIDDEN_RUN]}]},
    "curricula": {"curricula": [{"courses": [{"course_runs": [HIDDEN_RUN]}], "programs": [{"courses": [HIDDEN_RUN]}]}]},
    "steps of a pathway": {"steps": [{"courses": [{"key": COURSE, "course_runs": [HIDDEN_RUN]}], "programs": []}]},
    "keys beside a course": {"x": [HIDDEN_RUN], "courses": [{"key": COURSE, "course_run_keys": [OPEN, HIDDEN]}]},
    "an object with only a key": {"x": [HIDDEN_RUN], "steps": [{"courses": [{"course_runs": [{"key": HIDDEN}]}]}]},
    "an object that is no list's": {"canonical_course_run": HIDDEN_RUN},
    "a field": {"x": [[HIDDEN_RUN]], "canonical_course_run_key": HIDDEN, "advertised_course_run_uuid": HIDDEN_UUID},
    "the name of a field": {"course_runs": [HIDDEN_RUN], "prices": {HIDDEN: 10, OPEN: 20}},
}


@pytest.mark.parametrize("content_type", ["course", "courserun", "program", "learnerpathway"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_restricted_runs_are_hidden_in_any_place(content_type, place):  # V2-2
    before = copy.deepcopy(place)
    for item in (item_of(content_type, place), item_of(content_type, {}, place)):
        assert HIDDEN not in json.dumps(item)
        assert HIDDEN_UUID not in json.dumps(item)
    assert place == before


@pytest.mark.parametrize(
    "place",
    [
        {"steps": [[HIDDEN]]},
        {"steps": [{"key": HIDDEN}]},
        {"courses": [{"canonical_course_run_key": HIDDEN}]},
        {"prices": {HIDDEN: 10, OPEN: 20}},
        {"courses": [{"runs": [{"key": HIDDEN, "uuid": HIDDEN_UUID}], "advertised_course_run_uuid": HIDDEN_UUID}]},
    ],
)
def test_a_run_named_by_key_alone_is_looked_up_and_hidden(place):  # V2-2
    """Other documents say that it is restricted. What is not found here would not be looked up there."""
    assert HIDDEN in named_keys(place)
    shown = json.dumps(item_of("program", {}, place, hidden_runs=frozenset({HIDDEN})))
    assert HIDDEN not in shown
    assert HIDDEN_UUID not in shown


def test_what_is_left_is_unchanged():  # V2-2, V2-6
    course = {"key": COURSE, "course_runs": [OPEN_RUN, HIDDEN_RUN], "course_run_keys": [OPEN, HIDDEN], "title": "A"}
    program = {"uuid": "p", "title": "P", "courses": [course, None, "x"], "topics": ["a", OPEN], "n": {"x": [1, None]}}
    shown = without_restricted_runs(program)
    left = {"course_runs": [OPEN_RUN], "course_run_keys": [OPEN], "course_run_statuses": ["published"]}
    assert shown == program | {"courses": [course | left, None, "x"]}
    nothing_hidden = {"uuid": "p", "courses": [{"course_runs": [OPEN_RUN]}]}
    assert without_restricted_runs(nothing_hidden) is nothing_hidden


def test_a_document_keeps_its_own_names():
    """A restricted run that has an item of its own, on v2, is that item (V2-4)."""
    run = {"content_type": "courserun", "siblings": [OPEN_RUN, ALLOWED_RUN]} | HIDDEN_RUN
    assert without_restricted_runs(run | {"copies": [HIDDEN_RUN]}) == run | {"siblings": [OPEN_RUN], "copies": []}


def test_an_allowed_run_is_shown_wherever_it_is_repeated():  # V2-2, V2-5
    record = {"course_runs": [ALLOWED_RUN, OPEN_RUN, HIDDEN_RUN], "programs": [{"x": [ALLOWED_RUN, HIDDEN_RUN]}]}
    item = item_of("course", {}, record, allowed_runs=frozenset({ALLOWED, HIDDEN}), hidden_runs=frozenset({ALLOWED}))
    assert [run["key"] for run in item["course_runs"]] == [OPEN, ALLOWED] == item["course_run_keys"]
    assert item["programs"] == [{"x": [ALLOWED_RUN]}]
    assert ALLOWED not in json.dumps(item_of("course", {}, record))


@pytest.mark.parametrize(
    ("advertised", "unrestricted", "allowed", "shown"),
    [
        (ALLOWED_RUN, OPEN_RUN, {ALLOWED}, ALLOWED_RUN),
        (ALLOWED_RUN, OPEN_RUN, set(), OPEN_RUN),
        (HIDDEN_RUN, OPEN_RUN, {HIDDEN}, OPEN_RUN),
        (OPEN_RUN, None, {ALLOWED}, OPEN_RUN),
        (HIDDEN_RUN, None, {ALLOWED}, None),
        (HIDDEN_RUN, HIDDEN_RUN, {ALLOWED}, None),
    ],
)
def test_the_advertised_run_is_one_that_the_query_shows(advertised, unrestricted, allowed, shown):  # V2-5
    runs = [
        run | {"start": run["key"], "first_enrollable_paid_seat_price": 7}
        for run in (OPEN_RUN, HIDDEN_RUN, ALLOWED_RUN)
    ]
    item = item_of(
        "course",
        {},
        {"course_runs": runs, "advertised_course_run_uuid": advertised["uuid"]},
        allowed_runs=frozenset(allowed),
        unrestricted_record={"advertised_course_run_uuid": unrestricted["uuid"] if unrestricted else None},
    )
    assert item["advertised_course_run_uuid"] == (shown["uuid"] if shown else None)
    assert item["normalized_metadata"]["start_date"] == (shown["key"] if shown else None)


def test_a_price_that_is_hidden_is_not_free():  # V2-2, META-34
    """Whatever has a restriction type is hidden, also where a price should be."""
    run = OPEN_RUN | {"fixed_price_usd": {"restriction_type": B2C}, "first_enrollable_paid_seat_price": None}
    item = item_of("course", {}, {"course_runs": [run], "advertised_course_run_uuid": run["uuid"]})
    assert item["course_runs"] == [run | {"fixed_price_usd": None}]
    assert item["normalized_metadata"]["content_price"] is None
    assert item["normalized_metadata_by_run"][OPEN]["content_price"] is None


def test_a_newer_record_opens_a_run():
    """The full record is newer than the search document, whose index it feeds (REFR-16, V2-2)."""
    search = {"course_runs": [OPEN_RUN | {"restriction_type": B2C}]}
    assert OPEN in json.dumps(item_of("course", search, {"course_runs": [OPEN_RUN], "course_run_keys": [OPEN]}))
    assert OPEN not in json.dumps(item_of("course", search, {"x": [OPEN]}))
    assert HIDDEN not in json.dumps(item_of("course", {"course_runs": [HIDDEN_RUN]}, {"course_run_keys": [HIDDEN]}))


def test_only_a_run_with_a_key_opens_one():  # V2-2
    """An object with nothing but a uuid is no run, and does not say that everybody may see one."""
    record = {"course_runs": [{"uuid": HIDDEN_UUID}, OPEN_RUN]}
    item = item_of("course", {"course_runs": [HIDDEN_RUN]}, record, hidden_runs=frozenset({HIDDEN}))
    assert item["course_runs"] == [OPEN_RUN]


DOCUMENTS = [
    ("course", document | record)
    for document in sample("search_all_page_1.json")
    for record in sample("courses_by_keys.json")
    if document["content_type"] == "course"
] + [("program", record) for record in sample("programs_by_uuids.json")] + [
    (document["content_type"], document)
    for page in (1, 2)
    for document in sample(f"search_all_page_{page}.json")
    if document["content_type"] in ("courserun", "learnerpathway")
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([OPEN, "verified", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "uuid", "x", "course_runs"]), inner)
    ),
    max_leaves=5,
)
# A restricted run and everything that names it.
NAMED = st.sampled_from(
    [
        HIDDEN_RUN, [HIDDEN_RUN], {"course_runs": [OPEN_RUN, HIDDEN_RUN], "course_run_keys": [OPEN, HIDDEN]}, [HIDDEN],
        [{"key": HIDDEN}], {"key": HIDDEN}, HIDDEN, {HIDDEN: 1}, [[HIDDEN_RUN], HIDDEN], {"uuid": HIDDEN_UUID},
        {"course_runs": HIDDEN_RUN}, {"key": HIDDEN, "restriction_type": None}, ALLOWED_RUN, [ALLOWED_RUN, ALLOWED],
    ]
)  # fmt: skip
FIELDS = st.sampled_from(
    ["course_runs", "courses", "curricula", "programs", "steps", "advertised_course_run_uuid", "x"]
)
ANYWHERE = st.recursive(
    NAMED,
    lambda inner: (
        st.lists(inner | VALUES, max_size=3) | st.dictionaries(FIELDS, inner | VALUES, min_size=1, max_size=2)
    ),
    max_leaves=6,
)


@examples(100)
@given(
    st.sampled_from(DOCUMENTS),
    st.dictionaries(FIELDS, ANYWHERE, min_size=1, max_size=3),
    st.dictionaries(FIELDS, ANYWHERE | VALUES, max_size=3),
    st.booleans(),
)
def test_no_document_makes_an_item_with_a_restricted_run(document, in_search, in_record, allowed):  # V2-2, V2-5, V2-6
    content_type, base = document
    # What other documents say is known, too.
    hidden_runs = frozenset({HIDDEN, ALLOWED})
    for runs, expected in ((None, {HIDDEN, ALLOWED}), (frozenset({ALLOWED, HIDDEN}), {HIDDEN})):
        if runs is not None and not allowed:
            continue
        search, record = base | {"content_type": content_type} | in_search, base | in_record
        before = copy.deepcopy((search, record))
        item = item_of(
            content_type, search, record, allowed_runs=runs, hidden_runs=hidden_runs, unrestricted_record=record
        )
        template = render_template(item, content_key="k", modified="2026-01-01T00:00:00.000000")
        served = orjson.dumps(orjson.loads(catalog_independent_item(template))).decode()
        assert not {name for name in expected if name in served}
        # Only a document that restricts the run tells its uuid.
        assert HIDDEN_UUID not in served or B2C not in json.dumps(before)
        assert (search, record) == before
        # Hiding once is enough, and the quick check finds every restricted run.
        left = without_restricted_runs(search, names=hidden_runs)
        assert without_restricted_runs(left, names=hidden_runs) is left or not restricted_names(left)
        assert not may_have_restricted_runs(orjson.dumps(left)) or "restriction_type" in left
        assert not named_keys(left) & hidden_runs
