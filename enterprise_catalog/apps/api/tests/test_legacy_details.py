"""Full records of the legacy API: courses, runs and programs of a catalog (LEG-15 to LEG-17)."""

from xml.etree import ElementTree

import pytest

from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin
from enterprise_catalog.testing.catalogs import legacy_path_of, make_catalog, store
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import make_query, requested

pytestmark = pytest.mark.django_db

COURSE, RUN, HIDDEN = "edX+A", "course-v1:edX+A+1T", "course-v1:edX+A+hidden"
PROGRAM = "9f1b3c5e-0000-4000-8000-00000000000a"
RESTRICTED = {"key": HIDDEN, "restriction_type": "custom-b2b-enterprise", "status": "published"}
RECORD = {
    "key": COURSE,
    "title": "In full",
    "marketing_url": "https://x.example.org/?utm_source=w",
    "course_runs": [{"key": RUN, "title": "Run in full", "marketing_url": "https://x.example.org/r"}],
    "course_run_keys": [RUN],
}


@pytest.fixture(autouse=True)
def portal():
    """Full records do not depend on it (LEG-8)."""
    EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, name="Acme", slug="acme", enable_learner_portal=True)


def url_of(catalog, what):
    path = f"https://lms.example.org/enterprise/{CUSTOMER_UUID}/{what}/enroll/"
    return f"{path}?catalog={catalog.uuid}&utm_medium=enterprise&utm_source=acme-inc"


def ask(catalog, rest):
    return admin().get(legacy_path_of(catalog, rest))


def found(catalog, rest):
    response = ask(catalog, rest)
    assert response.status_code == 200, response.content
    return response.json()


def assert_not_found(catalog, rest):
    response = ask(catalog, rest)
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


class TestCourse:
    """A single course of a catalog (LEG-15)."""

    def test_the_full_record_with_links(self):
        catalog = make_catalog(COURSE, records=[RECORD])
        (run,) = RECORD["course_runs"]
        assert found(catalog, f"courses/{COURSE}/") == RECORD | {
            "enrollment_url": url_of(catalog, f"course/{COURSE}"),
            "course_runs": [run | {"enrollment_url": url_of(catalog, f"course/{RUN}")}],
        }

    @pytest.mark.parametrize("key", ["edX+A", "edX%2BA", "edX%20A", "edX/A"])
    def test_every_way_to_write_a_key(self, key):  # COM-1, COM-12
        catalog = make_catalog(COURSE, records=[RECORD])
        assert found(catalog, f"courses/{key}/")["key"] == COURSE
        assert found(catalog, f"courses/{key}")["key"] == COURSE

    def test_a_key_with_a_slash_is_its_own(self):
        records = [RECORD | {"key": key} for key in (COURSE, "edX/A")]
        catalog = make_catalog(COURSE, "edX/A", records=records)
        assert found(catalog, "courses/edX/A")["key"] == "edX/A"
        assert found(catalog, "courses/edX+A")["key"] == COURSE

    def test_a_course_of_a_member_run(self):  # CONT-1
        store(course_document(COURSE), records=[RECORD])
        assert found(make_catalog(run_document(RUN, COURSE)), f"courses/{COURSE}/")["title"] == "In full"

    def test_what_is_not_there(self):  # LEG-17
        store(course_document("edX+B"), records=[RECORD | {"key": "edX+B"}])
        catalog = make_catalog(COURSE, program_document(PROGRAM), records=[{"uuid": PROGRAM}])
        for key in ("edX+B", "edX+unknown", COURSE, PROGRAM, RUN, "x" * 300, "a/b/c", "edX+A.json", "edX+A.xml"):
            assert_not_found(catalog, f"courses/{key}/")

    def test_restricted_runs_are_hidden(self):  # V2-2, V2-6
        record = RECORD | {"course_runs": [*RECORD["course_runs"], RESTRICTED], "course_run_keys": [RUN, HIDDEN]}
        answer = ask(make_catalog(COURSE, records=[record]), f"courses/{COURSE}/")
        assert answer.json()["course_run_keys"] == [RUN]
        assert HIDDEN not in answer.content.decode()

    @pytest.mark.parametrize("runs", [None, [], "x", [None, {}, {"key": None}, {"key": 7}]])
    def test_odd_records(self, runs):  # DISC-17
        catalog = make_catalog(COURSE, records=[RECORD | {"course_runs": runs}])
        assert found(catalog, f"courses/{COURSE}")["course_runs"] == runs

    def test_audit_and_xml(self):  # LEG-8, COM-5
        catalog = make_catalog(COURSE, records=[RECORD], publish_audit_enrollment_urls=True)
        response = admin().get(legacy_path_of(catalog, f"courses/{COURSE}"), headers={"Accept": "application/xml"})
        root = ElementTree.fromstring(response.content)
        assert "?audit=true&catalog=" in root.findtext("enrollment_url")
        assert "?audit=true&catalog=" in root.findtext("course_runs/list-item/enrollment_url")


class TestRun:
    """Course runs and programs (LEG-16)."""

    def test_the_run_of_the_course(self):
        """Also where discovery returned it on its own."""
        expected = RECORD["course_runs"][0]
        nested = make_catalog(COURSE, records=[RECORD])
        own = make_catalog(run_document(RUN, COURSE, title="Search document"))
        for catalog in (nested, own):
            answer = found(catalog, f"course_runs/{RUN}/")
            assert answer == expected | {"enrollment_url": url_of(catalog, f"course/{RUN}")}

    def test_without_a_record_a_run_is_its_search_document(self):
        document = run_document(RUN, COURSE, title="Search document", marketing_url="https://x.example.org/")
        catalog = make_catalog(document)
        expected = document | {"enrollment_url": url_of(catalog, f"course/{RUN}")}
        assert found(catalog, f"course_runs/{RUN}/") == expected
        store(course_document(COURSE, course_runs=[]), records=[RECORD | {"course_runs": []}])
        assert found(catalog, f"course_runs/{RUN}") == expected

    @pytest.mark.parametrize("key", [RUN, "course-v1:edX%2BA%2B1T", "course-v1:edX%20A%201T"])
    def test_every_way_to_write_a_key(self, key):  # COM-12
        assert found(make_catalog(COURSE, records=[RECORD]), f"course_runs/{key}/")["key"] == RUN

    def test_an_old_key_with_slashes(self):
        old = "edX/A/1T"
        catalog = make_catalog(COURSE, records=[RECORD | {"course_runs": [{"key": old}]}])
        assert found(catalog, f"course_runs/{old}/")["enrollment_url"] == url_of(catalog, f"course/{old}")

    def test_what_is_not_there(self):  # LEG-17, V2-2
        record = RECORD | {"course_runs": [*RECORD["course_runs"], RESTRICTED]}
        catalog = make_catalog(
            COURSE,
            "edX+B",
            run_document("course-v1:edX+A+top", COURSE, restriction_type="custom-b2c"),
            records=[record],
        )
        # The last but one is contained, but nothing of it is stored.
        for key in (HIDDEN, "course-v1:edX+A+top", COURSE, "course-v1:edX+B+1T", "course-v1:edX+Z+1T"):
            assert_not_found(catalog, f"course_runs/{key}/")


class TestProgram:
    """Course runs and programs (LEG-16)."""

    record = {
        "uuid": PROGRAM,
        "title": "In full",
        "marketing_url": "https://x.example.org/?a=1",
        "courses": [{"key": COURSE, "course_runs": [{"key": RUN}]}, {"key": "edX+B", "course_runs": None}],
    }

    def test_the_full_record_with_links(self):
        catalog = make_catalog(program_document(PROGRAM), records=[self.record])
        assert found(catalog, f"programs/{PROGRAM}/") == self.record | {
            "enrollment_url": url_of(catalog, f"program/{PROGRAM}"),
            "courses": [
                {
                    "key": COURSE,
                    "course_runs": [{"key": RUN, "enrollment_url": url_of(catalog, f"course/{RUN}")}],
                    "enrollment_url": url_of(catalog, f"course/{COURSE}"),
                },
                {"key": "edX+B", "course_runs": None, "enrollment_url": url_of(catalog, "course/edX+B")},
            ],
        }

    def test_uuids_are_taken_in_any_case(self):  # COM-3
        catalog = make_catalog(program_document(PROGRAM), records=[self.record])
        assert found(catalog, f"programs/{PROGRAM.upper().replace('-', '')}")["uuid"] == PROGRAM

    def test_restricted_runs_are_hidden(self):  # V2-2
        courses = [{"key": COURSE, "course_runs": [{"key": RUN}, RESTRICTED], "course_run_keys": [RUN, HIDDEN]}, None]
        catalog = make_catalog(program_document(PROGRAM), records=[self.record | {"courses": courses}])
        answer = ask(catalog, f"programs/{PROGRAM}/")
        assert answer.json()["courses"][0]["course_run_keys"] == [RUN]
        assert HIDDEN not in answer.content.decode()
        v1 = admin().get(f"/api/v1/enterprise-catalogs/{catalog.uuid}/get_content_metadata/")
        assert COURSE in v1.content.decode()
        assert HIDDEN not in v1.content.decode()

    def test_what_is_not_there(self):  # LEG-17, COM-3
        other = f"{PROGRAM[:-1]}b"
        store(program_document(other), records=[self.record | {"uuid": other}])
        catalog = make_catalog(program_document(PROGRAM), COURSE, records=[RECORD])
        for uuid in (PROGRAM, other, COURSE, "not-a-uuid", "2b1d3c5e-0000-4000-8000-00000000dead"):
            assert_not_found(catalog, f"programs/{uuid}/")


def test_details_of_what_is_forced_in(sandbox):  # REFR-19, LEG-15, LEG-16
    key = next(key for key in sandbox.dataset.courses if sandbox.course_record(key)["course_runs"])
    query = make_query({"content_type": "program", "enterprise_force_include_aggregation_keys": [key]})
    refresh(requested(query).pk)
    catalog = make_catalog(query=query)
    course = found(catalog, f"courses/{key}/")
    assert course["enterprise_force_included"] is True
    run = found(catalog, f"course_runs/{course['course_runs'][0]['key']}/")
    assert (run["status"], run["availability"]) == ("published", "Current")
    assert "/enroll/?catalog=" in run["enrollment_url"]


def test_details_of_a_real_refresh(sandbox):  # LEG-15, LEG-16, V2-2
    query = make_query({"content_type": ["course", "program"]})
    refresh(requested(query).pk)
    catalog = make_catalog(query=query)
    for key in sandbox.dataset.course_keys():
        record, answer = sandbox.course_record(key), found(catalog, f"courses/{key}/")
        assert {name: answer[name] for name in record if name != "course_runs"} == {
            name: value for name, value in record.items() if name != "course_runs"
        }
        assert [run["key"] for run in answer["course_runs"]] == [run["key"] for run in record["course_runs"]]
    for uuid in sandbox.dataset.program_uuids():
        courses = found(catalog, f"programs/{uuid}/")["courses"]
        assert all("enrollment_url" in linked for course in courses for linked in (course, *course["course_runs"]))
