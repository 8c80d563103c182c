"""Rules of all paths, over HTTP: forms of paths, formats and unknown parameters."""

import gzip
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, client_for, learner, operator
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of, publish
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import keys, make_query

pytestmark = pytest.mark.django_db

CUSTOMER = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/"
QUERIES = "/api/v1/catalog-queries/"
XML = "application/xml; charset=utf-8"


@pytest.fixture
def catalog():
    return make_catalog("edX+A", "edX+B")


@pytest.mark.parametrize("api_version", ["v1", "v2"])
@pytest.mark.parametrize(
    "path",
    [
        *["catalog-csv/", "catalog_csv/", "catalog_csv_data/", "catalog_workbook/", "default_course_set/"],
        *["academies/", "highlight-sets/", "highlight-sets-admin/", "enterprise-curations/", "videos/", "jobs/"],
        *["enterprise-catalogs/catalog_csv", "enterprise-customer/{E}/secured-algolia-api-key/"],
    ],
)
def test_what_is_out_of_scope_is_not_there(api_version, path):  # SURF-5, COM-3
    response = operator().get(f"/api/{api_version}/{path.format(E=CUSTOMER_UUID)}")
    assert response.status_code == 404


@pytest.mark.parametrize("ending", ["XYZ", "/XYZ", "//", ".yaml", "%0A", "%20"])
@pytest.mark.parametrize(
    "path",
    [
        *["{catalog}contains_content_items", "{catalog}get_content_metadata", "{catalog}generate_diff"],
        *["{catalog}refresh_metadata", "{catalog}changes", "{customer}contains_content_items"],
        *["{customer}filter_content_items", "{queries}get_query_by_hash", "{queries}get_content_filter_hash"],
        *["/api/v1/distinct-catalog-queries", "/health", "/api/schema", "/api/docs"],
    ],
)
def test_paths_with_other_endings_are_not_found(catalog, path, ending):  # COM-2
    path = path.format(catalog=path_of(catalog), customer=CUSTOMER, queries=QUERIES)
    assert operator().get(f"{path}{ending}").status_code == 404


@pytest.mark.parametrize("context", [str, str.upper, lambda uuid: uuid.replace("-", "")])
@pytest.mark.parametrize("written", [str, str.upper, lambda uuid: uuid.replace("-", "").upper()])
def test_uuids_are_the_same_however_they_are_written(catalog, context, written):  # COM-3, ROLE-5
    client = client_for("lena", f"enterprise_learner:{context(str(CUSTOMER_UUID))}")
    paths = [
        f"{CATALOGS}{written(str(catalog.uuid))}/contains_content_items/",
        f"/api/v1/enterprise-customer/{written(str(CUSTOMER_UUID))}/contains_content_items/",
    ]
    answers = [client.get(path, {"course_run_ids": "edX+A", "get_catalog_list": "true"}).json() for path in paths]
    assert answers[0] == {"contains_content_items": True}
    assert answers[1] == {"contains_content_items": True, "catalog_list": [str(catalog.uuid)]}


class TestFormats:
    @pytest.mark.parametrize("suffix", ["json", "xml"])
    def test_a_suffix_on_list_retrieve_and_contains(self, catalog, suffix):  # COM-4
        paths = [
            CATALOGS.rstrip("/"),
            path_of(catalog).rstrip("/"),
            path_of(catalog, "contains_content_items"),
            f"{CUSTOMER}contains_content_items",
        ]
        answers = [operator().get(f"{path}.{suffix}?course_run_ids=edX%2BA") for path in paths]
        expected = {"json": "application/json", "xml": XML}[suffix]
        assert [(it.status_code, it["Content-Type"]) for it in answers] == [(200, expected)] * 4

    @pytest.mark.parametrize("action", ["get_content_metadata", "generate_diff", "changes", "refresh_metadata"])
    def test_no_suffix_elsewhere(self, catalog, action):  # COM-4
        assert operator().get(f"{path_of(catalog, action)}.json").status_code == 404

    @pytest.mark.parametrize("key", ["edX+A.json", "edX+B.xml"])
    def test_a_key_may_end_like_a_suffix(self, key):  # COM-4
        make_catalog(key)
        assert learner().get(f"/api/v1/content-metadata/{key}").json()["key"] == key
        assert learner().get(f"{CUSTOMER}content-metadata/{key}").json()["key"] == key

    @pytest.mark.parametrize("path", [QUERIES, "/api/v1/distinct-catalog-queries/", "/api/v1/refresh-runs/{}/"])
    def test_json_only(self, path):  # COM-4
        path = path.format(uuid4())
        assert operator().get(path, headers={"Accept": "application/xml"}).status_code == 406
        assert operator().get(f"{path}?format=xml").status_code == 404

    @pytest.mark.parametrize("accept", ["text/html", "text/csv", "image/*", "application/yaml"])
    def test_other_formats_are_not_spoken(self, catalog, accept):  # COM-4, ERR-1
        response = learner().get(path_of(catalog, "get_content_metadata/"), headers={"Accept": accept})
        assert (response.status_code, list(response.json())) == (406, ["detail"])

    @pytest.mark.parametrize(
        "accept", ["application/json", "*/*", "application/*;q=0.5", "application/json;q=0.9, */*;q=0.1"]
    )
    def test_json_is_the_default(self, catalog, accept):  # COM-4
        response = learner().get(path_of(catalog, "get_content_metadata/"), headers={"Accept": accept})
        assert response["Content-Type"] == "application/json"


def test_unknown_parameters_are_ignored(catalog):  # COM-15
    path = path_of(catalog, "get_content_metadata/")
    known, unknown = learner().get(path).json(), learner().get(f"{path}?ordering=-key&q=x&utm_source=y").json()
    assert unknown == known
    body = {"content_keys": ["edX+A"], "unknown": {"deep": [1]}}
    assert learner().post(path, body).json()["count"] == 1
    assert learner().post(path_of(catalog, "generate_diff/"), body).status_code == 200
    assert learner().post(f"{CUSTOMER}filter_content_items/", body).json() == {"filtered_content_keys": ["edX+A"]}
    changed = admin().patch(path_of(catalog), {"include_exec_ed_2u_courses": True, "catalog_modified": "x", "id": 7})
    assert (changed.status_code, changed.json()) == (200, admin().get(path_of(catalog)).json())


@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
@pytest.mark.parametrize("query", ["page_size=100", "traverse_pagination=1"])
def test_long_answers_are_compressed(query, accept):  # COM-17
    path = path_of(make_catalog(*keys(40)), f"get_content_metadata/?{query}")
    encodings = {"identity": None, "gzip": "gzip"}
    answers = {it: learner().get(path, headers={"Accept": accept, "Accept-Encoding": it}) for it in encodings}
    assert {it: answer.get("Content-Encoding") for it, answer in answers.items()} == encodings
    bodies = {it: answer.getvalue() for it, answer in answers.items()}
    assert gzip.decompress(bodies["gzip"]) == bodies["identity"]
    assert 1024 < len(bodies["identity"]) > 2 * len(bodies["gzip"])


@pytest.mark.parametrize("path", [CATALOGS, "/api/v1/nothing/", "/health/", f"{CATALOGS}x/"])
def test_every_answer_names_its_request(path):  # COM-20
    assert APIClient().get(path, headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"
    made = {APIClient().get(path)["X-Request-ID"] for _ in range(2)}
    assert len(made) == 2


class TestContainment:
    """Content keys in paths and parameters (CONT-2, CONT-3)."""

    def test_what_never_matches(self):
        program = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
        course_uuid = "aaaaaaaa-0000-4000-8000-00000000000a"
        catalog = make_catalog(
            course_document("edX+A", uuid=course_uuid),
            program_document(program, courses=[{"key": "edX+P", "course_runs": [{"key": "course-v1:edX+P+1T"}]}]),
            run_document("course-v1:edX+R+1T", "edX+R", restriction_type="custom-b2c"),
        )
        ids = [course_uuid, "edX+P", "course-v1:edX+P+1T", "course-v1:edX+R+1T", "edX+R", "", " ", "nope"]
        path = path_of(catalog, "contains_content_items/")
        found = {it: learner().get(path, {"course_run_ids": it}).json()["contains_content_items"] for it in ids}
        assert not any(found.values()), found
        assert learner().get(path, {"course_run_ids": program}).json() == {"contains_content_items": True}

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
    def test_containment_takes_no_other_methods(self, catalog, method):
        for path in (path_of(catalog, "contains_content_items/"), f"{CUSTOMER}contains_content_items/"):
            response = getattr(learner(), method)(path)
            assert (response.status_code, response.json()) == (
                405,
                {"detail": f'Method "{method.upper()}" not allowed.'},
            )


def test_containment_follows_every_change_at_once():  # COM-19
    query = make_query({"key": ["edX+A"]})
    publish(query, course_document("edX+A"))
    catalog = make_catalog(query=query)
    path = f"{CUSTOMER}contains_content_items/?course_run_ids=edX%2BA"

    def contained():
        return learner().get(path).json()["contains_content_items"]

    assert contained()
    publish(query, course_document("edX+B"))
    assert not contained()
    publish(query, course_document("edX+A"))
    assert contained()
    admin().patch(path_of(catalog), {"content_filter": {"key": ["edX+C"]}})
    assert not contained()
    again = make_catalog(query=query)
    assert contained()
    admin().delete(path_of(again))
    assert not contained()
