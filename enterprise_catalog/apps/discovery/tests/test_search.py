"""A search is read completely, or it is an error (DISC-2..9)."""

from typing import Any

import pytest
from pytest_django import Settings

from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.errors import (
    DiscoveryError,
    DiscoveryIncomplete,
    DiscoveryThrottled,
    WindowExceeded,
)
from enterprise_catalog.apps.discovery.search import SearchResult, fetch_search
from enterprise_catalog.apps.discovery.tests.conftest import serve
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.sandbox.sandbox import Sandbox

COURSES = {"content_type": "course"}


@pytest.fixture
def old_discovery(discovery: Sandbox) -> Sandbox:
    """A discovery without search v2."""
    discovery.configure(search_v2=False)
    return discovery


def keys(result: SearchResult) -> list[str]:
    return [document.content_key for document in result.documents]


def course(key: str, **fields: Any) -> dict[str, Any]:
    return {"content_type": "course", "aggregation_key": f"course:{key}", "key": key, "title": key} | fields


# The complete result


def test_every_document_is_found_in_the_order_of_code_points(discovery: Sandbox, client: DiscoveryClient):
    added = ["edX+é", "edX+e", "EDX+Z", "edX+𝄞", "edX+\uffff"]
    for key in added:
        discovery.upsert_search(course(key))

    result = fetch_search(client=client, content_filter=COURSES)

    assert keys(result) == sorted([*discovery.dataset.course_keys(), *added])
    assert result.fetched == 35
    assert (result.skipped, result.quarantined) == (0, [])


def test_search_v1_brings_the_same_documents(discovery: Sandbox, client: DiscoveryClient):
    """Discovery without v2 is read by v1 (DISC-3)."""
    by_cursor = fetch_search(client=client, content_filter=COURSES)
    discovery.configure(search_v2=False)

    assert fetch_search(client=client, content_filter=COURSES) == by_cursor
    assert {call.endpoint for call in discovery.calls("search")} == {"search_v1", "search_v2"}


def test_a_document_is_kept_as_it_was_sent_without_the_fields_of_paging(discovery: Sandbox, client: DiscoveryClient):
    """4-byte text, nulls, naive and far dates stay (DISC-3, DISC-17)."""
    sent = course(
        "edX+Odd", title="𝄞 数学", languages=None, end_date="9999-12-31T23:59:59", extra={"a": [1, None, 1.5]}
    )
    discovery.upsert_search(sent)

    result = fetch_search(client=client, content_filter={"key": "edX+Odd"})

    assert [unpack(document.packed) for document in result.documents] == [sent]


def test_an_empty_result_is_complete(client: DiscoveryClient):
    """Empty is not incomplete (REFR-8)."""
    result = fetch_search(client=client, content_filter={"key": "nothing-like-this"})

    assert result == SearchResult([], 0, 0, [])


def test_persons_are_skipped_and_counted(client: DiscoveryClient):  # DISC-13, REFR-11
    result = fetch_search(client=client, content_filter={})

    assert result.skipped == 2
    assert {document.content_type for document in result.documents} == {
        "course", "courserun", "program", "learnerpathway"
    }  # fmt: skip


def test_a_run_has_the_key_of_its_course(discovery: Sandbox, client: DiscoveryClient):  # REFR-12
    found = fetch_search(client=client, content_filter={"content_type": "courserun"}).documents

    assert {document.parent_content_key for document in found} <= set(discovery.dataset.course_keys())


def test_documents_that_cannot_be_stored_are_quarantined(settings: Settings):
    """They count towards completeness, and are reported by key (P7, DISC-17)."""
    with Sandbox(courses=3, programs=0, pathways=0, persons=0, odd_documents=True) as sandbox:
        serve(sandbox, settings)

        result = fetch_search(client=DiscoveryClient(), content_filter={})

    assert len([document for document in result.documents if document.content_type == "course"]) == 3
    assert result.quarantined
    assert result.fetched == len(result.documents) + result.skipped + len(result.quarantined)


def test_a_key_of_two_types_is_kept_once(discovery: Sandbox, client: DiscoveryClient):
    discovery.upsert_search(course("edX+Twice"))
    run = {"content_type": "courserun", "aggregation_key": "courserun:edX+Other", "key": "edX+Twice"}
    discovery.upsert_search(run)

    result = fetch_search(client=client, content_filter={"key": "edX+Twice"})

    assert [(document.content_key, document.content_type) for document in result.documents] == [("edX+Twice", "course")]
    assert [document.content_key for document in result.quarantined] == ["edX+Twice"]


# Requests


def test_pages_of_v2_repeat_the_body_and_never_name_a_page(
    discovery: Sandbox, client: DiscoveryClient
):  # DISC-3, DISC-6
    fetch_search(client=client, content_filter=COURSES | {"page": 7, "force_unique": "x", "level_type": None})

    calls = discovery.calls("search_v2")
    # Three full pages, and an empty one that the third one's `next` leads to.
    assert len(calls) == 4
    assert all(call.body == COURSES for call in calls)
    assert all("page" not in call.query and "ordering" not in call.query for call in calls)
    assert ["search_after" in call.query for call in calls] == [False, True, True, True]


def test_pages_of_v1_are_numbered_and_ordered(old_discovery: Sandbox, client: DiscoveryClient):  # DISC-2
    fetch_search(client=client, content_filter=COURSES)

    calls = old_discovery.calls("search_v1")
    assert [call.query["page"] for call in calls] == [["1"], ["2"], ["3"]]
    assert all(call.query["ordering"] == ["aggregation_key,start"] for call in calls)
    assert all(call.query["page_size"] == ["10"] for call in calls)


@pytest.mark.parametrize("version", ["search_v1", "search_v2"])
def test_every_request_includes_pathways_and_current_runs(
    discovery: Sandbox, client: DiscoveryClient, version: str
):  # DISC-2
    discovery.configure(search_v2=version == "search_v2")

    fetch_search(client=client, content_filter=COURSES)

    for call in discovery.calls(version):
        assert call.query["exclude_expired_course_run"] == ["True"]
        assert call.query["include_learner_pathways"] == ["True"]


def test_numbers_beyond_64_bits_reach_discovery(discovery: Sandbox, client: DiscoveryClient):
    fetch_search(client=client, content_filter=COURSES | {"number": 10**30})

    assert discovery.calls("search_v2")[0].body["number"] == 10**30


def test_on_wait_is_called_for_every_page(discovery: Sandbox):
    """The refresh run renews its lease in it."""
    heard: list[int] = []

    fetch_search(client=DiscoveryClient(on_wait=lambda: heard.append(1)), content_filter=COURSES)

    assert len(heard) >= len(discovery.calls("search"))


def test_an_error_of_on_wait_ends_the_search(discovery: Sandbox):
    def lost() -> None:
        if len(discovery.calls("search")) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fetch_search(client=DiscoveryClient(on_wait=lost), content_filter=COURSES)

    assert len(discovery.calls("search")) == 2


# Errors: nothing incomplete is ever returned (P1, DISC-8)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "discovery_rejected"),
        (401, "discovery_rejected"),
        (403, "discovery_rejected"),
        (429, "discovery_throttled"),
        (500, "discovery_unavailable"),
        (501, "discovery_unavailable"),
        (503, "discovery_unavailable"),
    ],
)
@pytest.mark.parametrize("page", [1, 2, 3])
def test_an_error_page_is_never_a_last_page(  # P1, DISC-8
    discovery: Sandbox, client: DiscoveryClient, status: int, code: str, page: int
):
    discovery.add_fault(endpoint="search", page=page, status=status)

    with pytest.raises(DiscoveryError) as raised:
        fetch_search(client=client, content_filter=COURSES)

    assert Reason.of(raised.value) == code
    assert f"page {page}" in raised.value.detail
    assert f"status {status}" in raised.value.detail


@pytest.mark.parametrize("version", ["search_v1", "search_v2"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"count_delta": 1}, "discovery_incomplete"),
        ({"count_delta": -1}, "discovery_incomplete"),
        ({"duplicate": 0, "missing": 1}, "discovery_incomplete"),
        ({"missing": 0}, "discovery_incomplete"),
        ({"no_next": True}, "discovery_incomplete"),
        ({"looping_next": True}, "discovery_incomplete"),
        ({"malformed": True}, "discovery_malformed"),
        ({"nan": True}, "discovery_malformed"),
        ({"raw": "[]"}, "discovery_malformed"),
        ({"raw": ""}, "discovery_malformed"),
        ({"raw": "<h1>Sign in</h1>"}, "discovery_malformed"),
        ({"raw": "[" * 2000 + "]" * 2000}, "discovery_malformed"),
        ({"merge": {"results": None}}, "discovery_malformed"),
        ({"merge": {"results": {}}}, "discovery_malformed"),
        ({"merge": {"count": None}}, "discovery_malformed"),
        ({"merge": {"count": "30"}}, "discovery_malformed"),
        ({"merge": {"count": True}}, "discovery_malformed"),
        ({"merge": {"next": 7}}, "discovery_malformed"),
        ({"merge": {"next": "http://[broken"}}, "discovery_malformed"),
        ({"merge": {"next": "/api/?nothing=1"}}, "discovery_malformed"),
        ({"truncate": True}, "discovery_unavailable"),
        ({"drop": True}, "discovery_unavailable"),
    ],
)
def test_an_inconsistent_page_fails_the_search(  # P1, DISC-8, DISC-15
    discovery: Sandbox, client: DiscoveryClient, version: str, fault: dict[str, Any], code: str
):
    discovery.configure(search_v2=version == "search_v2")
    discovery.add_fault(endpoint=version, page=2, **fault)

    with pytest.raises(DiscoveryError) as raised:
        fetch_search(client=client, content_filter=COURSES)

    assert Reason.of(raised.value) == code
    assert raised.value.detail


@pytest.mark.parametrize(
    "fault", [{"count_delta": 1}, {"duplicate": 0, "missing": 1}, {"missing": 0}, {"no_next": True}]
)
def test_a_result_that_changed_is_read_once_more(
    discovery: Sandbox, client: DiscoveryClient, fault: dict[str, Any]
):  # DISC-8
    discovery.add_fault(endpoint="search", page=2, times=1, **fault)

    assert keys(fetch_search(client=client, content_filter=COURSES)) == discovery.dataset.course_keys()


def test_a_result_that_keeps_changing_is_read_twice_only(discovery: Sandbox, client: DiscoveryClient):  # DISC-8
    discovery.add_fault(endpoint="search", page=3, count_delta=5)

    with pytest.raises(DiscoveryIncomplete):
        fetch_search(client=client, content_filter=COURSES)

    assert sum("search_after" not in call.query for call in discovery.calls("search")) == 2


def test_a_page_that_fails_once_is_retried(discovery: Sandbox, client: DiscoveryClient):  # DISC-7
    discovery.add_fault(endpoint="search", page=1, times=1, status=502)
    discovery.add_fault(endpoint="search", page=2, times=1, drop=True)
    discovery.add_fault(endpoint="search", page=3, times=1, truncate=True)

    assert keys(fetch_search(client=client, content_filter=COURSES)) == discovery.dataset.course_keys()


def test_only_the_query_of_next_is_used(old_discovery: Sandbox, client: DiscoveryClient):
    """The `next` of page 1 names another host (DISC-5)."""
    old_discovery.add_fault(endpoint="search_v1", page=1, foreign_next=True)

    assert keys(fetch_search(client=client, content_filter=COURSES)) == old_discovery.dataset.course_keys()


def test_a_throttled_search_holds_retry_after(discovery: Sandbox, client: DiscoveryClient):  # DISC-16
    discovery.add_fault(endpoint="search", page=2, status=429, retry_after=1800)

    with pytest.raises(DiscoveryThrottled) as raised:
        fetch_search(client=client, content_filter=COURSES)

    assert raised.value.retry_after == 1800
    assert len(discovery.calls("search")) == 2


class EndlessDiscovery(DiscoveryClient):
    """A client whose every page has a `next` with a new cursor."""

    def __init__(self, results: list[dict[str, Any]]) -> None:
        super().__init__()
        self.results = results
        self.calls = 0

    def post(self, path: str, params: dict[str, Any], body: Any, *, where: str) -> dict[str, Any]:
        self.calls += 1
        return {"count": 1, "next": f"?search_after={self.calls}", "results": self.results}


@pytest.mark.parametrize("results", [[], [course("edX+Again")]])
def test_endless_paging_is_ended(results: list[dict[str, Any]]):  # P1, DISC-8
    with pytest.raises(DiscoveryIncomplete):
        fetch_search(client=EndlessDiscovery(results), content_filter=COURSES)


# The limits of discovery's index


def test_a_count_at_the_cap_means_at_least(settings: Settings):  # DISC-8
    settings.DISCOVERY_COUNT_CAP = 20
    with Sandbox(courses=25, programs=0, count_cap=20) as sandbox:
        serve(sandbox, settings)

        result = fetch_search(client=DiscoveryClient(), content_filter=COURSES)

    assert len(result.documents) == 25


def test_fewer_documents_than_the_cap_are_incomplete(settings: Settings):  # DISC-8
    settings.DISCOVERY_COUNT_CAP = 20
    with Sandbox(courses=25, programs=0, count_cap=20) as sandbox:
        serve(sandbox, settings)
        sandbox.add_fault(endpoint="search", page=1, no_next=True)

        with pytest.raises(DiscoveryIncomplete):
            fetch_search(client=DiscoveryClient(), content_filter=COURSES)


def test_more_hits_than_v1_can_page_through_fail(settings: Settings):
    """The result is never truncated (DISC-9)."""
    settings.DISCOVERY_WINDOW = settings.DISCOVERY_COUNT_CAP = 20
    with Sandbox(courses=25, programs=0, search_v2=False, count_cap=20, search_window=20) as sandbox:
        serve(sandbox, settings)

        with pytest.raises(WindowExceeded) as raised:
            fetch_search(client=DiscoveryClient(), content_filter=COURSES)

    assert Reason.of(raised.value) == "window_exceeded"


def test_as_many_hits_as_v1_can_page_through_are_complete(settings: Settings):  # DISC-9
    settings.DISCOVERY_WINDOW = settings.DISCOVERY_COUNT_CAP = 20
    with Sandbox(courses=20, programs=0, search_v2=False, count_cap=20, search_window=20) as sandbox:
        serve(sandbox, settings)

        assert len(fetch_search(client=DiscoveryClient(), content_filter=COURSES).documents) == 20


# The tests' own discovery


def test_a_sandbox_at_the_port_of_an_earlier_one_gets_no_token_of_it(settings: Settings) -> None:
    """Counts of requests would differ now and then, since a refused token is asked for again."""
    with Sandbox(courses=2) as earlier:
        serve(earlier, settings)
        fetch_search(client=DiscoveryClient(), content_filter=COURSES)
    with Sandbox(courses=2, port=int(earlier.url.rpartition(":")[2])) as later:
        serve(later, settings)
        fetch_search(client=DiscoveryClient(), content_filter=COURSES)
        assert [(call.endpoint, call.status) for call in later.calls()] == [("token", 200), ("search_v2", 200)]
