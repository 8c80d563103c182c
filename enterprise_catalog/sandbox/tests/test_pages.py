"""How search answers are cut into pages (DISC-3, 5, 6, 8, 9, 15)."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from enterprise_catalog.sandbox import Sandbox
from enterprise_catalog.sandbox.tests.conftest import Client


@pytest.fixture(scope="module")
def small_limits():
    """A sandbox whose index gives up early, so that a few courses are enough to see it."""
    with Sandbox(courses=30, programs=0, pathways=0, persons=0, count_cap=20, search_window=25) as sandbox:
        client = Client(sandbox)
        with client.session:
            yield client


@pytest.mark.parametrize("version", [1, 2])
def test_a_walk_meets_everything_once(client, version):
    pages = client.walk({}, version=version, page_size=17, include_learner_pathways="True")
    identities = [(d["content_type"], d.get("key") or d["uuid"]) for page in pages for d in page["results"]]
    assert len(identities) == len(set(identities)) == pages[0]["count"]
    assert pages[-1]["next"] is None
    assert pages[0]["facets"] == {}


def test_numbered_pages_link_both_ways(client):  # DISC-2
    query = {"page_size": 10, "ordering": "aggregation_key,start", "exclude_expired_course_run": "True"}
    page = client.search({}, **query, page=2).json()
    following, previous = urlsplit(page["next"]), urlsplit(page["previous"])
    assert parse_qs(following.query) == {name: [str(value)] for name, value in {**query, "page": 3}.items()}
    assert parse_qs(previous.query)["page"] == ["1"]
    assert following.netloc == urlsplit(client.sandbox.url).netloc


@pytest.mark.parametrize("page", ["0", "-1", "x", "999"])
def test_a_page_that_is_not_there_is_an_error(client, page):
    """DISC-8: an error page is never a last page."""
    assert client.search({}, page=page).status_code == 404


def test_pages_hold_a_hundred_at_most(client):
    assert len(client.search({}, page_size=500).json()["results"]) == 100


def test_the_body_overrides_the_url(client):
    """DISC-6: which is why reserved keys must never be sent."""
    assert len(client.search({"page_size": 3}, page_size=50).json()["results"]) == 3


def test_numbered_pages_are_ordered_by_aggregation_key(client):  # DISC-2
    found = client.found({"content_type": "courserun"}, page_size=10)
    order = [(document["aggregation_key"], document["start"].rstrip("Z")) for document in found]
    assert order == sorted(order)


def test_results_of_a_page_are_grouped_by_type(client):
    """DISC-15: although the order asked for mixes the types."""
    types = [document["content_type"] for document in client.search({}, version=2, page_size=100).json()["results"]]
    assert types == sorted(types)
    assert len(set(types)) > 1


@pytest.mark.parametrize("version", [1, 2])
def test_the_count_saturates(small_limits, version):  # DISC-8
    page = small_limits.search({"content_type": "course"}, version=version, page_size=5).json()
    assert page["count"] == 20


def test_numbered_pages_end_at_the_window_although_next_promised_more(small_limits):  # DISC-9
    last = small_limits.search({"content_type": "course"}, page_size=5, page=5)
    assert last.json()["next"] is not None
    assert small_limits.search({"content_type": "course"}, page_size=5, page=6).status_code == 500


def test_cursor_pages_have_no_window(small_limits):  # DISC-3, DISC-9
    assert len(small_limits.found({"content_type": "course"}, version=2, page_size=5)) == 30


def test_the_last_full_cursor_page_promises_an_empty_one(client):
    """DISC-3: 60 courses are six pages of ten, and then one without any."""
    pages = client.walk({"content_type": "course"}, version=2, page_size=10)
    assert [len(page["results"]) for page in pages] == [10] * 6 + [0]
    assert pages[-1]["next"] is None


def test_cursor_pages_start_with_the_latest(client):
    """DISC-3: `-start, aggregation_uuid`, in which a document without a date comes last."""
    sorts = [document["sort"] for document in client.found({}, version=2, page_size=100)]
    pages = client.walk({}, version=2, page_size=100)
    firsts = [max(document["sort"][0] for document in page["results"]) for page in pages if page["results"]]
    assert firsts == sorted(firsts, reverse=True)
    assert all(len(sort) == 2 for sort in sorts)


def test_the_cursor_is_the_sort_of_the_last_hit(client):  # DISC-3
    page = client.search({"content_type": "courserun"}, version=2, page_size=10).json()
    cursor = json.loads(parse_qs(urlsplit(page["next"]).query)["search_after"][0])
    assert cursor == page["results"][-1]["sort"]
    assert page["results"][-1]["aggregation_uuid"] == cursor[1]


def test_ordering_cursor_pages_by_start_alone_loses_ties(client):
    """DISC-15: the cursor cannot tell items apart that sort alike."""
    everything = client.search({"content_type": "program"}, version=2).json()["count"]
    assert len(client.found({"content_type": "program"}, version=2, page_size=2, ordering="start")) < everything


@pytest.mark.parametrize("cursor", ["nonsense", '["one"]', '["a", 1]', "{}"])
def test_a_cursor_that_is_none_is_refused(client, cursor):
    assert client.search({}, version=2, search_after=cursor).status_code == 400


def test_cursor_pages_take_no_page_number(client):  # DISC-3
    assert client.search({}, version=2, page=1).status_code == 400


def test_cursor_pages_can_be_missing(client, sandbox):
    """DISC-3: fall back to v1."""
    sandbox.configure(search_v2=False)
    assert client.search({}, version=2).status_code == 404
    assert client.search({}, version=1).status_code == 200


def test_odd_documents_come_on_request():  # DISC-17
    with Sandbox(courses=1, programs=0, pathways=0, persons=0, odd_documents=True) as sandbox:
        client = Client(sandbox)
        with client.session:
            page = client.search({}, page_size=100).json()
    assert page["count"] == len(page["results"])
    assert any(document["content_type"] == "degree" for document in page["results"])
    assert any(document["content_type"] == "course" and document["key"] is None for document in page["results"])
