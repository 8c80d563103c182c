"""The released client reads a large catalog: page by page, by keys, by questions (CLI-3 to CLI-9)."""

from uuid import uuid4
from xml.etree import ElementTree

import pytest
import requests
from django.core.cache import cache
from edx_django_utils.cache import RequestCache
from enterprise.api_client.enterprise_catalog import EnterpriseCatalogApiClient, NoAuthEnterpriseCatalogClient
from enterprise.content_metadata.api import get_and_cache_content_metadata, get_and_cache_customer_content_metadata
from enterprise.utils import get_content_metadata_item_id, traverse_pagination

from tests.clients.lms.platform import create_jwt_for_user

pytestmark = pytest.mark.django_db

TYPES = {"course", "courserun", "program", "learnerpathway"}
UNKNOWN = "edX+Unknown"


def keys_of(items):
    return [get_content_metadata_item_id(item) for item in items]


@pytest.fixture(scope="session")
def walked(large, django_db_blocker):
    """Everything the catalog lists, as exporters read it: in pages of 50."""
    with django_db_blocker.unblock():
        return EnterpriseCatalogApiClient().get_content_metadata(large.enterprise_customer, [large])


@pytest.fixture(scope="session")
def one_of(walked):
    """Per type, one listed item; of the courses one with runs."""
    return {item["content_type"]: item for item in walked if item.get("course_runs") != []}


@pytest.fixture
def url(client, large):
    return client.get_api_url(client.GET_CONTENT_METADATA_ENDPOINT.format(large.uuid))


class TestWalk:
    def test_each_of_more_than_a_thousand_items_comes_once(self, client, large, walked, url):
        """The client drops what comes twice, so it is the count that tells (CLI-3, CLI-4, COM-9, COM-10)."""
        keys = keys_of(walked)
        assert len(keys) > 1000
        assert keys == sorted(set(keys))
        assert client.get_catalog_content_count(large.uuid) == len(keys)
        page = client.client.get(url, params={"page_size": 50}).json()
        assert keys_of(traverse_pagination(page, client.client, url)) == keys

    def test_one_answer_holds_the_same_items(self, client, walked, url):  # META-3
        whole = client.client.get(url, params={"traverse_pagination": True}).json()
        assert (whole["count"], whole["results"]) == (len(walked), walked)

    def test_every_type_is_there_with_its_id(self, walked):
        """The client reads `key` of everything but programs (META-6)."""
        assert {item["content_type"] for item in walked} == TYPES
        assert all(item["uuid"] for item in walked if item["content_type"] == "program")

    def test_a_customers_catalogs_are_walked_one_after_the_other(self, client, large, walked):
        """Without a choice of catalogs, all of the customer (CLI-3)."""
        assert keys_of(client.get_content_metadata(large.enterprise_customer)) == keys_of(walked)


class TestKeys:
    def test_every_course_in_chunks_of_fifty(self, client, large, courses):
        """Asked keys come active or not, each course with its runs, in as many pages as it takes (CLI-3, META-5)."""
        diff, _, _ = client.get_catalog_diff(large, [])
        members = {entry["content_key"] for entry in diff}
        asked = [key for key in courses if key in members]
        assert len(asked) > 300
        items = client.get_content_metadata(large.enterprise_customer, [large], asked)
        assert {item["key"] for item in items if item["content_type"] == "course"} == set(asked)
        runs = [item for item in items if item["content_type"] == "courserun"]
        assert runs
        assert all(run["parent_content_key"] in asked for run in runs)

    def test_all_kinds_of_keys_together(self, client, large, one_of):
        """A `+` in a key, a run's colon, and uuids (META-5, COM-12)."""
        asked = [one_of[kind].get("key") or one_of[kind]["uuid"] for kind in TYPES]
        items = client.get_content_metadata(large.enterprise_customer, [large], [*asked, UNKNOWN])
        assert set(asked) <= set(keys_of(items))
        parents = {item.get("parent_content_key") for item in items}
        # Nothing but what was asked for, runs of the course, and the run's course.
        assert all(key in asked or key in parents or "course-v1:" in key for key in keys_of(items))

    def test_unknown_keys_yield_nothing(self, client, large):  # META-5
        assert client.get_content_metadata(large.enterprise_customer, [large], [UNKNOWN]) == []


class TestContains:
    def test_of_a_catalog(self, client, large, one_of):
        """Any id of any kind, asked for as `course_run_ids` (CLI-6, CONT-1, CONT-4)."""
        nested = one_of["course"]["course_runs"][0]["key"]
        for item in one_of.values():
            assert client.contains_content_items(large.uuid, [item.get("key") or item["uuid"]]) is True
        assert client.contains_content_items(large.uuid, [nested]) is True
        assert client.contains_content_items(large.uuid, [UNKNOWN, nested]) is True
        assert client.contains_content_items(large.uuid, [UNKNOWN]) is False

    def test_of_a_customer(self, client, large, one_of):
        """With the catalogs that hold one of them (CLI-6, CONT-7)."""
        found = client.enterprise_contains_content_items(large.enterprise_customer.uuid, [one_of["course"]["key"]])
        assert found == {"contains_content_items": True, "catalog_list": [str(large.uuid)]}
        missed = client.enterprise_contains_content_items(large.enterprise_customer.uuid, [UNKNOWN])
        assert missed == {"contains_content_items": False, "catalog_list": []}

    def test_of_a_customer_who_has_no_catalogs(self, client):
        missed = client.enterprise_contains_content_items(uuid4(), [UNKNOWN])
        assert missed == {"contains_content_items": False, "catalog_list": []}

    def test_as_the_models_ask(self, large, one_of):
        """What decides over consent and enrollment (CLI-6)."""
        customer = large.enterprise_customer
        assert customer.catalog_contains_course(one_of["courserun"]["key"]) is True
        assert customer.catalog_contains_course(UNKNOWN) is False
        assert large.get_course_run(UNKNOWN) is None
        assert large.get_program(str(uuid4())) is None


class TestLookup:
    @pytest.fixture(autouse=True)
    def _without_the_lms_own_caches(self):
        RequestCache.clear_all_namespaces()
        cache.clear()

    def test_a_run_of_a_customer_is_shown_as_its_course(self, client, large, one_of):  # CLI-7, CUST-5
        run, customer = one_of["courserun"], large.enterprise_customer.uuid
        found = client.get_customer_content_metadata_content_identifier(customer, run["key"])
        assert (found["content_type"], found["key"]) == ("course", run["parent_content_key"])
        assert get_and_cache_customer_content_metadata(customer, run["key"]) == found

    @pytest.mark.parametrize("kind", [kind for kind in sorted(TYPES) if kind != "courserun"])
    def test_one_item_of_a_customer(self, client, large, one_of, kind):  # CLI-7, CUST-5
        key = one_of[kind].get("key") or one_of[kind]["uuid"]
        found = client.get_customer_content_metadata_content_identifier(large.enterprise_customer.uuid, key)
        assert found == one_of[kind]
        assert get_and_cache_customer_content_metadata(large.enterprise_customer.uuid, key) == found

    def test_one_item_by_itself(self, client, one_of):
        """This path the client writes without a slash at its end (CLI-7, CM-1)."""
        course = one_of["course"]
        found = client.get_content_metadata_content_identifier(course["key"])
        assert (found["key"], found["title"], found["active"]) == (course["key"], course["title"], True)
        assert "enrollment_url" not in found
        assert client.get_content_metadata_content_identifier(course["uuid"]) == found
        assert get_and_cache_content_metadata(course["key"]) == found

    def test_a_run_becomes_its_course(self, client, one_of):  # CLI-7, CM-1
        run = one_of["courserun"]
        assert client.get_content_metadata_content_identifier(run["key"])["key"] == run["key"]
        found = client.get_content_metadata_content_identifier(run["key"], coerce_to_parent_course=True)
        assert (found["content_type"], found["key"]) == ("course", run["parent_content_key"])
        assert get_and_cache_content_metadata(run["key"], coerce_to_parent_course=True) == found

    def test_what_is_not_there_is_an_empty_dictionary(self, client, large, complaints):
        """The 404 becomes `{}`, and a line in the log (CLI-7)."""
        assert client.get_content_metadata_content_identifier(UNKNOWN) == {}
        assert client.get_customer_content_metadata_content_identifier(large.enterprise_customer.uuid, UNKNOWN) == {}
        bare, of_customer = complaints.take()
        assert "404 Client Error" in bare
        assert "404 Client Error" in of_customer


class TestDiff:
    def test_three_lists(self, client, large, walked):
        """The client hands them on as to create, to delete, found (CLI-5, DIFF-1)."""
        known, gone = keys_of(walked)[:60], [UNKNOWN, str(uuid4())]
        create, delete, found = client.get_catalog_diff(large, [*gone, *known])
        assert [entry["content_key"] for entry in delete] == gone
        assert [entry["content_key"] for entry in found] == known
        assert {entry["content_key"] for entry in create} >= set(keys_of(walked)) - set(known)
        assert not {entry["content_key"] for entry in create} & set(known)
        modified = {get_content_metadata_item_id(item): item["content_last_modified"] for item in walked}
        assert [entry["date_updated"] for entry in found] == [modified[key] for key in known]

    def test_nothing_sent_yet(self, client, large, walked):
        """Every member is new, inactive ones too (DIFF-2)."""
        create, delete, found = client.get_catalog_diff(large, [])
        assert {entry["content_key"] for entry in create} >= set(keys_of(walked))
        assert (delete, found) == ([], [])

    def test_everything_sent_already(self, client, large):
        """A body of thousands of keys."""
        create, _, _ = client.get_catalog_diff(large, [])
        keys = [entry["content_key"] for entry in create]
        assert len(keys) > 1000
        create, delete, found = client.get_catalog_diff(large, keys)
        assert (create, delete, [entry["content_key"] for entry in found]) == ([], [], keys)


def test_the_preview_link(client, large):
    """A link without a slash, opened by a browser that has the cookies of the LMS (CLI-9, COM-1, COM-5)."""
    link = EnterpriseCatalogApiClient.get_content_metadata_url(large.uuid)
    assert not link.endswith("/")
    head, signature = create_jwt_for_user(client.user).rsplit(".", 1)
    page = requests.get(
        link,
        headers={"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
        cookies={"edx-jwt-cookie-header-payload": head, "edx-jwt-cookie-signature": signature},
        allow_redirects=False,
        timeout=10,
    )
    assert (page.status_code, page.headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
    assert len(ElementTree.fromstring(page.content).findall("results/list-item")) == 10
    assert requests.get(link, allow_redirects=False, timeout=10).status_code == 401


def test_health():
    """This client knows no token (SURF-3)."""
    assert NoAuthEnterpriseCatalogClient().get_health()["overall_status"] == "OK"
