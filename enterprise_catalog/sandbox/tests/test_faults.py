"""Faults spoil exactly the answers they were asked to spoil."""

import json
import time

import pytest
import requests

from enterprise_catalog.sandbox.faults import BadFault

COURSES = {"content_type": "course"}


def statuses(client, **query):
    return [client.search(COURSES, page_size=20, page=page, **query).status_code for page in (1, 2, 3)]


def test_a_status_strikes_the_page_it_was_meant_for(client, sandbox):
    sandbox.add_fault(endpoint="search_v1", page=2, status=503)
    assert statuses(client) == [200, 503, 200]


def test_cursor_pages_have_numbers_too(client, sandbox):
    sandbox.add_fault(endpoint="search", page=2, merge={"spoilt": True})
    pages = client.walk(COURSES, version=2, page_size=20)
    assert ["spoilt" in page for page in pages] == [False, True, False, False]


def test_a_fault_may_strike_the_nth_call_only(client, sandbox):
    sandbox.add_fault(endpoint="search_v1", call=2, status=500)
    assert [client.search(COURSES).status_code for _ in range(3)] == [200, 500, 200]


def test_a_fault_may_wear_off(client, sandbox):
    number = sandbox.add_fault(endpoint="*", times=2, status=500)
    assert [client.search(COURSES).status_code for _ in range(3)] == [500, 500, 200]
    assert sandbox.fault_applied(number) == 2


def test_a_fault_may_strike_one_request_among_others(client, sandbox):
    sandbox.add_fault(endpoint="search", contains="Org00X", status=500)
    assert client.search({"org": "Org00X"}).status_code == 500
    assert client.search({"org": "Org01X"}).status_code == 200


def test_other_endpoints_are_left_alone(client, sandbox):
    sandbox.add_fault(endpoint="courses", status=500)
    assert client.search(COURSES).status_code == 200
    assert client.get("/api/v1/courses/").status_code == 500


def test_a_throttled_answer_says_when_to_come_back(client, sandbox):  # DISC-16
    sandbox.add_fault(endpoint="search", status=429, retry_after=7)
    assert client.search(COURSES).headers["Retry-After"] == "7"


@pytest.mark.parametrize("effect", ["drop", "truncate"])
def test_a_broken_connection_breaks(client, sandbox, effect):
    sandbox.add_fault(endpoint="search", **{effect: True})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.search(COURSES)


def test_a_truncated_answer_promised_more(client, sandbox):
    sandbox.add_fault(endpoint="search", truncate=True)
    answer = client.post("/api/v1/search/all/", json=COURSES, stream=True)
    assert answer.status_code == 200
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        answer.json()


def test_a_malformed_answer_is_no_json(client, sandbox):  # DISC-17
    sandbox.add_fault(endpoint="search", malformed=True)
    answer = client.search(COURSES)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(answer.text)


def test_nan_is_no_json_either(client, sandbox):  # DISC-17
    sandbox.add_fault(endpoint="search", nan=True)
    assert client.search(COURSES).text.endswith(":NaN}")


def test_counts_can_lie(client, sandbox):  # DISC-8
    sandbox.add_fault(endpoint="search", page=2, count_delta=-3)
    assert [page["count"] for page in client.walk(COURSES, page_size=30)] == [60, 57]


def test_an_item_can_be_listed_twice(client, sandbox):  # DISC-15
    sandbox.add_fault(endpoint="search", duplicate=0)
    keys = [document["key"] for document in client.search(COURSES, page_size=10).json()["results"]]
    assert (len(keys), len(set(keys))) == (11, 10)


def test_an_item_can_go_missing(client, sandbox):
    """DISC-15: while the count still has it."""
    sandbox.add_fault(endpoint="search", missing=0)
    page = client.search(COURSES, page_size=100).json()
    assert (page["count"], len(page["results"])) == (60, 59)


def test_next_can_point_elsewhere(client, sandbox):  # DISC-5
    sandbox.add_fault(endpoint="search", foreign_next=True)
    assert client.search(COURSES).json()["next"].startswith("https://elsewhere.example.com/api/v1/search/all/")


def test_next_can_loop(client, sandbox):  # DISC-8
    sandbox.add_fault(endpoint="search", looping_next=True)
    answer = client.search(COURSES, page_size=10, page=2)
    assert "page=2&" in answer.json()["next"]


def test_next_can_end_the_walk_early(client, sandbox):  # DISC-8
    sandbox.add_fault(endpoint="search", no_next=True)
    assert len(client.walk(COURSES, page_size=10)) == 1


def test_an_answer_can_be_anything(client, sandbox):
    """DISC-8: not every 200 is a page."""
    sandbox.add_fault(endpoint="search", raw="[]")
    assert client.search(COURSES).json() == []


def test_an_answer_can_take_longer_than_its_reader_waits(client, sandbox):
    sandbox.add_fault(endpoint="search", delay=30)
    with pytest.raises(requests.ReadTimeout):
        client.session.post(f"{sandbox.url}/api/v1/search/all/", json=COURSES, timeout=0.1)


def test_a_dripping_answer_never_makes_one_read_wait(client, sandbox):
    """DISC-7: only a deadline for the whole ends it."""
    sandbox.add_fault(endpoint="search", drip=1.5)
    started = time.monotonic()
    answer = client.session.post(f"{sandbox.url}/api/v1/search/all/", json=COURSES, timeout=1)
    assert answer.json()["count"] == 60
    assert time.monotonic() - started > 1


def test_the_token_endpoint_can_fail_as_well(client, sandbox):  # DISC-1
    sandbox.add_fault(endpoint="token", times=1, status=500)
    assert [client.token_request().status_code for _ in range(2)] == [500, 200]


def test_faults_end_when_cleared(client, sandbox):
    sandbox.add_fault(endpoint="*", status=500)
    sandbox.clear_faults()
    assert client.search(COURSES).status_code == 200


@pytest.mark.parametrize("fault", [{"endpoint": "nowhere", "status": 500}, {"endpoint": "search", "page": 2}])
def test_a_fault_that_would_do_nothing_is_refused(sandbox, fault):
    with pytest.raises(BadFault):
        sandbox.add_fault(**fault)
