"""Clients of edx-enterprise's own API work with another host and no other change (LEG-1 to LEG-22, SURF-2)."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import slumber
from django.conf import settings
from django.contrib.auth.models import User
from edx_rest_api_client.auth import SuppliedJwtAuth
from enterprise.api_client.enterprise import EnterpriseApiClient

from tests.clients.lms.platform import create_jwt_for_user

pytestmark = pytest.mark.django_db

API = f"{settings.ENTERPRISE_CATALOG_INTERNAL_ROOT_URL}/enterprise/api/v1/"
UNKNOWN = "edX+Unknown"
DETAILS = {"course": "courses", "courserun": "course_runs", "program": "programs"}


class MovedEnterpriseApiClient(EnterpriseApiClient):
    """As released, but for the host."""

    API_BASE_URL = API


@pytest.fixture
def worker(large):
    return User.objects.get(username=settings.ENTERPRISE_SERVICE_WORKER_USERNAME)


@pytest.fixture
def session(worker):
    session = requests.Session()
    session.auth = SuppliedJwtAuth(create_jwt_for_user(worker))
    return session


def walk(session: requests.Session, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """As the gateway walks: only the query of `next` is used, to the same path (LEG-22)."""
    while True:
        page = session.get(f"{API}{path}", params=parameters).json()
        yield from page["results"]
        if page["next"] is None:
            return
        parameters = parse_qs(urlsplit(page["next"]).query)
        assert set(parameters) <= {"page", "page_size"}


def key_of(item: dict[str, Any]) -> str:
    return item["uuid"] if item["content_type"] == "program" else item["key"]


def test_the_released_client_reads_a_whole_catalog(worker, session, large):
    """Its own walk over pages of 1,000, each item once (SURF-2, LEG-4, LEG-6, LEG-11)."""
    items = MovedEnterpriseApiClient(worker).get_content_metadata(large.enterprise_customer, [large])
    page = session.get(f"{API}enterprise_catalogs/{large.uuid}/").json()
    assert len(items) == page["count"] > 600
    assert {item["content_type"] for item in items} == {"course", "courserun", "program"}
    assert all(f"catalog={large.uuid}" in item["enrollment_url"] for item in items)


def test_catalogs_are_listed_and_one_is_walked(session, large):
    """A customer's own system, through the gateway (LEG-3, LEG-22, CLI-13)."""
    assert str(large.uuid) in [catalog["uuid"] for catalog in walk(session, "enterprise_catalogs/", page_size=2)]
    path = f"enterprise_catalogs/{large.uuid}/"
    keys = [key_of(item) for item in walk(session, path, page_size=100)]
    assert len(keys) == len(set(keys)) == session.get(f"{API}{path}").json()["count"]


def test_ecommerce_of_2019(session, large):
    """All that a coupon names must be there (CLI-10, LEG-12, LEG-13, CONT-6)."""
    api = slumber.API(API, session=session)
    items = walk(session, f"enterprise_catalogs/{large.uuid}/", page_size=1000)
    run = next(item["key"] for item in items if item["content_type"] == "courserun")
    for resource in (
        api.enterprise_catalogs(str(large.uuid)),
        getattr(api, "enterprise-customer")(str(large.enterprise_customer.uuid)),
    ):
        for ids, contained in [([run], True), ([run, UNKNOWN], False), ([UNKNOWN], False)]:
            answer = resource.contains_content_items.get(course_run_ids=ids)
            assert answer == {"contains_content_items": contained}


@pytest.mark.parametrize("content_type", DETAILS)
def test_each_kind_of_content_in_full(session, large, content_type):  # LEG-15 to LEG-17
    path = f"enterprise_catalogs/{large.uuid}/"
    listed = next(item for item in walk(session, path, page_size=1000) if item["content_type"] == content_type)
    detail = session.get(f"{API}{path}{DETAILS[content_type]}/{key_of(listed)}/").json()
    assert (detail.get("key") or detail["uuid"]) == key_of(listed)
    assert detail["enrollment_url"] == listed["enrollment_url"]
    missing = session.get(f"{API}{path}{DETAILS[content_type]}/{UNKNOWN}/")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Not found."})


def test_xml(session, large):
    """The same page by suffix (LEG-1, COM-5)."""
    page = session.get(f"{API}enterprise_catalogs/{large.uuid}/", params={"page_size": 3}).json()
    root = ET.fromstring(session.get(f"{API}enterprise_catalogs/{large.uuid}.xml", params={"page_size": 3}).content)
    assert [element.tag for element in root] == list(page)
    titles = [item.findtext("title") for item in root.iterfind("results/list-item")]
    assert titles == [item["title"] for item in page["results"]]
