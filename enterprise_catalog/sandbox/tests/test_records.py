"""Full records, reviews and customers (DISC-18 to DISC-21)."""

import pytest

from enterprise_catalog.sandbox.config import ACME_UUID, CIVIC_UUID


def restricted_course(sandbox):
    return next(
        course
        for course in sandbox.dataset.courses.values()
        if {run.restriction for run in course.runs} >= {"custom-b2b-enterprise", "custom-b2c"}
    )


def test_courses_answer_by_key_and_leave_unknown_ones_out(client, sandbox):  # DISC-18
    keys = sandbox.dataset.course_keys()[:3]
    answer = client.get("/api/v1/courses/", params={"keys": ",".join([*keys, "No+Such"]), "limit": 200}).json()
    assert [course["key"] for course in answer["results"]] == keys
    assert (answer["count"], answer["next"]) == (3, None)


def test_courses_page_by_limit_and_offset(client, sandbox):  # DISC-18
    page = client.get("/api/v1/courses/", params={"limit": 25, "offset": 25}).json()
    assert page["count"] == 60
    assert [course["key"] for course in page["results"]] == sandbox.dataset.course_keys()[25:50]
    assert client.session.get(page["next"], timeout=10).json()["next"] is None
    assert "offset=0" in page["previous"]


def test_restricted_runs_are_absent_unless_asked_for(client, sandbox):
    """DISC-18: and asking for one kind does not show the other."""
    course = restricted_course(sandbox)

    def restrictions(**query):
        answer = client.get("/api/v1/courses/", params={"keys": course.key, **query}).json()
        return {run["restriction_type"] for run in answer["results"][0]["course_runs"]}

    assert restrictions() == {None}
    assert restrictions(include_restricted="custom-b2b-enterprise") == {None, "custom-b2b-enterprise"}


def test_run_keys_and_statuses_follow_the_runs_shown(client, sandbox):  # DISC-18
    query = {"keys": restricted_course(sandbox).key, "include_restricted": "custom-b2b-enterprise"}
    record = client.get("/api/v1/courses/", params=query).json()["results"][0]
    assert record["course_run_keys"] == [run["key"] for run in record["course_runs"]]
    assert record["course_run_statuses"] == sorted({run["status"] for run in record["course_runs"]})


def test_records_carry_affiliate_parameters(client):  # META-23
    course = client.get("/api/v1/courses/", params={"limit": 1}).json()["results"][0]
    urls = [course["marketing_url"], *(run["marketing_url"] for run in course["course_runs"])]
    assert all("utm_source=" in url and "utm_medium=" in url for url in urls)


def test_exec_ed_courses_are_sold_by_entitlement(client):  # ENR-4, META-34
    courses = client.get("/api/v1/courses/", params={"limit": 200}).json()["results"]
    exec_ed = [course for course in courses if course["course_type"] == "executive-education-2u"]
    assert exec_ed
    assert all(course["entitlements"][0]["mode"] == "paid-executive-education" for course in exec_ed)
    assert all(course["additional_metadata"] for course in exec_ed)


def test_programs_answer_by_uuid(client, sandbox):  # DISC-19
    wanted = sandbox.dataset.program_uuids()[:2]
    query = {"uuids": ",".join(wanted), "extended": "True", "ordering": "key", "limit": 200}
    answer = client.get("/api/v1/programs/", params=query).json()
    assert [program["uuid"] for program in answer["results"]] == wanted
    assert all(program["courses"] for program in answer["results"])


def test_reviews_speak_of_known_courses(client, sandbox):  # DISC-21
    rows = client.get("/api/v1/course_review/", params={"page": 1}).json()["results"]
    assert {row["course_key"] for row in rows} < set(sandbox.dataset.course_keys())
    assert client.get("/api/v1/course_review/", params={"page": 2}).status_code == 404


def test_a_customer_answers_by_uuid(client):  # DISC-20
    answer = client.get("/enterprise/api/v1/enterprise-customer/", params={"uuid": CIVIC_UUID}).json()
    assert answer["count"] == 1
    assert answer["results"][0]["slug"] == "civic-health"
    assert answer["results"][0]["enable_learner_portal"] is False


@pytest.mark.parametrize("leave", ["deactivate", "remove"])
def test_a_customer_that_left_is_not_listed(client, sandbox, leave):  # CUST-3
    if leave == "remove":
        sandbox.remove_customer(ACME_UUID)
    else:
        sandbox.put_customer({"uuid": ACME_UUID, "active": False})
    answer = client.get("/enterprise/api/v1/enterprise-customer/", params={"uuid": ACME_UUID})
    assert answer.status_code == 200
    assert answer.json()["results"] == []
