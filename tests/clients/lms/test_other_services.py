"""Services that release no package, call by call as their own clients send them (CLI-10 to CLI-13)."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import slumber
from django.conf import settings
from django.contrib.auth.models import User
from edx_rest_api_client.auth import SuppliedJwtAuth

from tests.clients.lms.platform import create_jwt_for_user

pytestmark = pytest.mark.django_db

ROOT = settings.ENTERPRISE_CATALOG_INTERNAL_ROOT_URL
UNKNOWN = "edX+Unknown"


@pytest.fixture
def session(large):
    """A service's own user, who is an operator like the worker of the LMS."""
    worker = User.objects.get(username=settings.ENTERPRISE_SERVICE_WORKER_USERNAME)
    session = requests.Session()
    session.auth = SuppliedJwtAuth(create_jwt_for_user(worker))
    return session


@pytest.fixture
def run_key(client, large, courses):
    """Of a run nested in a member course."""
    items = client.get_content_metadata(None, [large], courses[:10])
    return next(run["key"] for item in items for run in item.get("course_runs") or [])


@pytest.mark.parametrize("of_customer", [False, True])
def test_ecommerce_by_attribute_access(session, large, run_key, of_customer):
    """Slumber puts the slash, asks for JSON by `Accept`, and repeats the parameter (SURF-1, CLI-10)."""
    api = slumber.API(f"{ROOT}/api/v1/", session=session)
    uuid = large.enterprise_customer.uuid
    resource = (
        getattr(api, "enterprise-customer")(uuid) if of_customer else getattr(api, "enterprise-catalogs")(large.uuid)
    )
    for ids, contained in [([run_key], True), ([UNKNOWN, run_key], True), ([UNKNOWN], False)]:
        assert resource.contains_content_items.get(course_run_ids=ids) == {"contains_content_items": contained}


class TestLicenseManager:
    def test_contains(self, session, large, run_key):
        """The client reads `get("contains_content_items", False)` and ignores the status (CLI-11)."""
        url = f"{ROOT}/api/v1/enterprise-catalogs/{large.uuid}/contains_content_items/"
        for ids, contained in [([run_key], True), ([UNKNOWN], False)]:
            assert session.get(url, params={"course_run_ids": ids}).json().get("contains_content_items") is contained

    def test_a_refusal_reads_as_not_contained(self, session, large, run_key):
        """An object, so that `get` works on it (CLI-11, ERR-1)."""
        url = f"{ROOT}/api/v1/enterprise-catalogs/{large.uuid}/contains_content_items/"
        session.auth = SuppliedJwtAuth("expired")
        assert "contains_content_items" not in session.get(url, params={"course_run_ids": [run_key]}).json()

    def test_distinct_queries(self, session, large):  # SURF-1, CLI-11, CQ-5
        body = {"enterprise_catalog_uuids": [str(large.uuid)]}
        answer = session.post(f"{ROOT}/api/v1/distinct-catalog-queries/", json=body).json()
        assert answer["num_distinct_query_ids"] == 1
        assert list(answer["catalog_uuids_by_catalog_query_id"].values()) == [[str(large.uuid)]]


class TestEnterpriseAccess:
    def test_contains(self, session, large, run_key):  # CLI-12
        url = f"{ROOT}/api/v2/enterprise-catalogs/{large.uuid}/contains_content_items/"
        for ids, contained in [([run_key], True), ([UNKNOWN], False)]:
            assert session.get(url, params={"course_run_ids": ids}).json() == {"contains_content_items": contained}

    def test_a_hundred_keys_in_one_answer(self, session, client, large, courses):
        """Python's `True` as text; `results` is read, and `next` is empty (CLI-12, META-3, META-5, COM-16)."""
        url = f"{ROOT}/api/v2/enterprise-catalogs/{large.uuid}/get_content_metadata/"
        params = {"content_keys": courses[:100], "traverse_pagination": True}
        answer = session.get(url, params=params).json()
        assert answer["next"] is None
        found = {item["key"] for item in answer["results"] if item["content_type"] == "course"}
        assert found == {item["content_key"] for item in client.get_catalog_diff(large, courses[:100])[2]}

    def test_the_count(self, session, client, large):  # CLI-12, CLI-4
        url = f"{ROOT}/api/v2/enterprise-catalogs/{large.uuid}/get_content_metadata/"
        assert session.get(url).json()["count"] >= client.get_catalog_content_count(large.uuid)

    def test_one_item(self, session, courses):
        """Neither slash nor quoting (SURF-1, CLI-12, CM-1)."""
        url = f"{ROOT}/api/v1/content-metadata/{courses[0]}"
        assert session.get(url).json()["key"] == courses[0]
        coerced = session.get(url, params={"coerce_to_parent_course": True}, allow_redirects=False)
        assert (coerced.status_code, coerced.json()["key"]) == (200, courses[0])


def test_the_gateway_hands_on_two_parameters(session, large):
    """A customer's own system lists and walks v1 by the query string of `next` alone (CLI-13, COM-10)."""
    listed = session.get(f"{ROOT}/api/v1/enterprise-catalogs/", params={"page": 1, "page_size": 100}).json()
    assert str(large.uuid) in {catalog["uuid"] for catalog in listed["results"]}
    url = f"{ROOT}/api/v1/enterprise-catalogs/{large.uuid}/get_content_metadata/"
    page = session.get(url, params={"page_size": 100}).json()
    seen = len(page["results"])
    while page["next"]:
        query = parse_qs(urlsplit(page["next"]).query)
        assert query.keys() == {"page", "page_size"}
        page = session.get(url, params=query).json()
        seen += len(page["results"])
    assert seen == page["count"] > 1000
