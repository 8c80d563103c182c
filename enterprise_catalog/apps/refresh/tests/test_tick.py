"""The tick: due queries, lost notifications, dead workers (P3, P5, REFR-2, RUN-5)."""

from datetime import timedelta

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import claim_runs, end_runs, fail, owned
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.queue.priority import claim_next
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.celery import app
from enterprise_catalog.testing.runs import claimed, expire, make_query, requested

pytestmark = pytest.mark.django_db

CUSTOMER = "6ae013d4-c5c4-474d-8da9-0e559b2448e2"


@pytest.fixture
def query():
    query = make_query()
    attach(query)
    return query


def attach(query):
    EnterpriseCatalog.objects.create(
        title="All", enterprise_uuid=CUSTOMER, enterprise_name="Acme", catalog_query=query, modified=database_now()
    )


def published(query, *, hours_ago):
    CatalogQuery.objects.filter(pk=query.pk).update(refreshed_at=database_now() - timedelta(hours=hours_ago))


def test_a_query_that_never_published_is_due(query):  # P3, REFR-2, RUN-3
    assert tick() == [RefreshRun.objects.get().pk]
    assert RefreshRun.objects.get().trigger == "schedule"


@pytest.mark.parametrize(("hours_ago", "runs"), [(19, 0), (21, 1)])
def test_a_published_query_is_due_after_the_interval(query, hours_ago, runs):  # P3
    published(query, hours_ago=hours_ago)
    tick()
    assert RefreshRun.objects.count() == runs


def test_a_query_without_catalogs_is_never_due():  # CRUD-9
    make_query()
    assert tick() == []


def test_ten_ticks_enqueue_a_query_once(query):
    for _ in range(10):
        tick()
    assert RefreshRun.objects.count() == 1


def test_a_query_being_refreshed_is_not_due(query):
    claimed(query)
    assert tick() == []


def test_a_failed_refresh_gets_a_pause(query, settings):
    fail(claimed(query), code="discovery_unavailable", detail="down")
    assert tick() == []
    longer_ago = database_now() - timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES + 1)
    RefreshRun.objects.update(finished_at=longer_ago)
    assert len(tick()) == 1


def test_the_longest_waiting_queries_come_first_and_in_portions(settings):
    settings.DUE_QUERIES_PER_TICK = 1
    late, later = make_query({"a": "1"}), make_query({"a": "2"})
    for query in (late, later):
        attach(query)
    published(late, hours_ago=30)
    published(later, hours_ago=40)
    tick()
    assert RefreshRun.objects.get().catalog_query == later


def test_what_was_published_at_once_is_not_due_at_once(settings):
    """They become due spread over an hour (P3)."""
    queries = [make_query({"level_type": str(number)}) for number in range(40)]
    for query in queries:
        attach(query)
        published(query, hours_ago=settings.REFRESH_INTERVAL_HOURS + 0.5)
    tick()
    assert 5 < RefreshRun.objects.count() < 35
    CatalogQuery.objects.update(refreshed_at=database_now() - timedelta(hours=settings.REFRESH_INTERVAL_HOURS + 1.1))
    tick()
    assert RefreshRun.objects.count() == 40


@pytest.mark.parametrize("hours_ago", [1, 19.9])
def test_equal_searches_become_due_together(settings, hours_ago):
    """One fetch serves both, whenever the other was published (P4)."""
    one, other = make_query({"key": ["a", "b"]}), make_query({"key": ["b", "a"]})
    for query, published_hours_ago in ((one, settings.REFRESH_INTERVAL_HOURS + 2), (other, hours_ago)):
        attach(query)
        published(query, hours_ago=published_hours_ago)
    tick()
    assert set(RefreshRun.objects.values_list("catalog_query", flat=True)) == {one.pk, other.pk}
    assert len(claim_next()) == 2


def test_a_held_refresh_gets_a_longer_pause(query, settings):
    """It is refreshed again, but less often, so that budget is left for others (REFR-10)."""
    end_runs(owned(claimed(query)), state=RefreshRun.State.HELD)
    ended = database_now() - timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES + 1)
    RefreshRun.objects.update(finished_at=ended)
    assert tick() == []
    RefreshRun.objects.update(finished_at=database_now() - timedelta(minutes=settings.HELD_REFRESH_PAUSE_MINUTES + 1))
    assert len(tick()) == 1


def test_nothing_is_announced_while_there_is_no_budget(query, settings):
    """The rows wait, and no worker is notified (P3)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 1
    request_budget.count_requests(1, Consumers(background=request_budget.DUE))
    assert tick() == []
    assert RefreshRun.objects.get().state == RefreshRun.State.QUEUED


def test_a_lost_notification_is_repeated(query, settings):  # P5, P6
    run = requested(query)
    assert tick() == [run.pk]
    assert tick() == []
    long_ago = database_now() - timedelta(seconds=settings.NOTIFY_AGAIN_SECONDS + 1)
    RefreshRun.objects.update(nudged_at=long_ago)
    assert tick() == [run.pk]


def test_a_run_that_cannot_start_yet_is_not_announced(query):
    claimed(query)
    requested(query)
    assert tick() == []


def test_a_dead_workers_run_is_announced(query):  # P5
    claim = claimed(query)
    expire(claim)
    assert tick() == [claim.run_uuid]


def test_a_requeued_run_is_announced_at_once(query):
    """It may have been announced just before the worker that died claimed it (P5)."""
    run = requested(query)
    assert tick() == [run.pk]
    (claim,) = claim_next()
    expire(claim)
    assert tick() == [run.pk]


@pytest.mark.parametrize("state", [RefreshRun.State.QUEUED, RefreshRun.State.HELD])
def test_a_run_whose_query_is_gone_ends(query, state):  # RUN-5, P10
    EnterpriseCatalog.objects.all().delete()
    requested(query)
    RefreshRun.objects.update(state=state)
    query.delete()
    assert tick() == []
    run = RefreshRun.objects.get()
    assert (run.state, run.reason_code, run.queued_for) == (RefreshRun.State.FAILED, "superseded", None)
    assert run.catalog_query_uuid == query.uuid


def test_workers_know_what_beat_tells_them(settings):  # P3, P5
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= app.tasks.keys()


def test_two_beats_that_enqueue_at_once_do_not_ask_for_more(query):
    """Only a person who waits makes a run fetch all full records again (P4)."""
    for _ in range(2):
        enqueue_run(query=query, trigger=RefreshRun.Trigger.SCHEDULE)
    (claim,) = claim_runs(RefreshRun.objects.get().pk)
    assert not claim.asked_for
