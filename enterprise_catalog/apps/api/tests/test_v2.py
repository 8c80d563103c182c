"""v2 over HTTP: as v1, and the restricted runs that a content filter allows (V2-1..8)."""

import json

import pytest

from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, learner, operator
from enterprise_catalog.testing.catalogs import store
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, make_query, store_courses

pytestmark = pytest.mark.django_db

COURSE, ALLOWED, HIDDEN = "edX+DemoX", "course-v1:edX+DemoX+allowed", "course-v1:edX+DemoX+hidden"
B2B = "custom-b2b-enterprise"


@pytest.fixture
def catalog():
    """A catalog with one course of three runs: one open to all, one allowed, one not."""
    document = course_document(COURSE)
    restricted = [{"key": key, "restriction_type": B2B, "status": "published"} for key in (ALLOWED, HIDDEN)]
    record = {**document, "course_runs": [*document["course_runs"], *restricted]}
    store_courses(document)
    query = make_query({"content_type": "course", "restricted_runs_allowed": {COURSE: [ALLOWED]}})
    override = WantedOverride(COURSE, pack(record), forced=False, allowed_runs=frozenset([ALLOWED]))
    publish_or_hold(claim=claimed(query), content_keys=[COURSE], counts={}, overrides=[override])
    return EnterpriseCatalogFactory(enterprise_uuid=CUSTOMER_UUID, catalog_query=query)


def url(version, catalog, rest):
    return f"/api/{version}/enterprise-catalogs/{catalog.uuid}/{rest}"


@pytest.mark.parametrize(("version", "contained"), [("v1", False), ("v2", True)])
def test_an_allowed_run_is_contained_on_v2_only(catalog, version, contained):
    """By catalog, by customer, and in the filter (V2-3)."""
    ids = {"course_run_ids": ALLOWED}
    answer = {"contains_content_items": contained}
    assert learner().get(url(version, catalog, "contains_content_items/"), ids).json() == answer
    customer = f"/api/{version}/enterprise-customer/{CUSTOMER_UUID}"
    assert learner().get(f"{customer}/contains_content_items/", ids).json() == answer
    filtered = learner().post(f"{customer}/filter_content_items/", {"content_keys": [ALLOWED, COURSE]}).json()
    assert filtered == {"filtered_content_keys": [ALLOWED, COURSE] if contained else [COURSE]}


def test_a_run_that_is_not_allowed_is_contained_nowhere(catalog):  # V2-1, V2-2
    for version in ("v1", "v2"):
        found = learner().get(url(version, catalog, "contains_content_items/"), {"course_run_ids": HIDDEN})
        assert found.json() == {"contains_content_items": False}


@pytest.mark.parametrize("how", ["page", "whole", "keys", "run key", "post"])
def test_v2_shows_the_allowed_run_in_its_course(catalog, how):  # V2-5, META-1, META-3, META-5
    parameters = {"whole": {"traverse_pagination": "true"}, "keys": {"content_keys": COURSE}}
    path = url("v2", catalog, "get_content_metadata/")
    if how == "post":
        response = learner().post(path, {"content_keys": [COURSE]})
    else:
        response = learner().get(path, parameters.get(how, {"content_keys": ALLOWED} if how == "run key" else {}))
    body = b"".join(response.streaming_content) if response.streaming else response.content
    (item,) = json.loads(body)["results"]
    assert item["course_run_keys"] == [f"course-v1:{COURSE}+1T", ALLOWED]
    assert HIDDEN not in str(item)
    assert item["course_runs"][1]["enrollment_url"]


def test_v1_shows_no_restricted_run(catalog):  # V2-2
    body = learner().get(url("v1", catalog, "get_content_metadata/"), {"content_keys": COURSE}).content.decode()
    assert COURSE in body
    assert ALLOWED not in body


def test_a_page_of_v2_is_counted_as_v2_lists_it(catalog):
    """The allowed run makes the course active where it is seen, and only there (META-20)."""
    document = course_document("edX+Quiet", course_runs=[])
    run = {"key": "r", "restriction_type": B2B, "status": "published", "is_enrollable": True}
    store_courses(document)
    override = WantedOverride("edX+Quiet", pack(document | {"course_runs": [run]}), False, frozenset(["r"]))
    query = make_query({"restricted_runs_allowed": {"edX+Quiet": ["r"]}})
    publish_or_hold(claim=claimed(query), content_keys=["edX+Quiet"], counts={}, overrides=[override])
    quiet = EnterpriseCatalogFactory(enterprise_uuid=CUSTOMER_UUID, catalog_query=query)
    counts = [learner().get(url(version, quiet, "get_content_metadata/")).json()["count"] for version in ("v1", "v2")]
    assert counts == [0, 1]


@pytest.mark.parametrize("path", ["catalog-queries/", "content-metadata/", "enterprise-catalogs/{uuid}/changes/"])
def test_v2_has_only_some_paths(catalog, path):  # SURF-5
    path = path.format(uuid=catalog.uuid)
    assert [operator().get(f"/api/{version}/{path}").status_code for version in ("v1", "v2")] == [200, 404]


@pytest.mark.parametrize("client", [admin, operator])
@pytest.mark.parametrize("ending", ["", "/", ".json", ".xml/"])
def test_catalogs_are_read_as_on_v1(catalog, client, ending):  # SURF-5, CRUD-3, CRUD-6
    EnterpriseCatalogFactory()
    for path in ("enterprise-catalogs", f"enterprise-catalogs/{catalog.uuid}"):
        one, two = (client().get(f"/api/{version}/{path}{ending}") for version in ("v1", "v2"))
        assert (two.status_code, two.content) == (200, one.content)
        assert str(catalog.uuid).encode() in two.content


def test_the_list_of_v2_takes_the_parameters_of_v1(catalog):  # SURF-5, CRUD-3, COM-10
    others = EnterpriseCatalogFactory()
    listed = operator().get("/api/v2/enterprise-catalogs/", {"enterprise_customer": others.enterprise_uuid}).json()
    assert [row["uuid"] for row in listed["results"]] == [str(others.uuid)]
    page = operator().get("/api/v2/enterprise-catalogs/", {"page_size": 1}).json()
    assert (page["count"], page["next"]) == (2, "http://testserver/api/v2/enterprise-catalogs/?page_size=1&page=2")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_catalogs_are_written_on_v1_only(catalog, method):  # SURF-5, AUTH-9
    path = "" if method == "post" else f"{catalog.uuid}/"
    assert getattr(operator(), method)(f"/api/v2/enterprise-catalogs/{path}", {}).status_code == 405


@pytest.mark.parametrize("rest", ["get_content_metadata/", "contains_content_items/?course_run_ids=x"])
def test_permissions_are_those_of_v1(catalog, rest, client):  # PERM-5
    catalog_of_another = EnterpriseCatalogFactory()
    assert client.get(url("v2", catalog, rest)).status_code == 401
    assert admin().get(url("v2", catalog, rest)).status_code == 200
    assert admin().get(url("v2", catalog_of_another, rest)).status_code == 403


@pytest.mark.parametrize(("version", "status"), [("v1", 404), ("v2", 200)])
def test_an_allowed_run_stands_for_its_course_on_v2_only(catalog, version, status):  # CUST-5, V2-3, V2-7
    path = f"/api/{version}/enterprise-customer/{CUSTOMER_UUID}/content-metadata"
    assert learner().get(f"{path}/{HIDDEN}/").status_code == 404
    response = learner().get(f"{path}/{ALLOWED}/")
    assert response.status_code == status
    shown = [run["key"] for run in learner().get(f"{path}/{COURSE}/").json()["course_runs"]]
    assert (ALLOWED in shown, HIDDEN in shown) == (status == 200, False)
    if status == 200:
        assert response.json()["key"] == COURSE


def priced(catalog_runs, allowed, **record):
    """What v2 says a course of these runs costs, when the filter allows some of them."""
    document = course_document(COURSE, course_runs=[])
    record = document | {"course_runs": catalog_runs, "first_enrollable_paid_seat_price": 1} | record
    store_courses(document)
    query = make_query({"restricted_runs_allowed": {COURSE: allowed}})
    override = WantedOverride(COURSE, pack(record), forced=False, allowed_runs=frozenset(allowed))
    publish_or_hold(claim=claimed(query), content_keys=[COURSE], counts={}, overrides=[override])
    catalog = EnterpriseCatalogFactory(enterprise_uuid=CUSTOMER_UUID, catalog_query=query)
    answer = learner().get(url("v2", catalog, "get_content_metadata/"), {"content_keys": COURSE})
    (item,) = answer.json()["results"]
    return item["first_enrollable_paid_seat_price"], item["normalized_metadata"]["content_price"]


OPEN = {"is_enrollable": True, "status": "published", "is_marketable": True}
RESTRICTED = {"is_enrollable": True, "status": "published", "restriction_type": B2B}
HAS_PRICE = "first_enrollable_paid_seat_price"


@pytest.mark.parametrize(
    ("runs", "advertised", "price"),
    [
        ([{"key": "b", "uuid": "b", **OPEN, HAS_PRICE: 20}, {"key": "a", **OPEN, HAS_PRICE: 10}], "b", (20, 20.0)),
        ([{"key": "b", "uuid": "b", **OPEN, HAS_PRICE: 0}, {"key": "a", **OPEN, HAS_PRICE: 10}], "b", (10, 0.0)),
        ([{"key": "b", **OPEN, HAS_PRICE: 20}, {"key": "A", **OPEN, HAS_PRICE: 10}], None, (10, 0.0)),
        ([{"key": "a", **OPEN}, {"key": "b", **OPEN, HAS_PRICE: 20}], None, (20, 0.0)),
        ([{"key": "a", HAS_PRICE: 10}, {"key": "b", **OPEN, HAS_PRICE: 20}], None, (20, 0.0)),
        ([{"key": "a", **RESTRICTED, HAS_PRICE: 10}, {"key": "allowed", **RESTRICTED, HAS_PRICE: 30}], None, (30, 0.0)),
        ([{"key": "hidden", "uuid": "h", **RESTRICTED, HAS_PRICE: 10}], "h", (None, 0.0)),
        ([{"key": "a", **OPEN}], None, (None, 0.0)),
    ],
    ids=["advertised", "advertised for nothing", "first by key", "has a price", "active", "allowed", "hidden", "none"],
)
def test_the_price_is_that_of_a_run_that_is_seen(runs, advertised, price):
    """The field by itself, and the price of the advertised run if that is seen (V2-5, META-34)."""
    assert priced(runs, ["allowed"], advertised_course_run_uuid=advertised) == price


def test_a_run_restricted_to_others_is_never_allowed():
    """Whatever the filter says (V2-1, V2-2)."""
    runs = [{"key": "b2c", **OPEN, "restriction_type": "custom-b2c", HAS_PRICE: 10}]
    assert priced(runs, ["b2c"]) == (None, 0.0)
    assert operator().get(f"/api/v2/enterprise-customer/{CUSTOMER_UUID}/content-metadata/b2c/").status_code == 404


def test_nothing_else_shows_an_allowed_run(catalog):
    """The difference and bare content are of v1; the changes have a test of their own (V2-3)."""
    diff = learner().post(url("v1", catalog, "generate_diff/"), {"content_keys": [ALLOWED]}).json()
    assert diff["items_not_found"] == [{"content_key": ALLOWED}]
    assert [item["content_key"] for item in diff["items_not_included"]] == [COURSE]
    assert learner().get(f"/api/v1/content-metadata/{ALLOWED}").status_code == 404


def test_a_top_level_run_appears_where_the_filter_allows_it():
    """As an item of its own, since the search itself returned it (V2-4)."""
    store_courses(course_document(COURSE))
    run = {"aggregation_key": f"courserun:{COURSE}", "content_type": "courserun", "key": ALLOWED}
    store(run | {"restriction_type": B2B}, run | {"key": HIDDEN, "restriction_type": B2B})
    query = make_query({"restricted_runs_allowed": {COURSE: [ALLOWED]}})
    record = course_document(COURSE, course_runs=[{"key": key, "restriction_type": B2B} for key in (ALLOWED, HIDDEN)])
    override = WantedOverride(COURSE, pack(record), forced=False, allowed_runs=frozenset([ALLOWED]))
    keys = [COURSE, ALLOWED, HIDDEN]
    publish_or_hold(claim=claimed(query), content_keys=keys, counts={}, overrides=[override])
    catalog = EnterpriseCatalogFactory(enterprise_uuid=CUSTOMER_UUID, catalog_query=query)
    answers = {
        version: learner().post(url(version, catalog, "get_content_metadata/"), {"content_keys": keys}).json()
        for version in ("v1", "v2")
    }
    shown = {version: [item["key"] for item in answer["results"]] for version, answer in answers.items()}
    assert shown == {"v1": [COURSE], "v2": [ALLOWED, COURSE]}


def test_other_courses_are_the_same_in_v1_and_v2(catalog):  # V2-8
    store_courses(course_document("edX+Other", title="Other"))
    publish_or_hold(claim=claimed(catalog.catalog_query), content_keys=[COURSE, "edX+Other"], counts={})
    shown = [
        learner().get(url(version, catalog, "get_content_metadata/"), {"content_keys": "edX+Other"}).json()["results"]
        for version in ("v1", "v2")
    ]
    assert shown[0] == shown[1] != []
