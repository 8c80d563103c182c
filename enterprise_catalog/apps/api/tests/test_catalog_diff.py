"""Diffs over HTTP (DIFF-1 to DIFF-3)."""

import tracemalloc
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.storage.visibility import build_memberships
from enterprise_catalog.apps.core.datetimes import api_iso
from enterprise_catalog.testing.callers import CUSTOMER_UUID, client_for, learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.factories import EnterpriseCustomerFactory
from enterprise_catalog.testing.runs import keys, make_query

pytestmark = pytest.mark.django_db

PROGRAM = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def ask(catalog, content_keys):
    return learner().post(path_of(catalog, "generate_diff/"), {"content_keys": content_keys})


def keys_in(response) -> list[list[str]]:
    """The keys of the three lists: not found, not included, found."""
    assert response.status_code == 200
    lists = ("items_not_found", "items_not_included", "items_found")
    assert tuple(response.json()) == lists
    return [[item["content_key"] for item in response.json()[name]] for name in lists]


def test_the_three_lists():  # DIFF-1
    catalog = make_catalog("edX+C", "edX+A", "edX+B", "edX+D", program_document(PROGRAM))
    response = ask(catalog, ["nope", "edX+D", "edX+B", "", "edX+B", "nope", PROGRAM, "gone"])
    assert keys_in(response) == [["nope", "", "gone"], ["edX+A", "edX+C"], [PROGRAM, "edX+B", "edX+D"]]


def test_each_entry_says_its_key_and_found_ones_their_date():  # DIFF-1
    answer = ask(make_catalog("edX+A", "edX+B"), ["edX+A", "nope"]).json()
    assert answer["items_not_found"] == [{"content_key": "nope"}]
    assert answer["items_not_included"] == [{"content_key": "edX+B"}]
    assert [list(item) for item in answer["items_found"]] == [["content_key", "date_updated"]]


def test_keys_are_exact():  # DIFF-2
    run = "course-v1:edX+A+1T"
    assert keys_in(ask(make_catalog("edX+A"), [run, "edx+a"])) == [[run, "edx+a"], ["edX+A"], []]
    assert keys_in(ask(make_catalog(run_document(run, "edX+A")), ["edX+A"])) == [["edX+A"], [run], []]


def test_inactive_courses_count():  # DIFF-2
    catalog = make_catalog(course_document("edX+I", course_runs=[]), course_document("edX+J", course_runs=[]))
    assert keys_in(ask(catalog, ["edX+I"])) == [[], ["edX+J"], ["edX+I"]]


class TestBeforeTheFirstPublish:
    """Exporters take "not found" for all keys as an order to delete everything (DIFF-1)."""

    DETAIL = {"detail": "This catalog has no content yet: its first refresh has not been published."}

    @pytest.mark.parametrize("content_keys", [["edX+A"], ["edX+A", "edX+B"], [""]])
    def test_keys_get_no_answer(self, content_keys):
        catalog = make_catalog()
        answers = [ask(catalog, content_keys)]
        answers.append(learner().get(path_of(catalog, "generate_diff/"), {"content_keys": content_keys}))
        for answer in answers:
            assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, self.DETAIL, "60")

    def test_another_query_begins_anew(self):
        """A catalog that moves to a query without a publish holds nothing of its earlier one."""
        catalog = make_catalog("edX+A")
        assert keys_in(ask(catalog, ["edX+A"])) == [[], [], ["edX+A"]]
        EnterpriseCatalog.objects.update(catalog_query=make_query({"key": ["another"]}))
        assert ask(catalog, ["edX+A"]).status_code == 503

    def test_no_keys_are_compared_with_nothing(self):
        path = path_of(make_catalog(), "generate_diff/")
        for body in (None, {"content_keys": []}):
            assert keys_in(learner().post(path, body)) == [[], [], []]

    def test_a_publish_of_nothing_is_a_publish(self):
        catalog = make_catalog()
        publish(catalog.catalog_query)
        assert keys_in(ask(catalog, ["edX+A"])) == [["edX+A"], [], []]

    def test_permissions_and_errors_come_first(self):  # AUTH-9
        path = path_of(make_catalog(), "generate_diff/")
        assert client_for("nobody").post(path, {"content_keys": ["edX+A"]}).status_code == 403
        assert learner().post(path, {"content_keys": ["edX+A", 7]}).status_code == 400


def test_restricted_runs_are_hidden():  # V2-3
    run = run_document("course-v1:edX+A+1T", "edX+A", restriction_type="custom-b2b-enterprise")
    assert keys_in(ask(make_catalog("edX+A", run), [run["key"]])) == [[run["key"]], ["edX+A"], []]


def test_spaces_in_keys_become_plus():  # COM-12
    assert keys_in(ask(make_catalog("edX+A"), ["edX A", "edX B"])) == [["edX+B"], [], ["edX+A"]]


@pytest.mark.parametrize("key", ["x" * 300, "a\x00b", "数学", "😀"])
def test_keys_that_cannot_be_stored_are_not_found(key):  # COM-16
    assert keys_in(ask(make_catalog("edX+A"), [key])) == [[key], ["edX+A"], []]


class TestDate:
    """The latest date of item, catalog and customer (META-11)."""

    ITEM, CATALOG, CUSTOMER = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))

    def date_of(self, item, catalog, customer):
        held = make_catalog("edX+A", modified=catalog)
        ContentMetadata.objects.update(modified=item)
        if customer != "no copy":
            EnterpriseCustomerFactory(uuid=CUSTOMER_UUID, modified=customer)
        return ask(held, ["edX+A"]).json()["items_found"][0]["date_updated"]

    @pytest.mark.parametrize("customer", ["no copy", None, ITEM])
    def test_of_item_or_catalog(self, customer):
        assert self.date_of(self.ITEM, self.CATALOG, customer) == "2026-01-02T00:00:00Z"

    def test_of_customer(self):
        assert self.date_of(self.ITEM, self.CATALOG, self.CUSTOMER) == "2026-01-03T00:00:00Z"

    def test_the_date_of_a_found_key_is_the_latest_one(self):
        later = self.CUSTOMER + timedelta(microseconds=7)
        assert self.date_of(later, self.CATALOG, self.CUSTOMER) == "2026-01-03T00:00:00.000007Z"

    def test_last_modified_is_that_of_the_item(self):
        catalog = make_catalog("edX+A", modified=datetime(2020, 1, 1, tzinfo=UTC))
        (item,) = learner().get(path_of(catalog, "get_content_metadata/")).json()["results"]
        (found,) = ask(catalog, ["edX+A"]).json()["items_found"]
        assert found["date_updated"] == item["content_last_modified"]
        assert found["date_updated"] == api_iso(ContentMetadata.objects.get().modified)


@pytest.mark.parametrize("content_type", ["application/json", ""])
def test_an_empty_body_holds_no_keys(content_type):  # DIFF-3
    path = path_of(make_catalog("edX+A"), "generate_diff")
    assert keys_in(learner().generic("POST", path, "", content_type=content_type)) == [[], ["edX+A"], []]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, {"content_keys": ["This field is required."]}),
        ({"other": []}, {"content_keys": ["This field is required."]}),
        ({"content_keys": None}, {"content_keys": ["Must be a list of strings."]}),
        ({"content_keys": "edX+A"}, {"content_keys": ["Must be a list of strings."]}),
        ({"content_keys": ["edX+A", 7]}, {"content_keys": ["Must be a list of strings."]}),
        ([], {"non_field_errors": ["Must be a JSON object."]}),
    ],
)
def test_bad_bodies_are_refused(body, error):  # DIFF-3
    response = learner().post(path_of(make_catalog(), "generate_diff/"), body)
    assert (response.status_code, response.json()) == (400, error)


class TestGet:
    def test_keys_may_be_parameters(self):  # DIFF-3, COM-12
        path = path_of(make_catalog("edX+A", "edX+B"), "generate_diff/")
        response = learner().get(f"{path}?content_keys=nope&content_keys=edX+A&content_keys=edX%2BA")
        assert keys_in(response) == [["nope"], ["edX+B"], ["edX+A"]]

    def test_keys_are_required(self):  # DIFF-3, ERR-3
        path = path_of(make_catalog("edX+A"), "generate_diff/")
        error = ["You must provide at least one of the following query parameters: content_keys."]
        response = learner().get(path)
        assert (response.status_code, response.json()) == (400, error)
        assert keys_in(learner().get(f"{path}?content_keys=")) == [[""], ["edX+A"], []]

    def test_a_hundred_at_most(self):  # ERR-4
        path = path_of(make_catalog("edX+A"), "generate_diff/")
        assert learner().get(path, {"content_keys": keys(100)}).status_code == 200
        text = "generate_diff GET requests support up to 100 content keys. If more are required, use a POST body."
        response = learner().get(path, {"content_keys": keys(101)})
        assert (response.status_code, response.json()) == (400, {"content_keys": [text]})


def test_xml_is_well_formed():  # COM-4, COM-5
    path = path_of(make_catalog("edX+A", "edX+B"), "generate_diff/?format=xml&content_keys=edX+A&content_keys=%00%26")
    root = ET.fromstring(learner().get(path).content)
    assert root.findtext("items_not_found/list-item/content_key") == "&"
    assert root.findtext("items_not_included/list-item/content_key") == "edX+B"
    assert root.findtext("items_found/list-item/date_updated").endswith("Z")


@pytest.fixture
def large_catalog():
    """A catalog of 20,000 members without documents, which a diff does not read."""
    now = timezone.now()
    catalog = make_catalog()
    contents = [
        ContentMetadata(
            content_key=f"edX+{n:05}", content_type="course", rendering_version=1, created=now, modified=now
        )
        for n in range(20_000)
    ]
    ContentMetadata.objects.bulk_create(contents)
    CatalogContentKey.objects.bulk_create(build_memberships(query=catalog.catalog_query, contents=contents))
    CatalogQuery.objects.update(refreshed_at=now)
    return catalog


def test_large_lists_are_compared_in_bounded_memory(large_catalog):  # COM-16, ERR-4
    client, path = learner(), path_of(large_catalog, "generate_diff/")
    asked = [f"edX+{n:05}" for n in range(10_000, 60_000)]
    client.get(path, {"content_keys": "x"})
    tracemalloc.start()
    response = client.post(path, {"content_keys": asked})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(found) for found in keys_in(response)] == [40_000, 10_000, 10_000]
    assert peak < 40 * 1024 * 1024
    text = "generate_diff POST requests support up to 50000 content keys."
    response = client.post(path, {"content_keys": [*asked, "x"]})
    assert (response.status_code, response.json()) == (400, {"content_keys": [text]})
