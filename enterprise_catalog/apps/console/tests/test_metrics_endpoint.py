"""The endpoint `/metrics` on the web port, and its values (ADD-7, P3, P7, P8)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.monitoring import metrics_endpoint
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import QuarantinedDocument
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.queue.claims import fail, recover_expired_leases
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.testing.callers import client_for
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, expire, requested

pytestmark = pytest.mark.django_db

TOKEN = "a token of the test's"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def token(settings):
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def query():
    return EnterpriseCatalogFactory.create(title="Secret", enterprise_name="Umbrella").catalog_query


def figures() -> dict[tuple[str, ...], float]:
    """Values by name and the labels' values, in the order of the labels' names."""
    text = Client().get("/metrics", headers=HEADERS).content.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (sample.name.removeprefix("enterprise_catalog_"), *_values(sample.labels)): sample.value for sample in samples
    }


def _values(labels: dict[str, str]) -> list[str]:
    return [labels[name] for name in sorted(labels)]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_it_takes_the_token(path):
    response = Client().get(path, headers=HEADERS)
    assert (response.status_code, response["Content-Type"][:10]) == (200, "text/plain")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer "}, {"Authorization": f"JWT {TOKEN}"}, {"Authorization": "Bearer é"}]
)
def test_it_takes_nothing_else(headers):
    response = Client().get("/metrics", headers=headers)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_without_a_token_in_the_settings_it_is_not_there(settings):
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_it_is_only_read():
    assert Client().post("/metrics", headers=HEADERS).status_code == 405


def test_a_request_counts_under_its_route_and_says_nothing_of_what_was_asked(query):
    before = figures()
    client_for("alice").get(f"/api/v1/enterprise-catalogs/{query.uuid}/")
    after = figures()
    new = {name for name in after if name[0] == "requests_total" and after[name] != before.get(name)}
    assert ("requests_total", "v1:catalog", "GET", "404") in new
    assert after["request_seconds_count", "v1:catalog"] == before.get(("request_seconds_count", "v1:catalog"), 0) + 1
    assert str(query.uuid) not in str(after)


def test_a_request_counts_its_statements():
    before = figures().get(("request_sql_statements_sum", "health-ready"), 0)
    Client().get("/health/ready/")
    assert figures()["request_sql_statements_sum", "health-ready"] == before + 1


@pytest.mark.parametrize(
    ("method", "path"), [("BREW", "/health/"), ("GET", "/no/such/path-of-a-caller"), ("GET", "/admin/x/y/")]
)
def test_what_callers_invent_makes_no_labels(method, path):
    Client().generic(method, path)
    labels = {label for name in figures() for label in name[1:]}
    assert not [label for label in labels if label in ("BREW", path) or "of-a-caller" in label or "/" in label]


def test_freshness_is_exposed(query):  # P3
    found = figures()
    assert (found["queries_in_use",], found["queries_late",], found["queries_older_than", "22"]) == (1, 0, 0)
    CatalogQuery.objects.update(refreshed_at=database_now() - timedelta(hours=23))
    assert (figures()["queries_older_than", "22"], figures()["queries_late",]) == (1, 0)
    CatalogQuery.objects.update(refreshed_at=database_now() - timedelta(hours=25))
    found = figures()
    assert (found["queries_late",], found["queries_older_than", "24"], found["queries_older_than", "48"]) == (1, 1, 0)
    assert found["oldest_publish_timestamp_seconds",] == pytest.approx(database_now().timestamp() - 25 * 3600, abs=60)


def test_waiting_runs_and_their_time_are_exposed(query):
    run = requested(query)
    type(run).objects.update(requested_at=database_now() - timedelta(minutes=10))
    found = figures()
    assert (found["refresh_runs", "queued"], found["refresh_runs", "running"], found["refresh_runs", "held"]) == (
        1,
        0,
        0,
    )
    assert found["refresh_wait_seconds",] == pytest.approx(600, abs=30)


def test_a_run_that_waits_for_another_time_does_not_wait_for_a_worker(query):
    run = requested(query)
    long_ago, later = database_now() - timedelta(hours=2), database_now() + timedelta(minutes=5)
    type(run).objects.update(requested_at=long_ago, not_before=later)
    assert figures()["refresh_wait_seconds",] == 0


def test_ends_of_runs_and_lost_workers_are_counted(query, django_capture_on_commit_callbacks):
    before = figures()
    with django_capture_on_commit_callbacks(execute=True):
        fail(claimed(query), code="discovery_unavailable", detail="down")
    expire(claimed(query))
    recover_expired_leases()
    after = figures()
    ended = ("refreshes_ended_total", "discovery_unavailable", "failed")
    assert after[ended] == before.get(ended, 0) + 1
    assert after["lost_workers_total",] == before["lost_workers_total",] + 1


def test_calls_to_discovery_are_counted_by_what_came_of_them(query, sandbox):
    before = figures()
    refresh(requested(query).pk)
    after = figures()
    answered = ("service_call_seconds_count", "answered", "discovery")
    assert after[answered] > before.get(answered, 0)
    assert after["refresh_seconds_count",] == before["refresh_seconds_count",] + 1


def test_life_of_beat_and_worker_is_exposed():
    assert ("worker_silence_seconds",) not in figures()
    tick()
    assert figures()["worker_silence_seconds",] == pytest.approx(0, abs=30)


def test_quarantined_documents_of_the_last_day_are_counted(query):  # P7
    run = requested(query)
    type(run).objects.update(finished_at=database_now())
    for _ in range(2):
        QuarantinedDocument.objects.create(refresh_run=run, content_key="edX+DemoX", reason="too large")
    assert figures()["quarantined_keys",] == 1


def test_the_budget_is_exposed(settings):
    settings.DISCOVERY_REQUESTS_PER_HOUR = 7
    assert (figures()["discovery_requests_limit",], figures()["discovery_requests_spent",]) == (7, 0)


def test_use_of_the_budget_is_exposed_without_names(settings):  # RUN-7, ADD-7
    settings.DISCOVERY_REQUESTS_PER_HOUR = 200
    customer = str(uuid4())
    for consumers in (
        Consumers(frozenset({customer})),
        Consumers(frozenset({"operators"})),
        Consumers(background="due"),
    ):
        request_budget.count_requests(3, consumers)
    found = figures()
    kinds = {kind: found["discovery_requests_by", kind] for kind in ("customers", "operators", "due", "reviews")}
    assert kinds == {"customers": 3, "operators": 3, "due": 3, "reviews": 0}
    assert found["discovery_requests_reserved",] == 100
    assert not any(customer in str(name) for name in found)


def test_a_missing_database_is_exposed_and_hides_nothing_else(monkeypatch):
    def away():
        raise OperationalError(2003, "Can't connect")

    Client().get("/health/live/")
    monkeypatch.setattr(metrics_endpoint, "freshness_overview", away)
    found = figures()
    assert found["database_up",] == 0
    assert ("queries_in_use",) not in found
    assert ("requests_total", "health-live", "GET", "200") in found


def test_who_comes_while_another_waits_for_the_database_does_not_wait_long(monkeypatch):
    monkeypatch.setattr(metrics_endpoint, "_PATIENCE_SECONDS", 0.01)
    with metrics_endpoint._reading:
        assert figures()["database_up",] == 0
    assert figures()["database_up",] == 1


def test_no_name_no_key_and_no_customer_is_exposed(query):  # P8
    fail(claimed(query), code="discovery_unavailable", detail="GET /secret/path")
    text = Client().get("/metrics", headers=HEADERS).content.decode()
    assert not [word for word in ("Secret", "Umbrella", "/secret", str(query.uuid)) if word in text]


def test_asking_takes_the_same_statements_however_many_there_are():
    def statements():
        with CaptureQueriesContext(connection) as captured:
            figures()
        return len(captured)

    few = statements()
    EnterpriseCatalogFactory.create_batch(20)
    assert statements() == few
