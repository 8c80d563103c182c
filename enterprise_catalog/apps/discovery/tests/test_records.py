"""Full records and reviews are fetched completely (DISC-18, DISC-19, DISC-21)."""

from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.errors import DiscoveryError, DiscoveryIncomplete
from enterprise_catalog.apps.discovery.records import CourseReview, fetch_courses, fetch_programs, fetch_reviews
from enterprise_catalog.apps.discovery.tests.conftest import serve
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.sandbox.sandbox import Sandbox


def review(course_key: Any, count: Any = 3, rating: Any = 4.5) -> dict[str, Any]:
    return {"course_key": course_key, "reviews_count": count, "avg_course_rating": rating}


def asked_keys(discovery: Sandbox) -> list[list[str]]:
    return [call.query["keys"][0].split(",") for call in discovery.calls("courses")]


def test_full_records_of_courses_are_unchanged(discovery: Sandbox, client: DiscoveryClient):
    keys = discovery.dataset.course_keys()[:3]

    records = fetch_courses(client=client, keys=keys).packed

    assert {key: unpack(packed) for key, packed in records.items()} == {
        key: discovery.course_record(key) for key in keys
    }


def test_unknown_courses_are_absent(discovery: Sandbox, client: DiscoveryClient):
    """A missing key is not an error (DISC-18)."""
    known = discovery.dataset.course_keys()[0]

    assert list(fetch_courses(client=client, keys=["edX+Unknown", known]).packed) == [known]


def test_no_keys_are_no_requests(discovery: Sandbox, client: DiscoveryClient):
    assert fetch_courses(client=client, keys=[]).packed == {}
    assert discovery.calls("courses") == []


def test_a_request_has_fifty_keys_and_no_key_twice(settings: Settings):  # DISC-18
    with Sandbox(courses=120, programs=0) as discovery:
        serve(discovery, settings)
        keys = discovery.dataset.course_keys()

        records = fetch_courses(client=DiscoveryClient(), keys=keys + keys[:10]).packed

        assert sorted(records) == keys
        assert [len(chunk) for chunk in asked_keys(discovery)] == [50, 50, 20]


def test_long_keys_take_more_requests(discovery: Sandbox, client: DiscoveryClient):
    """No URL is longer than common servers accept."""
    keys = [f"edX+{number:02}{'数' * 240}" for number in range(20)]
    for key in keys:
        discovery.upsert_record(discovery.course_record(discovery.dataset.course_keys()[0]) | {"key": key})

    assert sorted(fetch_courses(client=client, keys=keys).packed) == keys
    assert max(len(chunk) for chunk in asked_keys(discovery)) < 20


def test_a_key_with_a_comma_requests_no_other_course(discovery: Sandbox, client: DiscoveryClient):
    one, other = discovery.dataset.course_keys()[:2]

    assert fetch_courses(client=client, keys=[f"{one},{other}"]).packed == {}


def test_keys_are_compared_exactly(discovery: Sandbox, client: DiscoveryClient):
    """Other records that discovery returns are ignored (DISC-11)."""
    key = discovery.dataset.course_keys()[0]
    odd = [
        {"key": key.lower()},
        {"key": f"{key}X"},
        {"key": None},
        {"key": [key]},
        "text",
        discovery.course_record(key),
    ]
    discovery.add_fault(endpoint="courses", merge={"results": odd, "count": len(odd), "next": None})

    assert list(fetch_courses(client=client, keys=[key]).packed) == [key]


def test_all_pages_of_a_request_are_read(discovery: Sandbox, client: DiscoveryClient):  # DISC-18
    one, other = discovery.dataset.course_keys()[:2]
    first = {"count": 2, "next": f"{discovery.url}/?offset=1", "results": [discovery.course_record(one)]}
    discovery.add_fault(endpoint="courses", contains="offset=0", merge=first)
    discovery.add_fault(
        endpoint="courses", contains="offset=1", merge={"count": 2, "results": [discovery.course_record(other)]}
    )

    assert sorted(fetch_courses(client=client, keys=[one, other]).packed) == [one, other]
    assert [call.query["offset"] for call in discovery.calls("courses")] == [["0"], ["1"]]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 500}, "discovery_unavailable"),
        ({"status": 403}, "discovery_rejected"),
        ({"status": 429, "retry_after": 3000}, "discovery_throttled"),
        ({"drop": True}, "discovery_unavailable"),
        ({"truncate": True}, "discovery_unavailable"),
        ({"nan": True}, "discovery_malformed"),
        ({"merge": {"results": None}}, "discovery_malformed"),
        ({"missing": 0}, "discovery_incomplete"),
        ({"count_delta": 1}, "discovery_incomplete"),
        ({"looping_next": True}, "discovery_incomplete"),
    ],
)
@pytest.mark.parametrize("endpoint", ["courses", "programs"])
def test_a_failed_or_inconsistent_answer_is_an_error(
    discovery: Sandbox, client: DiscoveryClient, endpoint: str, fault: dict[str, Any], code: str
):  # DISC-18, REFR-18
    discovery.add_fault(endpoint=endpoint, **fault)
    fetch = {
        "courses": partial(fetch_courses, keys=discovery.dataset.course_keys()[:3]),
        "programs": partial(fetch_programs, uuids=discovery.dataset.program_uuids()),
    }[endpoint]

    with pytest.raises(DiscoveryError) as raised:
        fetch(client=client)

    assert Reason.of(raised.value) == code


def test_an_answer_that_changed_is_read_once_more(discovery: Sandbox, client: DiscoveryClient):  # DISC-8
    keys = discovery.dataset.course_keys()[:3]
    discovery.add_fault(endpoint="courses", times=1, missing=1)

    assert sorted(fetch_courses(client=client, keys=keys).packed) == keys


def test_a_record_that_cannot_be_stored_is_absent(discovery: Sandbox, client: DiscoveryClient):  # P7
    one, other = discovery.dataset.course_keys()[:2]
    deep = f'{{"key": "{one}", "deep": {"[" * 500}{"]" * 500}}}'
    plain = f'{{"key": "{other}"}}'
    discovery.add_fault(endpoint="courses", raw=f'{{"count": 2, "next": null, "results": [{deep}, {plain}]}}')

    records = fetch_courses(client=client, keys=[one, other])
    assert list(records.packed) == [other]
    assert list(records.unusable) == [one]


def test_programs_are_requested_extended(discovery: Sandbox, client: DiscoveryClient):  # DISC-19
    uuids = discovery.dataset.program_uuids()

    records = fetch_programs(client=client, uuids=uuids).packed

    assert sorted(records) == uuids
    assert unpack(records[uuids[0]])["courses"]
    assert discovery.calls("programs")[0].query["extended"] == ["True"]


def test_reviews_of_all_pages_are_read(settings: Settings):  # DISC-21
    with Sandbox(courses=200, programs=0) as discovery:
        serve(discovery, settings)

        reviews = fetch_reviews(client=DiscoveryClient())

        assert len(reviews) == len(discovery.dataset.reviews()) > 100
        assert len(discovery.calls("course_review")) == 2


def test_malformed_reviews_are_left_out(discovery: Sandbox, client: DiscoveryClient):  # DISC-21
    rows = [
        review("edX+Good", 12, "4.25"),
        review(None),
        review(7),
        review("k" * 256),
        review("edX+\x00"),
        review("edX+1", count=None),
        review("edX+2", count=-1),
        review("edX+3", count=2**40),
        review("edX+4", rating="many"),
        review("edX+5", rating=-1),
        review("edX+6", rating="nan"),
        review("edX+7", rating="inf"),
        {"course_key": "edX+8"},
        "text",
        None,
    ]
    discovery.add_fault(endpoint="course_review", merge={"count": len(rows), "next": None, "results": rows})

    assert fetch_reviews(client=client) == [CourseReview("edX+Good", 12, 4.25)]


def test_reviews_that_cannot_be_read_are_an_error(discovery: Sandbox, client: DiscoveryClient):
    """The stored reviews are kept then (DISC-21)."""
    discovery.add_fault(endpoint="course_review", no_next=True, missing=0)

    with pytest.raises(DiscoveryIncomplete):
        fetch_reviews(client=client)
