"""Containment over HTTP (CONT-3 to CONT-7, ADD-6); the tests of `catalog` cover which keys match."""

import pytest

from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of
from enterprise_catalog.testing.documents import program_document

pytestmark = pytest.mark.django_db

CUSTOMER = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/contains_content_items/"
MISSING = ["You must provide at least one of the following query parameters: course_run_ids, program_uuids."]


@pytest.fixture
def path():
    return path_of(make_catalog("edX+A", "edX+B"), "contains_content_items/")


@pytest.mark.parametrize(
    ("query", "contained"),
    [
        ("course_run_ids=edX%2BA", True),
        ("course_run_ids=edX+A", True),
        ("program_uuids=edX+A", True),
        ("course_run_ids=course-v1:edX%2BA%2B1T", True),
        ("course_run_ids=nope&course_run_ids=edX+A", True),
        ("course_run_ids=nope&program_uuids=edX+A", True),
        ("course_run_ids=nope", False),
        ("course_run_ids=", False),
        ("program_uuids=", False),
        ("course_run_ids=edx+a", False),
        ("course_run_ids=edX+A,edX+B", True),
        ("course_run_ids=nope,edX+B", True),
        ("program_uuids=nope,,edX%20B,", True),
        ("course_run_ids=nope,edx+b", False),
        ("course_run_ids=,", False),
        (f"course_run_ids={'x' * 300}", False),
        ("course_run_ids=a%00b", False),
    ],
)
def test_any_id_suffices(path, query, contained):  # CONT-4, COM-12
    response = learner().get(f"{path}?{query}")
    assert (response.status_code, response.json()) == (200, {"contains_content_items": contained})


@pytest.mark.parametrize(
    ("query", "contained"),
    [
        ("course_run_ids=edX+A&program_uuids=edX+B", True),
        ("course_run_ids=edX+A&course_run_ids=nope", False),
        ("course_run_ids=edX+A&program_uuids=", False),
        ("course_run_ids=", False),
    ],
)
def test_match_all_needs_every_id(path, query, contained):  # CONT-5, ADD-1
    assert learner().get(f"{path}?match=all&{query}").json() == {"contains_content_items": contained}


@pytest.mark.parametrize("match", ["", "ALL", "both"])
def test_other_matches_are_refused(path, match):  # CONT-5
    response = learner().get(f"{path}?course_run_ids=x&match={match}")
    assert (response.status_code, response.json()) == (400, {"match": ['Must be "any" or "all".']})


@pytest.mark.parametrize("url", ["catalog", CUSTOMER])
def test_ids_are_required(path, url):  # ERR-3
    response = learner().get(path if url == "catalog" else url)
    assert (response.status_code, response.json()) == (400, MISSING)


def test_post_answers_alike(path):  # ADD-6
    body = {"course_run_ids": ["edX+A"], "program_uuids": ["nope"]}
    assert learner().post(path, body).json() == {"contains_content_items": True}
    assert learner().post(f"{path}?match=all", body).json() == {"contains_content_items": False}


@pytest.mark.parametrize("match", ["any", "all"])
def test_no_ids_at_all_are_contained_nowhere(path, match):
    assert learner().post(f"{path}?match={match}", {"course_run_ids": []}).json() == {"contains_content_items": False}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, MISSING),
        ({"course_run_ids": "edX+A"}, {"course_run_ids": ["Must be a list of strings."]}),
        ({"program_uuids": [1]}, {"program_uuids": ["Must be a list of strings."]}),
        (["edX+A"], {"non_field_errors": ["Must be a JSON object."]}),
    ],
)
def test_bad_bodies_are_refused(path, body, error):  # ADD-6
    response = learner().post(path, body)
    assert (response.status_code, response.json()) == (400, error)


def test_a_thousand_ids_are_answered_and_no_more(path):  # COM-16, ERR-4
    ids = [f"edX+{number}" for number in range(999)]
    assert learner().post(path, {"course_run_ids": [*ids, "edX+A"]}).json() == {"contains_content_items": True}
    response = learner().post(path, {"course_run_ids": [*ids, "a", "b"]})
    text = "contains_content_items requests support up to 1000 course_run_ids."
    assert (response.status_code, response.json()) == (400, {"course_run_ids": [text]})


def test_answers_are_never_cached(path):  # COM-19
    assert learner().get(f"{path}?course_run_ids=x")["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("written", [str, str.upper, lambda uuid: uuid.replace("-", "")])
def test_uuids_match_in_any_form(written):  # CONT-1
    uuid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    path = path_of(make_catalog(program_document(uuid)), "contains_content_items/")
    for ids in (written(uuid), f"nope,{written(uuid)}"):
        assert learner().get(path, {"program_uuids": ids}).json() == {"contains_content_items": True}


@pytest.mark.parametrize(("ids", "contained"), [("edX+A,edX+B", True), ("edX+A,nope", False), ("edX+A,", False)])
def test_all_parts_must_match_where_all_ids_must(path, ids, contained):  # CONT-1, CONT-5
    response = learner().get(path, {"course_run_ids": ["edX+B", ids], "match": "all"})
    assert response.json() == {"contains_content_items": contained}


def test_a_key_with_a_comma_matches_as_a_whole():  # CONT-1
    path = path_of(make_catalog("edX+A,2"), "contains_content_items/")
    answer = learner().get(path, {"course_run_ids": "edX+A,2", "match": "all"})
    assert answer.json() == {"contains_content_items": True}


def test_parts_count_as_ids(path):  # CONT-1, COM-16, ERR-4
    many = ",".join(f"edX+{number}" for number in range(999))
    assert learner().post(path, {"course_run_ids": [f"{many},edX+A"]}).json() == {"contains_content_items": True}
    response = learner().post(path, {"course_run_ids": [f"{many},edX+A", "edX+B"]})
    text = "contains_content_items requests support up to 1000 course_run_ids."
    assert (response.status_code, response.json()) == (400, {"course_run_ids": [text]})


class TestCustomer:
    def test_any_catalog_of_the_customer_counts(self):  # CONT-7
        make_catalog("edX+A")
        make_catalog("edX+B")
        make_catalog("edX+C", customer=OTHER_CUSTOMER_UUID)
        assert learner().get(f"{CUSTOMER}?course_run_ids=edX+B").json() == {"contains_content_items": True}
        assert learner().get(f"{CUSTOMER}?course_run_ids=edX+C").json() == {"contains_content_items": False}

    @pytest.mark.parametrize("name", ["get_catalogs_containing_specified_content_ids", "get_catalog_list"])
    def test_the_list_names_containing_catalogs_in_order(self, name):  # CONT-7
        first, _, third = make_catalog("edX+A"), make_catalog("edX+B"), make_catalog("edX+A", "edX+C")
        response = learner().get(f"{CUSTOMER}?course_run_ids=edX+A&{name}=True")
        assert response.json() == {
            "contains_content_items": True,
            "catalog_list": [str(first.uuid), str(third.uuid)],
        }

    def test_false_means_no_list(self):  # COM-11
        make_catalog("edX+A")
        response = learner().get(f"{CUSTOMER}?course_run_ids=edX+A&get_catalog_list=false")
        assert response.json() == {"contains_content_items": True}

    def test_match_all_needs_one_catalog_with_all(self):  # CONT-7
        make_catalog("edX+A")
        make_catalog("edX+B")
        query = "match=all&get_catalog_list=1&course_run_ids=edX+A&course_run_ids=edX+B"
        assert learner().get(f"{CUSTOMER}?{query}").json() == {"contains_content_items": False, "catalog_list": []}
        both = make_catalog("edX+A", "edX+B")
        assert learner().get(f"{CUSTOMER}?{query}").json()["catalog_list"] == [str(both.uuid)]

    def test_a_customer_without_catalogs_contains_nothing(self):  # CONT-7
        response = learner().get(f"{CUSTOMER}?course_run_ids=edX+A&get_catalog_list=true")
        assert response.json() == {"contains_content_items": False, "catalog_list": []}

    def test_post_answers_alike(self):  # ADD-6
        catalog = make_catalog("edX+A")
        response = learner().post(f"{CUSTOMER}?get_catalog_list=true", {"program_uuids": ["edX+A"]})
        assert response.json()["catalog_list"] == [str(catalog.uuid)]


def test_the_longest_allowed_get_beside_other_parameters():
    """1,000 ids in each of both fields, and a flag (COM-16)."""
    path = path_of(make_catalog("edX+A"), "contains_content_items/")
    ids = [f"edX+{number}" for number in range(999)]
    parameters = {"course_run_ids": [*ids, "edX+A"], "program_uuids": [*ids, "x"], "match": "any"}
    assert learner().get(path, parameters).json() == {"contains_content_items": True}
