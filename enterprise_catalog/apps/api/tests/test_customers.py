"""One content of a customer, and its keys, over HTTP (CUST-5, CUST-6, PERM-7, FILT-1)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading import containment
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, client_for, learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish, store
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db

CONTENT = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/content-metadata/"
COURSE_UUID = "aaaaaaaa-0000-4000-8000-00000000000a"
RUN_UUID = "aaaaaaaa-0000-4000-8000-00000000000b"
PROGRAM = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
RUN = "course-v1:edX+A+1T"
ABSENT = {"detail": "No matching content in any catalog for this customer"}
LATER = datetime(2030, 1, 1, 12, tzinfo=UTC)


def ask(identifier, query="", client=None, **headers):
    return (client or learner()).get(f"{CONTENT}{quote(identifier)}/?{query}", headers=headers)


@pytest.fixture
def customer():
    return EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, slug="acme", name="Acme", enable_learner_portal=True)


def test_it_is_the_item_of_the_catalog(customer):  # CUST-5
    catalog = make_catalog("edX+A", "edX+B")
    (item, _) = learner().get(path_of(catalog, "get_content_metadata/")).json()["results"]
    response = ask("edX+A")
    assert (response.status_code, response.json()) == (200, item)
    assert "/acme/course/edX+A?" in item["enrollment_url"]


def test_the_first_catalog_that_has_it_shows_it():  # CUST-5
    make_catalog("edX+B")
    second = make_catalog("edX+A")
    make_catalog("edX+A")
    assert f"catalog={second.uuid}&" in ask("edX+A").json()["enrollment_url"]


def test_catalogs_created_at_the_same_time_are_ordered_by_uuid():  # CUST-5
    catalogs = [make_catalog("edX+A") for _ in range(4)]
    EnterpriseCatalog.objects.update(created=LATER)
    first = min(str(catalog.uuid) for catalog in catalogs)
    assert f"catalog={first}&" in ask("edX+A").json()["enrollment_url"]


@pytest.mark.parametrize("identifier", ["edX+A", "edX A", COURSE_UUID, COURSE_UUID.upper()])
def test_it_is_found_by_key_and_by_uuid(identifier):  # CUST-5, COM-12
    make_catalog(course_document("edX+A", uuid=COURSE_UUID))
    assert ask(identifier).json()["key"] == "edX+A"


def test_a_program_is_found_by_its_uuid():  # CUST-5, META-13
    make_catalog(program_document(PROGRAM))
    assert (ask(PROGRAM).json()["uuid"], ask(PROGRAM).json()["enrollment_url"]) == (PROGRAM, None)


def test_keys_of_old_courses_hold_slashes():
    make_catalog("edX/DemoX/2014")
    assert ask("edX/DemoX/2014").json()["key"] == "edX/DemoX/2014"


class TestPreference:
    def test_a_course_comes_before_its_runs(self):  # CUST-5
        make_catalog("edX+A", run_document(RUN, "edX+A", uuid=RUN_UUID))
        assert [ask(name).json()["key"] for name in (RUN, RUN_UUID, "edX+A")] == ["edX+A"] * 3

    def test_a_run_without_its_course_is_shown_itself(self):  # CUST-5
        make_catalog("edX+B", run_document(RUN, "edX+A", uuid=RUN_UUID))
        assert (ask(RUN).json()["key"], ask(RUN_UUID).json()["key"]) == (RUN, RUN)

    def test_a_run_stands_for_its_course(self):  # CUST-5
        make_catalog("edX+A")
        assert ask(RUN).json()["key"] == "edX+A"

    @pytest.mark.parametrize(("first", "last"), [("edX+A", "edX+B"), ("edX+B", "edX+A")])
    def test_of_members_with_one_uuid_the_last_stored(self, first, last):  # CUST-5
        store(course_document(first, uuid=COURSE_UUID, course_runs=[{"key": RUN}]))
        store(course_document(last, uuid=COURSE_UUID, course_runs=[{"key": RUN}]))
        make_catalog(*(course_document(key, uuid=COURSE_UUID, course_runs=[{"key": RUN}]) for key in (first, last)))
        assert [ask(name).json()["key"] for name in (COURSE_UUID, RUN)] == [last, last]

    def test_the_course_that_a_run_names_comes_first(self):  # CUST-5
        others = course_document("edX+0", course_runs=[{"key": RUN}])
        make_catalog("edX+A", others, run_document(RUN, "edX+A"))
        assert ask(RUN).json()["key"] == "edX+A"

    @pytest.mark.parametrize(("identifier", "found"), [("nope,edX+B,edX+A", "edX+B"), (f",{RUN}", "edX+A")])
    def test_the_first_part_between_commas_that_the_catalog_has(self, identifier, found):  # CUST-5, CONT-1
        make_catalog("edX+A", "edX+B")
        assert ask(identifier).json()["key"] == found

    def test_a_course_stands_for_its_first_run(self):  # CUST-5
        make_catalog(*(run_document(f"course-v1:edX+A+{number}T", "edX+A") for number in (3, 2, 4)))
        assert ask("edX+A").json()["key"] == "course-v1:edX+A+2T"

    def test_a_uuid_stands_for_nothing_else(self):  # CUST-5
        make_catalog(course_document("edX+A", uuid=COURSE_UUID), customer=OTHER_CUSTOMER_UUID)
        make_catalog(run_document(RUN, "edX+A"))
        assert (ask("edX+A").json()["key"], ask(COURSE_UUID).json()) == (RUN, ABSENT)

    def test_the_first_catalog_comes_before_the_better_match(self):  # CUST-5
        make_catalog("edX+A")
        make_catalog(run_document(RUN, "edX+A"))
        assert ask(RUN).json()["key"] == "edX+A"


class TestExecutiveEducation:
    """enterprise-subsidy prices a run by this answer, and enterprise-access redeems by it (CUST-5)."""

    RECORD = {
        "course_type": "executive-education-2u",
        "entitlements": [
            {"mode": "verified", "price": "1.00", "sku": "A"},
            {"mode": "paid-executive-education", "price": "2900.00", "sku": "B"},
        ],
        "additional_metadata": {"variant_id": "79a95406-a9ac-49b3-a27c-44f3fd06092e"},
        "product_source": {"name": "2u", "slug": "2u", "description": None},
    }

    @pytest.mark.parametrize("version", ["v1", "v2"])
    @pytest.mark.parametrize("identifier", [RUN, RUN_UUID, RUN_UUID.replace("-", "").upper(), "edX+A"])
    def test_the_price_of_a_run_is_the_entitlements(self, version, identifier):  # CUST-5, META-34
        run = {"key": RUN, "uuid": RUN_UUID, "first_enrollable_paid_seat_price": 7}
        course = course_document("edX+A", course_type="executive-education-2u", course_runs=[run])
        record = course | self.RECORD | {"course_runs": [run], "advertised_course_run_uuid": RUN_UUID}
        make_catalog(course, run_document(RUN, "edX+A", uuid=RUN_UUID), records=[record])
        path = CONTENT.replace("v1", version)
        item = learner().get(f"{path}{quote(identifier)}/?skip_customer_fetch=True").json()
        assert (item["content_type"], item["key"], item["product_source"]["slug"]) == ("course", "edX+A", "2u")
        assert item["additional_metadata"]["variant_id"] == self.RECORD["additional_metadata"]["variant_id"]
        assert [row["price"] for row in item["entitlements"]] == ["1.00", "2900.00"]
        assert item["normalized_metadata"]["content_price"] == 2900.0
        assert item["normalized_metadata_by_run"][RUN]["content_price"] == 2900.0


class TestAbsence:
    @pytest.mark.parametrize("identifier", ["edX+Other", COURSE_UUID, "x" * 300, "a\x00b", "1"])
    def test_content_in_no_catalog_is_not_found(self, identifier):  # CUST-5, COM-16
        make_catalog("edX+A")
        response = ask(identifier)
        assert (response.status_code, response.json()) == (404, ABSENT)

    def test_what_only_others_have(self):  # P8
        make_catalog("edX+A", customer=OTHER_CUSTOMER_UUID)
        make_catalog("edX+B")
        assert ask("edX+A").json() == ABSENT

    def test_what_left_the_catalog(self):  # CUST-5
        catalog = make_catalog("edX+A", "edX+B")
        publish(catalog.catalog_query, course_document("edX+B"))
        assert ask("edX+A").status_code == 404

    def test_what_is_restricted(self):  # V2-2
        make_catalog(run_document(RUN, "edX+A", restriction_type="custom-b2b-enterprise"))
        assert (ask(RUN).status_code, ask("edX+A").status_code) == (404, 404)

    def test_a_customer_without_catalogs(self):  # CUST-5
        assert ask("edX+A").json() == ABSENT

    def test_a_malformed_customer(self):  # COM-3
        response = operator().get("/api/v1/enterprise-customer/acme/content-metadata/edX+A/")
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


class TestWithoutCustomer:
    """Answers without the customer (CUST-6)."""

    def test_without_the_customer_no_link_leads_to_enrollment(self, customer):
        make_catalog(course_document("edX+A", marketing_url="https://example.org/a"))
        item = ask("edX+A", "skip_customer_fetch=1").json()
        assert item["enrollment_url"] is None
        assert all(not {"enrollment_url", "parent_content_key"} & run.keys() for run in item["course_runs"])
        assert item["marketing_url"] == "https://example.org/a?utm_medium=enterprise&utm_source=acme-inc"
        assert item["xapi_activity_id"].endswith("/course/edX+A")

    @pytest.mark.parametrize(("query", "counts"), [("", True), ("skip_customer_fetch=true", False)])
    def test_the_customers_date_does_not_count(self, customer, query, counts):
        make_catalog("edX+A")
        EnterpriseCustomer.objects.update(modified=LATER)
        response = ask("edX+A", query)
        assert (response.json()["content_last_modified"] == "2030-01-01T12:00:00Z") is counts
        assert (response["Last-Modified"] == "Tue, 01 Jan 2030 12:00:00 GMT") is counts

    def test_pathways_get_no_field_they_never_had(self):
        uuid = "bbbbbbbb-0000-4000-8000-00000000000b"
        pathway = {"aggregation_key": f"learnerpathway:{uuid}", "content_type": "learnerpathway", "uuid": uuid}
        make_catalog(pathway)
        item = ask(uuid, "skip_customer_fetch=yes").json()
        assert (item["key"], "enrollment_url" in item) == (uuid, False)

    def test_anything_else_is_refused(self):  # COM-11
        make_catalog("edX+A")
        response = ask("edX+A", "skip_customer_fetch=maybe")
        assert (response.status_code, response.json()) == (400, {"skip_customer_fetch": ["Must be a valid boolean."]})


class TestConditional:
    """Conditional requests (COM-18)."""

    def test_a_caller_with_the_current_tag_gets_no_body(self):
        make_catalog("edX+A")
        first = ask("edX+A")
        second = ask("edX+A", **{"If-None-Match": first["ETag"]})
        assert (second.status_code, second.content, second["ETag"]) == (304, b"", first["ETag"])

    def test_permission_comes_first(self):  # AUTH-9
        make_catalog("edX+A")
        assert ask("edX+A", client=client_for("nobody"), **{"If-None-Match": "*"}).status_code == 403

    def test_what_is_absent_is_not_held(self):
        assert ask("edX+A", **{"If-None-Match": "*"}).status_code == 404

    @pytest.mark.parametrize(
        "change",
        [
            lambda catalog: publish(make_query({"key": ["x"]}), course_document("edX+A", title="changed")),
            lambda catalog: publish(catalog.catalog_query, run_document(RUN, "edX+A")),
            lambda catalog: EnterpriseCatalog.objects.update(enterprise_name="Other"),
            lambda catalog: EnterpriseCustomer.objects.update(enable_learner_portal=False),
            lambda catalog: make_catalog("edX+A", created=datetime(2020, 1, 1, tzinfo=UTC)),
        ],
        ids=["item", "the run instead", "catalog", "customer", "another catalog first"],
    )
    def test_what_changes_the_answer_changes_its_tag(self, customer, change):
        catalog = make_catalog("edX+A")
        before = ask(RUN)
        change(catalog)
        EnterpriseCatalog.objects.exclude(pk=catalog.pk).update(created=datetime(2020, 1, 1, tzinfo=UTC))
        after = ask(RUN, **{"If-None-Match": before["ETag"]})
        assert (after.status_code, after.content != before.content) == (200, True)


def test_xml():  # COM-4, COM-5
    make_catalog("edX+A")
    response = ask("edX+A", Accept="application/xml")
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    assert b"<key>edX+A</key>" in response.content


FILTER = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/"


def filter_items(content_keys, *catalogs, **fields):
    body = {"content_keys": content_keys, "catalog_uuids": [catalog.uuid for catalog in catalogs]}
    return learner().post(FILTER, body | fields)


def filtered(response) -> list[str]:
    assert (response.status_code, list(response.json())) == (200, ["filtered_content_keys"])
    return response.json()["filtered_content_keys"]


def test_keys_of_any_catalog_come_back_once_in_their_order():  # FILT-1
    make_catalog("edX+A", "edX+C")
    make_catalog("edX+B", "edX+C")
    make_catalog("edX+D", customer=OTHER_CUSTOMER_UUID)
    asked = ["edX+C", "nope", "edX+B", "edX+C", "", "edX+D", "edX+A", "x" * 300, "a\x00b"]
    assert filtered(filter_items(asked)) == ["edX+C", "edX+B", "edX+A"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_with_and_without_slash(slash):  # COM-1
    make_catalog("edX+A")
    assert filtered(learner().post(FILTER.rstrip("/") + slash, {"content_keys": ["edX+A"]})) == ["edX+A"]


def test_chosen_catalogs_only():  # FILT-1
    first, second, _ = make_catalog("edX+A"), make_catalog("edX+B"), make_catalog("edX+C")
    asked = ["edX+C", "edX+B", "edX+A"]
    assert filtered(filter_items(asked, second)) == ["edX+B"]
    assert filtered(filter_items(asked, first, second, second)) == ["edX+B", "edX+A"]


def test_keys_match_as_in_contains():  # FILT-1, CONT-1
    make_catalog("edX+A", run_document("course-v1:edX+B+1T", "edX+B"))
    asked = ["course-v1:edX+A+1T", "course-v1:edX+A+2T", "edX+B", "edx+a"]
    assert filtered(filter_items(asked)) == ["course-v1:edX+A+1T", "edX+B"]


def test_spaces_in_keys_become_plus():  # COM-12
    make_catalog("edX+A")
    assert filtered(filter_items(["edX A", "edX+A"])) == ["edX+A"]


def test_what_was_written_comes_back():  # FILT-1, CONT-1
    make_catalog("edX+A", program_document(PROGRAM))
    asked = [PROGRAM.upper(), PROGRAM.replace("-", ""), "nope,edX A", "nope,neither", PROGRAM]
    assert filtered(filter_items(asked)) == [PROGRAM.upper(), PROGRAM.replace("-", ""), "nope,edX+A", PROGRAM]


@pytest.mark.parametrize("body", [None, {}, {"content_keys": []}, {"catalog_uuids": []}])
def test_no_keys_yield_none(body):  # FILT-1
    make_catalog("edX+A")
    assert filtered(learner().post(FILTER, body)) == []


@pytest.mark.parametrize("catalog_uuids", [[], None])
def test_no_choice_means_all(catalog_uuids):  # FILT-1
    make_catalog("edX+A")
    assert filtered(filter_items(["edX+A"], catalog_uuids=catalog_uuids)) == ["edX+A"]


def test_a_customer_without_catalogs_has_nothing():
    assert filtered(filter_items(["edX+A"])) == []


@pytest.mark.parametrize("client", [learner, operator])
def test_catalogs_of_others_are_passed_over(client):  # FILT-2, P8
    """They hold nothing for this customer, and nobody learns whether they exist."""
    mine, others = make_catalog("edX+A"), make_catalog("edX+B", customer=OTHER_CUSTOMER_UUID)
    path = FILTER.replace(str(CUSTOMER_UUID), str(CUSTOMER_UUID).upper())
    for foreign in (others.uuid, uuid4()):
        body = {"content_keys": ["edX+B", "edX+A"], "catalog_uuids": [foreign]}
        assert filtered(client().post(path, body)) == []
        assert filtered(client().post(path, body | {"catalog_uuids": [foreign, mine.uuid]})) == ["edX+A"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"content_keys": "edX+A"}, {"content_keys": ["Must be a list of strings."]}),
        ({"content_keys": None}, {"content_keys": ["Must be a list of strings."]}),
        ({"content_keys": [7]}, {"content_keys": ["Must be a list of strings."]}),
        ({"catalog_uuids": ["x"]}, {"catalog_uuids": ["Must be a valid UUID."]}),
        ({"catalog_uuids": str(CUSTOMER_UUID)}, {"catalog_uuids": ["Must be a list of strings."]}),
        ([], {"non_field_errors": ["Must be a JSON object."]}),
    ],
)
def test_bad_bodies_are_refused(body, error):  # FILT-1, FILT-2
    response = learner().post(FILTER, body)
    assert (response.status_code, response.json()) == (400, error)


def test_ten_thousand_keys_are_answered_and_no_more():  # COM-16, ERR-4
    make_catalog("edX+A")
    asked = [f"edX+{number}" for number in range(9999)]
    assert filtered(filter_items([*asked, "edX+A"])) == ["edX+A"]
    for name in ("content_keys", "catalog_uuids"):
        response = learner().post(FILTER, {name: [str(CUSTOMER_UUID)] * 10_001})
        text = f"filter_content_items requests support up to 10000 {name}."
        assert (response.status_code, response.json()) == (400, {name: [text]})


@pytest.mark.parametrize("uuid", ["x", f"{CUSTOMER_UUID}x"])
def test_a_malformed_customer_is_not_found(uuid):  # COM-3
    response = learner().post(f"/api/v1/enterprise-customer/{uuid}/filter_content_items/", {})
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_only_post():  # AUTH-9
    assert learner().get(FILTER).status_code == 405


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_publish_between_two_statements_is_not_seen(monkeypatch):  # P2
    monkeypatch.setattr(containment, "_KEYS_PER_STATEMENT", 1)
    catalog = make_catalog("edX+A", "edX+B")
    published = []

    def publish_elsewhere():
        publish(catalog.catalog_query, course_document("edX+C"))
        connection.close()

    def publish_after_the_first(execute, sql, *arguments):
        result = execute(sql, *arguments)
        if "UNION ALL" in sql and not published:
            published.append(sql)
            with ThreadPoolExecutor(max_workers=1) as elsewhere:
                elsewhere.submit(publish_elsewhere).result()
        return result

    with connection.execute_wrapper(publish_after_the_first):
        assert filtered(filter_items(["edX+A", "edX+B"])) == ["edX+A", "edX+B"]
    assert filtered(filter_items(["edX+A", "edX+B", "edX+C"])) == ["edX+C"]
