"""Pages that no discovery should send, over HTTP, give a complete result or an error (P1, DISC-3, DISC-5, DISC-8)."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.errors import (
    DiscoveryIncomplete,
    DiscoveryMalformed,
    DiscoveryRejected,
    WindowExceeded,
)
from enterprise_catalog.apps.discovery.records import fetch_courses, fetch_programs
from enterprise_catalog.apps.discovery.search import SearchResult, fetch_search
from enterprise_catalog.apps.discovery.search_documents import MAX_NESTED_RUNS
from enterprise_catalog.testing.scripted_server import Answer, Reply, ScriptedServer

V1, V2 = "/api/v1/search/all/", "/api/v2/search/all/"
COURSES, PROGRAMS = "/api/v1/courses/", "/api/v1/programs/"


@pytest.fixture
def peer(settings) -> Iterator[ScriptedServer]:
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = uuid4().hex
    with ScriptedServer() as server:
        settings.DISCOVERY_INTERNAL_ROOT_URL = server.url
        settings.OAUTH2_PROVIDER_URL = f"{server.url}/oauth2"
        yield server


def course(key: Any, **fields: Any) -> dict[str, Any]:
    return {"content_type": "course", "aggregation_key": f"course:{key}", "key": key} | fields


def page(*keys: Any, count: Any, next: Any = None) -> Reply:
    return Reply({"count": count, "next": next, "results": [course(key) for key in keys]})


def search() -> SearchResult:
    return fetch_search(client=DiscoveryClient(), content_filter={"content_type": "course"})


def keys(result: SearchResult) -> list[str]:
    return [document.content_key for document in result.documents]


def asked_for(peer: ScriptedServer, path: str, parameter: str) -> list[list[str]]:
    return [asked.query.get(parameter, []) for asked in peer.asked if asked.path == path]


# Search v2 or v1


def test_without_v2_v1_is_requested(peer):  # DISC-3, DISC-4: and answers without `facets`
    peer.answers[V1] = [page("a", count=1)]
    assert keys(search()) == ["a"]
    assert peer.times_asked(V2) == 1


def test_a_later_page_of_v2_that_is_not_found_is_an_error(peer):  # DISC-3
    peer.answers[V1] = [page("a", count=1)]
    peer.answers[V2] = [page("a", count=2, next="?search_after=[1]"), Reply(status=404)]
    with pytest.raises(DiscoveryRejected, match="page 2"):
        search()
    assert peer.times_asked(V1) == 0


def test_a_later_page_of_v1_that_is_not_found_is_an_error(peer):  # DISC-8
    """The result shrank, so the pages before are not complete either."""
    peer.answers[V1] = [page("a", "b", count=3, next="?page=2"), Reply(status=404)]
    with pytest.raises(DiscoveryRejected, match="page 2"):
        search()


def test_a_missing_provider_of_tokens_does_not_lead_to_v1(peer):  # DISC-3
    peer.answers["/oauth2/access_token"] = [Reply(status=404)]
    peer.answers[V1] = [page("a", count=1)]
    with pytest.raises(DiscoveryRejected, match="access_token"):
        search()
    assert peer.times_asked("/oauth2/access_token") == 1


@pytest.mark.parametrize("status", [400, 403, 405, 410, 501])
def test_only_a_missing_v2_leads_to_v1(peer, status):  # DISC-3
    peer.answers[V2] = [Reply(status=status)]
    peer.answers[V1] = [page("a", count=1)]
    with pytest.raises(Exception, match=f"status {status}"):
        search()
    assert peer.times_asked(V1) == 0


# Cursors


def test_a_cursor_is_sent_back_unchanged(peer):  # DISC-3
    peer.answers[V2] = [
        page("a", count=2, next="http://h/?search_after=%5B%221%2B2+3%22%2C+%22course%3A%C3%A9%26%22%5D&page_size=1"),
        page("b", count=2),
    ]
    assert keys(search()) == ["a", "b"]
    assert asked_for(peer, V2, "search_after") == [[], ['["1+2 3", "course:é&"]']]


@pytest.mark.parametrize("path", [V1, V2])
def test_the_host_of_next_is_never_followed(peer, path):  # DISC-5
    with ScriptedServer() as elsewhere:
        peer.answers[path] = [
            page("a", count=2, next=f"{elsewhere.url}{path}?page=2&search_after=2"),
            page("b", count=2),
        ]
        assert keys(search()) == ["a", "b"]
        assert elsewhere.asked == []


def test_the_last_page_may_be_empty(peer):  # DISC-3
    peer.answers[V2] = [page("a", count=1, next="?search_after=1"), page(count=1)]
    assert keys(search()) == ["a"]


@pytest.mark.parametrize(
    "next_url",
    [7, True, [], {}, "", "?page=2", "?search_after=", "?search_after=1&search_after=2", "http://[/?search_after=1"],
)
def test_a_next_without_a_cursor_is_malformed(peer, next_url):  # DISC-5
    peer.answers[V2] = [page("a", count=1, next=next_url)]
    with pytest.raises(DiscoveryMalformed, match="next"):
        search()


@pytest.mark.parametrize("number", ["two", "-2", "2.0", "%D9%A2", "9" * 5000])
def test_a_next_without_a_page_number_is_malformed(peer, number):
    peer.answers[V1] = [page("a", count=2, next=f"?page={number}")]
    with pytest.raises(DiscoveryMalformed, match="no page number"):
        search()


def test_a_page_beyond_the_window_is_not_requested(peer, settings):  # DISC-9
    settings.DISCOVERY_PAGE_SIZE, settings.DISCOVERY_WINDOW = 2, 5
    peer.answers[V1] = [page("a", "b", count=6, next="?page=2"), page("c", "d", count=6, next="?page=3")]
    with pytest.raises(WindowExceeded):
        search()
    assert asked_for(peer, V1, "page") == [["1"], ["2"]]


@pytest.mark.parametrize("again", ["?search_after=1", "?search_after=2"])
def test_paging_in_circles_ends(peer, again):  # DISC-8
    peer.answers[V2] = [
        page("a", count=4, next="?search_after=1"),
        page("b", count=4, next="?search_after=2"),
        page("c", count=4, next=again),
        page("d", count=4, next=again),
    ]
    with pytest.raises(DiscoveryIncomplete):
        search()


def test_paging_that_brings_more_than_its_count_ends(peer):  # DISC-8
    peer.answers[V2] = [page(f"k{number}", count=3, next=f"?search_after={number}") for number in range(20)]
    with pytest.raises(DiscoveryIncomplete):
        search()
    assert peer.times_asked(V2) == 8  # twice four


# Completeness


def linked_pages(*pages: tuple[str, Any]) -> list[Answer]:
    """Return pages of one document each that link to the next, with these counts."""
    last = len(pages)
    return [
        page(key, count=count, next=None if number == last else f"?search_after={number}")
        for number, (key, count) in enumerate(pages, start=1)
    ]


def test_an_item_that_comes_twice_is_kept_once(peer):  # DISC-8, DISC-15: only distinct items count
    peer.answers[V2] = linked_pages(("a", 2), ("a", 2), ("b", 2))
    result = search()
    assert (keys(result), result.fetched) == (["a", "b"], 2)


@pytest.mark.parametrize("moved", [1, 3, 10_000])
def test_a_count_that_changes_means_reading_again(peer, moved):  # DISC-8
    peer.answers[V2] = linked_pages(("a", 2), ("b", moved)) + linked_pages(("a", 2), ("c", 2))
    assert keys(search()) == ["a", "c"]


def test_the_second_reading_replaces_the_first(peer):  # DISC-8
    peer.answers[V2] = linked_pages(("gone", 3), ("a", 3)) + linked_pages(("a", 2), ("b", 2))
    result = search()
    assert (keys(result), result.fetched) == (["a", "b"], 2)


@pytest.mark.parametrize("count", [-1, 0, 1, 3, 10_000])
def test_a_count_that_does_not_fit_is_incomplete(peer, count):  # DISC-8
    peer.answers[V2] = linked_pages(("a", count), ("b", count)) * 2
    with pytest.raises(DiscoveryIncomplete):
        search()


@pytest.mark.parametrize("count", [None, "2", 2.0, True, [2]])
def test_a_count_that_is_not_a_whole_number_is_malformed(peer, count):
    peer.answers[V2] = linked_pages(("a", count), ("b", count))
    with pytest.raises(DiscoveryMalformed):
        search()


@pytest.mark.parametrize(
    ("count", "documents", "complete"),
    [(3, 3, True), (3, 4, True), (3, 2, False), (4, 4, True), (4, 5, False), (2, 3, False)],
)
def test_exactly_the_cap_means_at_least(peer, settings, count, documents, complete):  # DISC-8
    settings.DISCOVERY_COUNT_CAP = 3
    peer.answers[V2] = [page(*map(str, range(documents)), count=count)]
    if complete:
        assert len(search().documents) == documents
    else:
        with pytest.raises(DiscoveryIncomplete):
            search()


def test_only_distinct_documents_count_towards_the_cap(peer, settings):  # DISC-8
    settings.DISCOVERY_COUNT_CAP = 3
    peer.answers[V2] = [page("a", "a", "b", "b", count=3)]
    with pytest.raises(DiscoveryIncomplete):
        search()


def test_documents_without_an_id_count_one_by_one(peer):  # DISC-8, DISC-17
    nameless = [{"content_type": "course", "aggregation_key": "course:x"}, {}, {}, None, "text", course(["list"])]
    peer.answers[V2] = [Reply({"count": 7, "next": None, "results": [course("a"), *nameless]})]
    result = search()
    assert (keys(result), result.fetched, len(result.quarantined)) == (["a"], 7, 6)


def test_the_same_key_counts_once_for_each_type(peer):  # DISC-8
    pathway = {"content_type": "learnerpathway", "aggregation_key": "learnerpathway:a", "uuid": "a"}
    peer.answers[V2] = [Reply({"count": 2, "next": None, "results": [pathway, course("a")]})]
    result = search()
    assert [(found.content_key, found.content_type) for found in result.documents] == [("a", "course")]
    assert [document.content_key for document in result.quarantined] == ["a"]


FIRST, LAST = "00000000-0000-4000-8000-000000000001", "ffffffff-0000-4000-8000-000000000002"
DOUBLES = [course("a", uuid=uuid, title=uuid) for uuid in (FIRST, LAST)]


def results(*documents: Any, count: int | None = None) -> Reply:
    return Reply({"count": len(documents) if count is None else count, "next": None, "results": list(documents)})


@pytest.mark.parametrize("in_order", [1, -1])
@pytest.mark.parametrize(
    ("record", "chosen"),
    [
        ([{"key": "a", "uuid": LAST}], LAST),
        ([{"key": "a", "uuid": FIRST}], FIRST),
        ([{"key": "a"}], FIRST),
        ([], FIRST),
    ],
)
def test_a_double_that_two_readings_show_is_published_once(peer, in_order, record, chosen):
    """The one whose uuid courses/ confirms, else the smallest uuid, in whatever order they come (DISC-8)."""
    peer.answers[V2] = [results(course("b"), *DOUBLES[::in_order])]
    peer.answers[COURSES] = [results(*record)]
    result = search()
    assert keys(result) == ["a", "b"]
    assert result.documents[0].content_uuid == chosen
    assert [(entry.content_key, entry.reason[:7]) for entry in result.quarantined] == [("a", "double:")]
    assert (result.fetched, peer.times_asked(V2), peer.times_asked(COURSES)) == (3, 2, 1)


def test_documents_that_differ_in_paging_fields_alone_are_doubles(peer):  # DISC-3, DISC-8
    runs = [
        {
            "content_type": "courserun",
            "aggregation_key": "courserun:a",
            "key": "r",
            "aggregation_uuid": f"courserun:{uuid}",
        }
        for uuid in (FIRST, LAST)
    ]
    peer.answers[V2] = [results(*runs)]
    result = search()
    assert (keys(result), len(result.quarantined), peer.times_asked(COURSES)) == (["r"], 1, 0)


@pytest.mark.parametrize(
    "readings",
    [
        [results(*DOUBLES), results(DOUBLES[0])],
        [results(DOUBLES[0], count=2), results(*DOUBLES)],
        [results(course("b"), *DOUBLES), results(DOUBLES[0], course("b"), DOUBLES[1])],
        [results(course("b"), *DOUBLES), results(DOUBLES[0], *(course("b", title=name) for name in "xy"))],
        [results(*DOUBLES, count=1)],
    ],
    ids=["first only", "second only", "at another place", "of another key", "not counted"],
)
def test_a_double_that_one_reading_shows_is_an_error(peer, readings):  # P1, DISC-8
    peer.answers[V2] = readings
    peer.answers[COURSES] = [results()]
    with pytest.raises(DiscoveryIncomplete):
        search()
    assert peer.times_asked(V2) == 2


@pytest.mark.parametrize("path", [COURSES, PROGRAMS])
def test_a_record_that_comes_twice_is_taken_once(peer, path):
    """Discovery's joins repeat records, and its count includes them (DISC-8)."""
    fetch = {COURSES: partial(fetch_courses, keys=["a", "b"]), PROGRAMS: partial(fetch_programs, uuids=["a", "b"])}[
        path
    ]
    rows = [{"key": key, "uuid": key} for key in "aab"]
    peer.answers[path] = [results(*rows)]
    assert {key: unpack(record) for key, record in fetch(client=DiscoveryClient()).packed.items()} == {
        row["key"]: row for row in rows
    }
    assert peer.times_asked(path) == 2
    peer.answers[path] = [results(*rows), results(*rows[1:])] * 2
    with pytest.raises(DiscoveryIncomplete):
        fetch(client=DiscoveryClient())


def test_which_of_two_documents_is_kept_does_not_depend_on_their_order(peer):
    doubles = [course("a", content_type=name, title=name) for name in ("course", "Course")]
    peer.answers[V2] = [results(*doubles)] * 2 + [results(*doubles[::-1])]
    peer.answers[COURSES] = [results()]
    assert search().documents == search().documents


# Tokens


def test_a_token_that_expires_between_pages_is_renewed(peer):  # DISC-1
    first, last = linked_pages(("a", 2), ("b", 2))
    peer.answers[V2] = [first, Reply(status=401), last]
    assert keys(search()) == ["a", "b"]
    assert peer.tokens == 2


# Records


@pytest.mark.parametrize("count", [None, "1", 0, 2])
def test_records_without_their_count_are_an_error(peer, count):  # DISC-18
    peer.answers[COURSES] = [Reply({"count": count, "next": None, "results": [{"key": "a"}]})]
    with pytest.raises((DiscoveryIncomplete, DiscoveryMalformed)):
        fetch_courses(client=DiscoveryClient(), keys=["a"])


def test_a_missing_endpoint_of_records_is_an_error(peer):  # REFR-18
    with pytest.raises(DiscoveryRejected, match="status 404"):
        fetch_courses(client=DiscoveryClient(), keys=["a"])


def test_one_failing_call_fails_all_records(peer, settings):  # REFR-18
    settings.DISCOVERY_KEYS_PER_CALL = 1
    peer.answers[COURSES] = [Reply({"count": 1, "next": None, "results": [{"key": "a"}]}), Reply(status=403)]
    with pytest.raises(DiscoveryRejected):
        fetch_courses(client=DiscoveryClient(), keys=["a", "b"])


# Limits


def test_a_result_that_a_worker_cannot_hold_fails(peer, settings):  # DISC-8
    settings.DISCOVERY_MAX_RESULT_BYTES = 20_000
    courses = [course(f"c{number}") for number in range(12)]
    peer.answers[V2] = [Reply({"count": 5, "next": None, "results": courses[:5]})]
    assert len(keys(search())) == 5
    peer.answers[V2] = [Reply({"count": 12, "next": None, "results": courses})]
    with pytest.raises(WindowExceeded, match="DISCOVERY_MAX_RESULT_BYTES"):
        search()


def test_a_second_reading_is_not_counted_twice(peer, settings):  # DISC-8
    settings.DISCOVERY_MAX_RESULT_BYTES = 20_000
    answer = {"count": 6, "next": None, "results": [course(f"c{number}") for number in range(6)]}
    peer.answers[V2] = [Reply(answer | {"count": 7}), Reply(answer)]
    assert len(keys(search())) == 6


def test_full_records_count_towards_the_limit(peer, settings):  # DISC-8, DISC-18
    settings.DISCOVERY_MAX_RESULT_BYTES = 500
    records = [{"key": f"c{number}", "noise": uuid4().hex} for number in range(9)]
    peer.answers[COURSES] = [Reply({"count": 9, "next": None, "results": records})]
    with pytest.raises(WindowExceeded):
        fetch_courses(client=DiscoveryClient(), keys=[record["key"] for record in records])


def test_the_number_of_items_is_limited(peer, settings):  # DISC-8
    settings.DISCOVERY_MAX_ITEMS = 5
    settings.DISCOVERY_COUNT_CAP = 4
    new = (Reply({"count": 4, "next": f"/?search_after={n}", "results": [course(f"c{n}")]}) for n in range(100))
    peer.answers[V2] = [lambda _: next(new)]
    with pytest.raises(WindowExceeded, match="page 6: more than 5 items"):
        search()


def test_a_count_beyond_the_limit_fails_at_once(peer, settings):  # DISC-8
    peer.answers[V2] = [page("a", count=settings.DISCOVERY_MAX_ITEMS + 1, next="/?search_after=1")]
    with pytest.raises(WindowExceeded):
        search()
    assert peer.times_asked(V2) == 1


def test_the_items_of_a_page_are_limited(peer, settings):  # DISC-17
    settings.DISCOVERY_LARGEST_PAGE = 3
    peer.answers[V2] = [page("a", "b", "c", count=3)]
    assert len(keys(search())) == 3
    peer.answers[V2] = [page("a", "b", "c", "d", count=4)]
    with pytest.raises(DiscoveryMalformed, match="4 items"):
        search()


def test_the_length_of_next_is_limited(peer, settings):  # DISC-3
    peer.answers[V2] = [page("a", count=2, next=f"/?search_after={'x' * settings.DISCOVERY_NEXT_MAX_CHARACTERS}")]
    with pytest.raises(DiscoveryMalformed, match="next has"):
        search()


def test_items_with_long_keys_are_distinct(peer):  # DISC-8, DISC-17
    peer.answers[V2] = [page("k" * 5_000 + "1", "k" * 5_000 + "2", "k" * 5_000 + "1", count=2)]
    result = search()
    assert (result.fetched, len(result.quarantined)) == (2, 2)


@pytest.mark.parametrize(("runs", "kept"), [(MAX_NESTED_RUNS, 1), (MAX_NESTED_RUNS + 1, 0)])
def test_the_runs_of_a_course_are_limited(peer, runs, kept):  # DISC-17
    nested = [{"key": f"r{number}"} for number in range(runs)]
    peer.answers[V2] = [Reply({"count": 1, "next": None, "results": [course("a", course_runs=nested)]})]
    result = search()
    assert (len(result.documents), len(result.quarantined)) == (kept, 1 - kept)
