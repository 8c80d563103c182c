"""CUST-5, CUST-6, PERM-7 over HTTP: one content as a customer's catalogs show it."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.testing.callers import OTHER, E, client_for, learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of, program_document, publish, run_document
from enterprise_catalog.testing.runs import course_document, make_query

pytestmark = pytest.mark.django_db

CONTENT = f"/api/v1/enterprise-customer/{E}/content-metadata/"
COURSE_UUID = "aaaaaaaa-0000-4000-8000-00000000000a"
PROGRAM = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
RUN = "course-v1:edX+A+1T"
ABSENT = {"detail": "No matching content in any catalog for this customer"}
LATER = datetime(2030, 1, 1, 12, tzinfo=UTC)


def ask(identifier, query="", client=None, **headers):
    return (client or learner()).get(f"{CONTENT}{quote(identifier)}/?{query}", headers=headers)


@pytest.fixture
def customer():
    return EnterpriseCustomer.objects.create(uuid=E, slug="acme", name="Acme", enable_learner_portal=True)


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


def test_catalogs_of_one_moment_come_by_uuid():  # CUST-5
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
    def test_the_member_itself_comes_first(self):  # CUST-5
        make_catalog("edX+A", run_document(RUN, "edX+A"))
        assert (ask(RUN).json()["key"], ask("edX+A").json()["key"]) == (RUN, "edX+A")

    def test_a_run_stands_for_its_course(self):  # CUST-5
        make_catalog("edX+A")
        assert ask(RUN).json()["key"] == "edX+A"

    def test_a_course_stands_for_its_first_run(self):  # CUST-5
        make_catalog(*(run_document(f"course-v1:edX+A+{number}T", "edX+A") for number in (3, 2, 4)))
        assert ask("edX+A").json()["key"] == "course-v1:edX+A+2T"

    def test_a_uuid_stands_for_nothing_else(self):  # CUST-5
        make_catalog(course_document("edX+A", uuid=COURSE_UUID), customer=OTHER)
        make_catalog(run_document(RUN, "edX+A"))
        assert (ask("edX+A").json()["key"], ask(COURSE_UUID).json()) == (RUN, ABSENT)

    def test_the_first_catalog_comes_before_the_better_match(self):  # CUST-5
        make_catalog("edX+A")
        make_catalog(run_document(RUN, "edX+A"))
        assert ask(RUN).json()["key"] == "edX+A"


class TestAbsence:
    @pytest.mark.parametrize("identifier", ["edX+Other", COURSE_UUID, "x" * 300, "a\x00b", "1"])
    def test_what_no_catalog_has(self, identifier):  # CUST-5, COM-16
        make_catalog("edX+A")
        response = ask(identifier)
        assert (response.status_code, response.json()) == (404, ABSENT)

    def test_what_only_others_have(self):  # P8
        make_catalog("edX+A", customer=OTHER)
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
    """CUST-6."""

    def test_nothing_leads_to_enrollment(self, customer):
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
    """COM-18."""

    def test_who_holds_it_gets_no_body(self):
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
            lambda catalog: publish(catalog.catalog_query, course_document("edX+A"), run_document(RUN, "edX+A")),
            lambda catalog: EnterpriseCatalog.objects.update(enterprise_name="Other"),
            lambda catalog: EnterpriseCustomer.objects.update(enable_learner_portal=False),
            lambda catalog: make_catalog("edX+A", created=datetime(2020, 1, 1, tzinfo=UTC)),
        ],
        ids=["item", "better match", "catalog", "customer", "another catalog first"],
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
