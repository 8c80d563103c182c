"""Fixtures of an LMS with users, customers and catalogs, whose saves reach the running service over HTTP."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.conf import settings
from enterprise.api_client.client import NoAuthAPIClient
from enterprise.api_client.enterprise_catalog import EnterpriseCatalogApiClient
from enterprise.constants import ENTERPRISE_OPERATOR_ROLE
from enterprise.models import EnterpriseCustomer, EnterpriseCustomerCatalog

from tests.clients.lms.people import make_catalog, make_customer, make_query, make_user
from tests.clients.lms.platform import SANDBOX_URL

PATIENCE_SECONDS = 120
# All there is of the four types: a thousand items and more.
EVERYTHING = {"content_type": ["course", "courserun", "program", "learnerpathway"]}
# The client's own words, about what the service answered.
TALKATIVE = ("enterprise.", "integrated_channels.")


def public_methods() -> dict[CodeType, str]:
    """What the released package offers for calling the service, by the code that runs when it is called."""
    offered = {
        **{name: member for name, member in vars(EnterpriseCatalogApiClient).items() if callable(member)},
        "get_health": NoAuthAPIClient.get_health,
    }
    return {
        getattr(member, "__wrapped__", member).__code__: name
        for name, member in offered.items()
        if not name.startswith("_")
    }


METHODS = public_methods()
called: set[str] = set()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back on the whole run comes last."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(autouse=True)
def _notice_calls() -> Iterator[None]:
    """By looking on: the client runs as it was released."""

    def look(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and (name := METHODS.get(frame.f_code)):
            called.add(name)

    sys.setprofile(look)
    yield
    sys.setprofile(None)


class Complaints:
    """What the client wrote at warning level or above. A test that provokes some takes them."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._seen = 0

    def take(self) -> list[str]:
        records = [*self._caplog.get_records("setup"), *self._caplog.get_records("call")]
        fresh, self._seen = records[self._seen :], len(records)
        return [
            record.getMessage()
            for record in fresh
            if record.levelno >= logging.WARNING and record.name.startswith(TALKATIVE)
        ]


@pytest.fixture(autouse=True)
def complaints(caplog: pytest.LogCaptureFixture) -> Iterator[Complaints]:
    """A client that complains of an answer although all is well has found a fault of ours."""
    complaints = Complaints(caplog)
    yield complaints
    assert complaints.take() == []


def sandbox(path: str = "", **parameters: Any) -> Any:
    return requests.get(f"{SANDBOX_URL}/sandbox/{path}", params=parameters, timeout=10).json()


def wait_for_run(client: EnterpriseCatalogApiClient, run_id: str) -> dict[str, Any]:
    """The run that `refresh_catalogs` named, at its end (P10)."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = client.client.get(client.get_api_url(f"refresh-runs/{run_id}"))
        run: dict[str, Any] = answer.json()
        if run.get("state") not in ("queued", "running"):
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.1)


def published(catalog: EnterpriseCustomerCatalog) -> EnterpriseCustomerCatalog:
    client = EnterpriseCatalogApiClient()
    refreshed, failed = client.refresh_catalogs([catalog])
    assert failed == []
    run = wait_for_run(client, refreshed[catalog.uuid])
    assert run["state"] == "published", run
    return catalog


def row(stored: dict[str, Any]) -> dict[str, Any]:
    """What only a write to the catalog may change; a refresh may end at any moment and moves the rest."""
    fields = ("uuid", "title", "enterprise_customer", "catalog_query_uuid", "query_title", "catalog_modified")
    return {field: stored[field] for field in fields}


def wait_for_customer(catalog: EnterpriseCustomerCatalog) -> None:
    """Until links lead to the customer's portal (CUST-2): what is read from then on does not change any more."""
    client = EnterpriseCatalogApiClient()
    course = next(key for key in sandbox()["courses"] if client.contains_content_items(catalog.uuid, [key]))
    deadline = time.monotonic() + PATIENCE_SECONDS
    slug = catalog.enterprise_customer.slug
    while slug not in client.get_content_metadata(None, [catalog], [course])[0]["enrollment_url"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """With the worker user of the LMS."""
    with django_db_blocker.unblock():
        make_user(settings.ENTERPRISE_SERVICE_WORKER_USERNAME, role=ENTERPRISE_OPERATOR_ROLE)


@pytest.fixture(scope="session")
def courses() -> list[str]:
    """Keys of all courses in discovery."""
    keys: list[str] = sandbox()["courses"]
    return keys


@pytest.fixture
def content_filter(courses: list[str]) -> Callable[[int, int], dict[str, Any]]:
    """`content_filter(2, 3)`: of three courses, the third one first. Equal for no two tests."""
    nobody = f"course:{uuid4()}"

    def make(start: int, count: int) -> dict[str, Any]:
        keys = [f"course:{key}" for key in courses[start : start + count]]
        return {"content_type": "course", "aggregation_key": [*keys, nobody]}

    return make


@pytest.fixture(scope="session")
def large(django_db_setup: None, django_db_blocker: Any) -> EnterpriseCustomerCatalog:
    """A published catalog of everything there is, of a customer whom the service has copied already."""
    with django_db_blocker.unblock():
        query = make_query(EVERYTHING, title="Everything")
        catalog = published(make_catalog(make_customer("Large"), query, title="Everything"))
        wait_for_customer(catalog)
        return catalog


@pytest.fixture
def customer(db: None) -> EnterpriseCustomer:
    return make_customer("Acme, Inc.")


@pytest.fixture
def client(db: None) -> EnterpriseCatalogApiClient:
    """As the LMS makes it: for its worker user. It is connected at once, for tests that ask in its name."""
    client = EnterpriseCatalogApiClient()
    client.connect()
    return client
