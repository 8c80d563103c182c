"""
One customer requests refreshes without end, and nobody else is slowed down (P11, RUN-7, REFR-2).

An hour passes with the budget that discovery gives an ordinary user, through the HTTP API, the queue and real pages of
the sandbox. Time passes minute by minute when there is nothing left to do, so only the budget makes anybody wait.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

import pytest
from django.db.models import Min
from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import DiscoveryBudget, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.queue.priority import startable_runs
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.callers import client_for
from enterprise_catalog.testing.catalogs import CATALOGS
from tests.faults.clock import Clock
from tests.faults.content import COURSES, Content, course_key
from tests.sandbox_services import point_settings_at

pytestmark = pytest.mark.django_db(transaction=True)

FLOODED = 10
# Any three courses are a filter that nobody else has.
FILTERS = [{"key": [course_key(number) for number in three]} for three in combinations(range(COURSES), 3)]


@dataclass
class Catalog:
    """A catalog of a customer, and when its query was published last, in minutes of the test."""

    url: str
    client: APIClient
    query: CatalogQuery

    def ask(self) -> str:
        response = self.client.post(f"{self.url}refresh_metadata/")
        assert response.status_code == 200
        return response.json()["async_task_id"]

    def change(self, content_filter: dict) -> None:
        assert self.client.patch(self.url, {"content_filter": content_filter}).status_code == 200


@pytest.fixture
def content(settings, silence):
    with Sandbox(courses=0, programs=0, pathways=0, persons=0) as sandbox:
        point_settings_at(sandbox, settings)
        content = Content(sandbox)
        content.become(set(range(COURSES)))
        yield content


def customer(number: int) -> tuple[str, APIClient]:
    uuid = f"{number:08d}-0000-4000-8000-000000000000"
    return uuid, client_for(f"admin{number}", f"enterprise_admin:{uuid}")


def catalog_of(uuid: str, client: APIClient, content_filter: dict) -> Catalog:
    body = {
        "title": "A catalog",
        "enterprise_customer": uuid,
        "enterprise_customer_name": "A customer",
        "enabled_course_modes": ["verified"],
        "publish_audit_enrollment_urls": False,
        "content_filter": content_filter,
    }
    answer = client.post(CATALOGS, body)
    assert answer.status_code == 201
    query = CatalogQuery.objects.get(uuid=answer.json()["catalog_query_uuid"])
    return Catalog(f"{CATALOGS}{answer.json()['uuid']}/", client, query)


def work() -> None:
    """Do everything that workers may do now."""
    while startable_runs(limit=1):
        refresh_next()


def all_published(catalogs: list[Catalog], *, minutes_ago: list[int]) -> None:
    """Make all queries published so long ago, with no requests since."""
    work()
    assert not RefreshRun.objects.exclude(state=RefreshRun.State.PUBLISHED).exists()
    for catalog, minutes in zip(catalogs, minutes_ago, strict=True):
        at = database_now() - timedelta(minutes=minutes)
        CatalogQuery.objects.filter(pk=catalog.query.pk).update(refreshed_at=at)
        RefreshRun.objects.filter(catalog_query=catalog.query).update(requested_at=at, started_at=at, finished_at=at)
    DiscoveryBudget.objects.all().delete()


def minutes_since_publish(catalogs: list[Catalog]) -> float:
    """Return the age of the oldest publish, in minutes."""
    queries = CatalogQuery.objects.filter(pk__in=[catalog.query.pk for catalog in catalogs])
    return (database_now() - queries.aggregate(oldest=Min("refreshed_at"))["oldest"]).total_seconds() / 60


def has_published(run: str) -> bool:
    return RefreshRun.objects.get(pk=run).state == RefreshRun.State.PUBLISHED


@pytest.mark.parametrize(
    ("due", "singles"),
    [
        pytest.param(40, 10, id="on a usual day"),
        # More than the hour's budget has; then little is left for people.
        pytest.param(110, 5, id="after an outage", marks=pytest.mark.thorough),
    ],
)
def test_one_customer_floods(due, singles, content, settings, monkeypatch, saw):
    """Others' due queries are published within their day, their requests within two minutes (P11, RUN-7, REFR-2)."""
    # Two pages, and a call for full records where somebody asked.
    settings.DISCOVERY_PAGE_SIZE = 2
    settings.DISCOVERY_REQUESTS_PER_HOUR, limit = 0, settings.DISCOVERY_REQUESTS_PER_HOUR
    assert limit == 200
    filters = iter(FILTERS)
    flooder = customer(0)
    flooded = [catalog_of(*flooder, next(filters)) for _ in range(FLOODED)]
    waiting = [catalog_of(*customer(number), next(filters)) for number in range(1, due + 1)]
    asking = [catalog_of(*customer(100 + number), next(filters)) for number in range(singles)]
    # From one that is late soon to those that become due while the flood goes on, or all within a few minutes.
    ages = [23 * 60 - number * 4 * 60 // due if due < 100 else 21 * 60 + number // 20 for number in range(due)]
    all_published([*flooded, *waiting, *asking], minutes_ago=[*[60] * FLOODED, *ages, *[120] * singles])
    settings.DISCOVERY_REQUESTS_PER_HOUR = limit
    clock = Clock(monkeypatch)
    asked: dict[str, int] = {}
    waited: list[int] = []
    oldest = 0.0
    while clock.passed < 60 or minutes_since_publish(waiting) > 21 * 60:
        oldest = max(oldest, minutes_since_publish(waiting))
        if clock.passed < 60:
            # One filter after the other changes, and is fetched anew (RUN-8).
            flooded[clock.passed % FLOODED].change(FILTERS[-1 - clock.passed])
            for catalog in flooded:
                catalog.ask()
            if clock.passed % (60 // singles) == 1:
                asked[asking[clock.passed * singles // 60].ask()] = clock.passed
        tick()
        work()
        for run in [run for run in asked if has_published(run)]:
            waited.append(clock.passed - asked.pop(run))
        hour = request_budget.last_hour()
        assert hour.total <= limit
        if clock.passed == 59:
            flooders_part, of_due = hour.used_by(flooder[0]), hour.used_by(request_budget.DUE)
            assert hour.used_by_people <= limit // 2
        clock.pass_time(1)
        assert clock.passed < 5 * 60
    assert oldest < 24 * 60
    assert (len(waited), max(waited) <= 2) == (singles, True)
    # A quarter of the budget is what somebody may have whom nobody else leaves less.
    least = limit // 4 if due < 100 else limit // 10 // 2
    assert least * 0.8 <= flooders_part <= limit // 4
    saw(
        f"the others' oldest was {oldest / 60:.1f} h old, their requests waited {max(waited)} min at most; of {limit} "
        f"requests the flooder had {flooders_part}, due queries {of_due}"
    )
