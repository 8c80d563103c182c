"""
The main job over HTTP, with production settings, MariaDB, Redis and a discovery that is not the sandbox.

Only addresses differ from other deployments, so nothing depends on the sandbox, local settings or test settings.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.session import PATIENCE_SECONDS, Session
from tests.contract.stand_in import StandIn
from tests.samples import sample
from tests.whole_service import whole_service

pytestmark = pytest.mark.mariadb

CUSTOMER = sample("lms_enterprise_customer")["results"][0]["uuid"]
COURSE = "Org08X+SAMPLECS00000x"
FIRST_PAGE, SECOND_PAGE = (sample(f"search_all_page_{number}")["results"] for number in (1, 2))


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def url(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with whole_service(variables=stand_in.variables(), directory=tmp_path_factory.mktemp("logs")) as service:
        yield service.url


@pytest.fixture(scope="module")
def admin(url: str, stand_in: StandIn) -> Session:
    return Session(url, stand_in.token("admin", f"enterprise_admin:{CUSTOMER}"))


@pytest.fixture(scope="module")
def catalog(admin: Session) -> dict[str, Any]:
    """Create a catalog, and return it after its first publish."""
    created = admin.call(
        "POST",
        "/api/v1/enterprise-catalogs/",
        status=201,
        json={
            "title": "All Content",
            "enterprise_customer": CUSTOMER,
            "enterprise_customer_name": "Customer 000 Inc",
            "enabled_course_modes": ["verified", "audit"],
            "publish_audit_enrollment_urls": "false",
            "content_filter": {"partner": "edx"},
        },
    )
    run_id = admin.call("POST", f"/api/v1/enterprise-catalogs/{created['uuid']}/refresh_metadata/")["async_task_id"]
    run = admin.wait_for(run_id)
    assert run["state"] == "published", run
    return created | {"run": run}


def test_the_search_is_read_completely_and_sorted_out(catalog, stand_in):
    """Without v2, all pages are read (DISC-2, DISC-3), a person skipped (REFR-11), a document quarantined (P7)."""
    counts = catalog["run"]["counts"]
    assert counts | {"added": 0} == {
        "fetched": 9, "skipped": 1, "quarantined": 1, "added": 0, "removed": 0, "total": 7,
    }  # fmt: skip
    assert {"partner": "edx"} in stand_in.searches


def test_contains(admin, catalog):
    """A course, its nested runs, a program; of the catalog and of the customer (CONT-1, CONT-3, CONT-7)."""
    nested = FIRST_PAGE[0]["course_runs"][0]["key"]
    program = FIRST_PAGE[4]["uuid"]
    for key, contained in [(COURSE, True), (nested, True), (program, True), ("edX+Unknown", False)]:
        for path in (f"enterprise-catalogs/{catalog['uuid']}", f"enterprise-customer/{CUSTOMER}"):
            answer = admin.call("GET", f"/api/v1/{path}/contains_content_items/", params={"course_run_ids": key})
            assert answer == {"contains_content_items": contained}, (path, key)


def test_the_metadata_of_the_catalog(admin, catalog):
    """Every page once, in key order, links by the forwarded scheme (META-2, COM-9, COM-10)."""
    path = f"/api/v1/enterprise-catalogs/{catalog['uuid']}/get_content_metadata/"
    first = admin.call("GET", path, params={"page_size": 4, "content_keys": [COURSE, FIRST_PAGE[4]["uuid"]]})
    assert [item.get("key") or item["uuid"] for item in first["results"]] == sorted(
        [FIRST_PAGE[4]["uuid"], COURSE, *[row["key"] for row in FIRST_PAGE if row["content_type"] == "courserun"]]
    )
    page = admin.call("GET", path, params={"page_size": 1})
    assert page["next"].startswith("https://127.0.0.1")
    everything = admin.call("GET", path, params={"traverse_pagination": "true"})
    assert page["count"] == everything["count"] == len(everything["results"])


def test_the_customers_copy_reaches_the_links(admin, catalog, url):
    """Copied in the background, soon after the catalog was made (CUST-1, CUST-2)."""
    path = f"/api/v1/enterprise-catalogs/{catalog['uuid']}/get_content_metadata/"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        (item,) = (
            item
            for item in admin.call("GET", path, params={"content_keys": COURSE})["results"]
            if item["content_type"] == "course"
        )
        if "/customer-000/course/" in item["enrollment_url"]:
            break
        assert time.monotonic() < deadline, item["enrollment_url"]
        time.sleep(0.1)
    assert item["enrollment_url"].startswith("https://enterprise.example.org/customer-000/course/")


def test_another_customers_admin_sees_nothing(url, stand_in, catalog):  # P8
    stranger = Session(url, stand_in.token("stranger", "enterprise_admin:0b9c6e1e-58a4-4c46-8f0a-2d0b9c1f4e02"))
    stranger.call("GET", f"/api/v1/enterprise-catalogs/{catalog['uuid']}/", status=403)
    assert stranger.call("GET", "/api/v1/enterprise-catalogs/")["results"] == []


def test_changing_and_deleting(admin, stand_in):
    """A changed filter starts a refresh by itself (CRUD-7, CRUD-9, REFR-2)."""
    values = {
        "title": "Short-lived",
        "enterprise_customer": CUSTOMER,
        "enterprise_customer_name": "Customer 000 Inc",
        "enabled_course_modes": [],
        "publish_audit_enrollment_urls": True,
        "content_filter": {"content_type": "course"},
    }
    created = admin.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=values)
    path = f"/api/v1/enterprise-catalogs/{created['uuid']}/"
    admin.call("PUT", path, json=values | {"content_filter": {"content_type": "program"}})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while {"content_type": "program"} not in stand_in.searches:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    admin.call("DELETE", path, status=204)
    admin.call("GET", path, status=404)
