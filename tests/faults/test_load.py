"""Very many requested refreshes at once: few fetches, within the budget, the newest first (P3, P4, REFR-3, DISC-16)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import F

from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash, equivalence_key
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.queue.priority import startable_runs
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.sandbox.config import ACME_UUID
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.runs import let_budget_age, requested
from tests.contract.session import Session
from tests.faults.conftest import eventually
from tests.faults.scene import CUSTOMER
from tests.sandbox_services import environment_for, point_settings_at
from tests.whole_service import whole_service

CATALOGS = "/api/v1/enterprise-catalogs/"
CALLERS = 8
FETCH_SECONDS = 15


@pytest.fixture
def small_sandbox() -> Iterator[Sandbox]:
    with Sandbox(courses=5, programs=0) as sandbox:
        yield sandbox


def body(number: int) -> dict:
    return {
        "uuid": str(UUID(int=number + 1)),
        "title": f"Catalog {number}",
        "enterprise_customer": ACME_UUID,
        "enterprise_customer_name": "Acme",
        "enabled_course_modes": ["verified"],
        "publish_audit_enrollment_urls": False,
        "content_filter": {"content_type": "course"},
    }


@pytest.mark.local_run
@pytest.mark.parametrize("catalogs", [100, pytest.param(1000, marks=pytest.mark.thorough)])
def test_everybody_saves_and_refreshes_at_once(catalogs, small_sandbox, tmp_path, saw):
    """While one fetch is under way, all wishes together cost one more, and each gets the run that serves it (P4)."""
    sandbox = small_sandbox
    with (
        whole_service(variables=environment_for(sandbox), directory=tmp_path) as service,
        ThreadPoolExecutor(CALLERS) as pool,
    ):
        token = sandbox.token(username="operator", roles=["enterprise_openedx_operator:*"], lifetime=36000)
        operator = Session(service.url, token)

        def create(number: int) -> None:
            operator.call("POST", CATALOGS, status=201, json=body(number))

        def save_and_refresh(number: int) -> str:
            path = f"{CATALOGS}{UUID(int=number + 1)}/"
            operator.call("PUT", path, json=body(number) | {"title": "Renamed"})
            run: str = operator.call("POST", f"{path}refresh_metadata/")["async_task_id"]
            return run

        list(pool.map(create, range(catalogs)))
        eventually(lambda: operator.call("GET", f"{CATALOGS}{UUID(int=1)}/")["content_freshness"] == "fresh")
        operator.wait_for(operator.call("POST", f"{CATALOGS}{UUID(int=1)}/refresh_metadata/")["async_task_id"])
        sandbox.clear_calls()
        slow = sandbox.add_fault(endpoint="search", delay=FETCH_SECONDS, times=1)
        # And as long again, since a thousand callers may need more.
        sandbox.add_fault(endpoint="courses", delay=FETCH_SECONDS if catalogs > 500 else 0.1, times=1)
        first = save_and_refresh(0)
        eventually(lambda: sandbox.fault_applied(slow) == 1)
        serving = set(pool.map(save_and_refresh, range(catalogs)))
        ends = [operator.wait_for(run)["state"] for run in {first, *serving}]
        searches = sum(call.page == 1 for call in sandbox.calls("search"))
        assert set(ends) == {"published"}
        assert first not in serving
        assert (len(serving), searches) == (1, 2)
        service.run("python", "manage.py", "check_consistency", "--deep")
    saw(f"{catalogs} PUTs and refreshes: {searches} fetches")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("queries", [300, pytest.param(5000, marks=[pytest.mark.thorough, pytest.mark.mariadb])])
def test_very_many_are_due_at_once(queries, small_sandbox, settings, saw):
    """
    No hour costs more than its budget, and all queries are published in the end (P3, DISC-16).

    Refreshes that people request meanwhile come next, the newest first.
    """
    point_settings_at(small_sandbox, settings)
    settings.DISCOVERY_REQUESTS_PER_HOUR = hourly = queries // 4
    many_due_queries(queries)
    hours = 0
    while True:
        while tick() and RefreshRun.objects.filter(state=RefreshRun.State.QUEUED).count() < queries:
            pass
        small_sandbox.clear_calls()
        if hours == 1:
            wishes = [requested(query) for query in CatalogQuery.objects.order_by("-pk")[:2]]
        refreshed = work_until_nothing_is_left_to_spend()
        if hours == 1:
            assert refreshed[:2] == [wishes[1].pk, wishes[0].pk]
        assert len(small_sandbox.calls("search")) <= hourly
        if not RefreshRun.objects.filter(state=RefreshRun.State.QUEUED).exists():
            break
        hours += 1
        assert hours < 8
        an_hour_passes()
    assert CatalogQuery.objects.filter(refreshed_at=None).count() == 0
    assert RefreshRun.objects.exclude(state=RefreshRun.State.PUBLISHED).count() == 0
    assert RefreshRun.objects.count() == queries
    saw(f"{queries} queries within {hours + 1} budgets of {hourly}")


def many_due_queries(number: int) -> None:
    """Create due queries with different searches that find nothing, so each takes one request."""
    filters = [{"key.raw": f"edX+Nothing{i}"} for i in range(number)]
    CatalogQuery.objects.bulk_create(
        (
            CatalogQuery(
                content_filter=it, content_filter_hash=content_filter_hash(it), equivalence_key=equivalence_key(it)
            )
            for it in filters
        ),
        batch_size=500,
    )
    EnterpriseCatalog.objects.bulk_create(
        (
            EnterpriseCatalog(
                title="Due",
                enterprise_uuid=CUSTOMER,
                enterprise_name="Acme",
                catalog_query=query,
                modified=database_now(),
            )
            for query in CatalogQuery.objects.all()
        ),
        batch_size=500,
    )


def work_until_nothing_is_left_to_spend() -> list[UUID]:
    """Work until the budget is spent, and return the runs in the order in which they started."""
    while startable_runs(limit=1):
        refresh_next()
    started = RefreshRun.objects.filter(started_at__isnull=False, started_at__gt=database_now() - timedelta(minutes=59))
    return list(started.order_by("started_at").values_list("pk", flat=True))


def an_hour_passes() -> None:
    let_budget_age(61)
    RefreshRun.objects.update(started_at=F("started_at") - timedelta(hours=1), not_before=None)
