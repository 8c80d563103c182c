"""A catalog's items over HTTP (META-1 to META-7, ADD-2)."""

import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from django.db import connection

from enterprise_catalog.apps.api.common import streaming
from enterprise_catalog.apps.core.rest import streaming as core_streaming
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish, store
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import keys

pytestmark = pytest.mark.django_db

PROGRAM = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def metadata(catalog, query="", client=None):
    return (client or learner()).get(f"{path_of(catalog, 'get_content_metadata/')}?{query}")


def keys_of(response) -> list[str]:
    return [item.get("key") or item["uuid"] for item in response.json()["results"]]


def streamed(response) -> dict:
    return orjson.loads(b"".join(response.streaming_content))


def test_a_page_ends_with_the_catalog():  # META-2
    catalog = make_catalog("edX+A")
    response = metadata(catalog)
    assert list(response.json()) == [
        *["next", "previous", "count", "num_pages", "current_page", "start", "results"],
        *["uuid", "title", "enterprise_customer"],
    ]
    assert response.json()["uuid"] == str(catalog.uuid)
    assert response.json()["enterprise_customer"] == str(CUSTOMER_UUID)


def test_items_are_linked_to_the_catalog():  # META-6, ENR-2
    catalog = make_catalog("edX+A")
    (item,) = metadata(catalog).json()["results"]
    assert (item["content_type"], item["key"]) == ("course", "edX+A")
    assert f"catalog={catalog.uuid}" in item["enrollment_url"]


def test_walking_the_pages_yields_everything_once_in_order():  # COM-9
    catalog = make_catalog(*keys(23))
    pages = [keys_of(metadata(catalog, f"page={number}&page_size=10")) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [10, 10, 3]
    assert [key for page in pages for key in page] == keys(23)


def test_the_last_page_can_be_asked_for_by_name():  # COM-7
    catalog = make_catalog(*keys(23))
    response = metadata(catalog, "page=last")
    assert (response.json()["current_page"], keys_of(response)) == (3, keys(23)[20:])
    asked = "&".join(f"content_keys={key}" for key in keys(23))
    assert keys_of(metadata(catalog, f"page=last&{asked}")) == keys(23)[20:]


@pytest.mark.parametrize("page", ["0", "4", "999999999", "x"])
def test_a_page_beyond_the_end_is_not_found(page):  # COM-7
    response = metadata(make_catalog(*keys(23)), f"page={page}")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


def test_a_catalog_never_published_is_empty():  # META-7
    response = metadata(make_catalog())
    assert (response.status_code, response.json()["count"], response.json()["results"]) == (200, 0, [])


INACTIVE = course_document("edX+I", course_runs=[])


def test_inactive_courses_are_shown_only_when_asked_for():  # META-4, META-5
    catalog = make_catalog("edX+A", INACTIVE)
    assert (keys_of(metadata(catalog)), metadata(catalog).json()["count"]) == (["edX+A"], 1)
    assert keys_of(metadata(catalog, "content_keys=edX+I")) == ["edX+I"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["edX+A"], ["course-v1:edX+A+1T", "course-v1:edX+A+2T", "edX+A"]),
        (["course-v1:edX+A+1T"], ["course-v1:edX+A+1T", "edX+A"]),
        ([PROGRAM], [PROGRAM]),
        (["edX+A", "course-v1:edX+A+1T"], ["course-v1:edX+A+1T", "course-v1:edX+A+2T", "edX+A"]),
        (["[]"], []),
        ([""], []),
        (["edX+Other"], []),
        ([PROGRAM.upper()], [PROGRAM]),
        ([f"edX+B,nope,{PROGRAM.replace('-', '')}"], [PROGRAM, "edX+B"]),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_asking_for_keys(asked, found, method):  # META-5
    runs = [run_document(f"course-v1:edX+A+{number}T", "edX+A") for number in (1, 2)]
    catalog = make_catalog("edX+A", "edX+B", *runs, program_document(PROGRAM))
    path = path_of(catalog, "get_content_metadata/")
    if method == "get":
        response = learner().get(path, {"content_keys": asked})
    else:
        response = learner().post(path, {"content_keys": asked})
    assert (keys_of(response), response.json()["count"]) == (found, len(found))


def test_an_empty_list_of_keys_yields_nothing():  # META-5
    path = path_of(make_catalog("edX+A"), "get_content_metadata/")
    assert learner().post(path, {"content_keys": []}).json()["count"] == 0


def test_a_get_asks_for_a_hundred_keys_at_most():  # ERR-4
    catalog = make_catalog("edX+A")
    asked = "&".join(f"content_keys={key}" for key in keys(101))
    text = "get_content_metadata GET requests support up to 100 content keys. If more are required, use a POST body."
    response = metadata(catalog, asked)
    assert (response.status_code, response.json()) == (400, {"content_keys": [text]})
    assert metadata(catalog, asked.rpartition("&")[0]).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *[({"content_keys": keys(1000)}, 200), ({"content_keys": keys(1001)}, 400), ({"content_keys": "a"}, 400)],
        *[({"content_keys": None}, 400), ({}, 400), ([], 400)],
    ],
)
def test_a_post_asks_for_a_thousand_strings_at_most(body, status):  # META-1, COM-16
    response = learner().post(path_of(make_catalog("edX+A"), "get_content_metadata/"), body)
    assert response.status_code == status
    if status == 400:
        assert all(isinstance(texts, list) for texts in response.json().values())


def test_the_next_page_of_a_post_is_the_same_url():  # META-1, ADD-1
    path = path_of(make_catalog(*keys(3)), "get_content_metadata/")
    response = learner().post(f"{path}?page_size=2", {"content_keys": keys(3)})
    assert response.json()["next"] == f"http://testserver{path}?page_size=2&page=2"


class TestTraversal:
    def test_everything_comes_in_one_answer(self):  # META-3
        catalog = make_catalog(*keys(230))
        whole = streamed(metadata(catalog, "traverse_pagination=true"))
        assert list(whole) == ["previous", "next", "count", "results", "uuid", "title", "enterprise_customer"]
        assert (whole["previous"], whole["next"], whole["count"]) == (None, None, 230)
        assert [item["key"] for item in whole["results"]] == keys(230)

    def test_items_are_those_of_the_pages(self):  # META-3
        catalog = make_catalog(*keys(3))
        whole = streamed(metadata(catalog, "traverse_pagination=1"))
        assert whole["results"] == metadata(catalog).json()["results"]

    def test_it_takes_keys_too(self):  # META-3, META-5
        catalog = make_catalog("edX+A", "edX+B", INACTIVE)
        response = metadata(catalog, "traverse_pagination=1&content_keys=edX+I&content_keys=edX+B")
        assert [item["key"] for item in streamed(response)["results"]] == ["edX+B", "edX+I"]

    def test_an_empty_catalog_is_well_formed(self):  # META-7
        assert streamed(metadata(make_catalog(), "traverse_pagination=1"))["results"] == []

    def test_false_means_pages(self):  # COM-11
        assert "num_pages" in metadata(make_catalog("edX+A"), "traverse_pagination=false").json()

    def test_xml_streams_too(self):  # META-3, COM-5
        response = metadata(make_catalog(*keys(3)), "traverse_pagination=1&format=xml")
        root = ET.fromstring(b"".join(response.streaming_content))
        assert [item.findtext("key") for item in root.find("results")] == keys(3)
        assert [child.tag for child in root][:4] == ["previous", "next", "count", "results"]

    def test_a_head_sends_headers_only(self):
        response = learner().head(f"{path_of(make_catalog(*keys(3)), 'get_content_metadata/')}?traverse_pagination=1")
        assert (response.status_code, b"".join(response.streaming_content)) == (200, b"")
        assert "Content-Length" not in response

    def test_memory_does_not_grow_with_the_catalog(self, monkeypatch):  # META-3
        monkeypatch.setattr(core_streaming, "_CHUNK_BYTES", 2000)
        response = metadata(make_catalog(*keys(60)), "traverse_pagination=1")
        assert max(len(chunk) for chunk in response.streaming_content) < 5000

    def test_a_failure_on_the_way_is_never_a_whole_answer(self, monkeypatch):  # META-3
        monkeypatch.setattr(core_streaming, "_CHUNK_BYTES", 1)
        catalog = make_catalog(*keys(3))
        response = metadata(catalog, "traverse_pagination=1")
        chunks = iter(response.streaming_content)
        next(chunks)

        def broken(value):
            raise RuntimeError("the store broke")

        monkeypatch.setattr(streaming, "to_json", broken)
        with pytest.raises(RuntimeError):
            list(chunks)

    def test_a_failure_before_the_first_byte_is_an_ordinary_error(self, monkeypatch):  # META-3, ERR-8
        def broken(**_):
            raise RuntimeError("the store broke")

        monkeypatch.setattr("enterprise_catalog.apps.api.v1.catalog_content.stream_listed", broken)
        client = learner()
        client.raise_request_exception = False
        assert metadata(make_catalog("edX+A"), "traverse_pagination=1", client).status_code == 500


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_publish_during_the_walk_is_not_seen(monkeypatch):  # META-3, P2
    monkeypatch.setattr(core_streaming, "_CHUNK_BYTES", 1)
    catalog = make_catalog(*keys(230))
    chunks = iter(metadata(catalog, "traverse_pagination=1").streaming_content)
    begun = next(chunks)

    def publish_elsewhere():
        publish(catalog.catalog_query, *(course_document(key) for key in keys(150)))
        connection.close()

    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        elsewhere.submit(publish_elsewhere).result()
    whole = orjson.loads(begun + b"".join(chunks))
    assert (whole["count"], len(whole["results"])) == (230, 230)
    assert metadata(catalog).json()["count"] == 150


def test_a_publish_changes_the_generation():  # ADD-2
    catalog = make_catalog("edX+A")
    before = metadata(catalog)["X-Catalog-Generation"]
    assert metadata(catalog)["X-Catalog-Generation"] == before
    assert metadata(catalog, "traverse_pagination=1")["X-Catalog-Generation"] == before
    publish(catalog.catalog_query, course_document("edX+A"), course_document("edX+B"))
    response = metadata(catalog)
    assert response["X-Catalog-Generation"] != before
    assert response["X-Catalog-Refreshed-At"].endswith("Z")


def test_an_attachment_changes_the_generation_and_nothing_new_does_not():  # ADD-2
    catalog, other = make_catalog("edX+A"), make_catalog("edX+B")
    first = metadata(catalog)["X-Catalog-Generation"]
    publish(catalog.catalog_query, course_document("edX+A"))
    assert metadata(catalog)["X-Catalog-Generation"] == first
    admin().patch(path_of(catalog), {"catalog_query_uuid": str(other.catalog_query.uuid)})
    response = metadata(catalog)
    assert [item["key"] for item in response.json()["results"]] == ["edX+B"]
    assert response["X-Catalog-Generation"] != first


@pytest.mark.parametrize("key", ["x" * 256, " ", "a\x00b", "数"])
def test_keys_that_nothing_has_yield_nothing(key):  # META-5, COM-16
    catalog = make_catalog("edX+A")
    path = path_of(catalog, "get_content_metadata/")
    for response in (learner().get(path, {"content_keys": key}), learner().post(path, {"content_keys": [key]})):
        assert (response.status_code, response.json()["count"]) == (200, 0)


def test_xml_pages_are_well_formed():  # COM-4, COM-5
    store(course_document("edX+A"))
    catalog = make_catalog(course_document("edX+A", normalized_by_run={"course-v1:edX+A+1T": {"price": 1}}))
    response = learner().get(path_of(catalog, "get_content_metadata/"), headers={"Accept": "application/xml"})
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    root = ET.fromstring(response.content)
    assert root.findtext("results/list-item/key") == "edX+A"
