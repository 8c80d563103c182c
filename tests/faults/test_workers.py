"""Workers on MariaDB and Redis that are really killed and really frozen (P4, P5, P10)."""

import signal

import pytest
from django.conf import settings
from redis import Redis

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata
from enterprise_catalog.apps.core.nudge import nudge
from enterprise_catalog.apps.refresh.claims import State
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.tasks import run_refresh
from enterprise_catalog.apps.refresh.tests.builders import make_query, members, requested
from scripts.processes import signal_group
from tests.faults.conftest import eventually

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def an_empty_queue():
    Redis.from_url(settings.CELERY_BROKER_URL).flushdb()


def state_of(run: RefreshRun) -> str:
    return RefreshRun.objects.values_list("state", flat=True).get(pk=run.pk)


def ask(query: CatalogQuery) -> RefreshRun:
    run = requested(query)
    assert nudge(run_refresh, str(run.pk))
    return run


def expected_members(sandbox) -> list[str]:
    return sorted(sandbox.dataset.course_keys())


def test_a_worker_does_what_a_nudge_tells_it(workers, sandbox):
    query = make_query()
    run = ask(query)
    workers.start()
    eventually(lambda: state_of(run) == State.PUBLISHED)
    assert set(members(query)) <= set(expected_members(sandbox))
    assert members(query)


def test_a_run_whose_nudge_was_lost_is_found(workers):
    """P5, P6: Redis was flushed."""
    run = ask(make_query())
    Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    workers.start()
    eventually(lambda: state_of(run) == State.PUBLISHED)


def test_a_run_survives_the_worker_that_was_killed_in_the_middle_of_a_page(workers, sandbox):
    """P5: kill -9; nothing readers see has changed, and another worker does it all."""
    query = make_query()
    fault = sandbox.add_fault(endpoint="search", page=2, delay=30, times=1)
    run = ask(query)
    worker = workers.start()
    eventually(lambda: sandbox.fault_applied(fault) == 1)
    workers.kill(worker)
    assert (state_of(run), members(query)) == (State.RUNNING, [])
    workers.start()
    eventually(lambda: state_of(run) == State.PUBLISHED)
    run.refresh_from_db()
    assert run.attempts == 2
    assert run.counts
    assert run.counts["total"] == len(members(query)) > 10


def test_a_frozen_worker_that_wakes_up_late_writes_nothing(workers, sandbox):
    """P5: SIGSTOP past the lease, another worker publishes, SIGCONT; the zombie's fence is old."""
    query = make_query()
    fault = sandbox.add_fault(endpoint="courses", delay=2, times=1)
    run = ask(query)
    zombie = workers.start()
    eventually(lambda: sandbox.fault_applied(fault) == 1)
    signal_group(zombie, signal.SIGSTOP)
    workers.start()
    eventually(lambda: state_of(run) == State.PUBLISHED)
    run.refresh_from_db()
    published_at, fence = run.finished_at, run.fence
    contents = list(ContentMetadata.objects.order_by("pk").values())
    signal_group(zombie, signal.SIGCONT)
    # The zombie proves that it is awake by doing the next thing it is told, or leaving it to the other worker.
    again = ask(query)
    eventually(lambda: state_of(again) == State.PUBLISHED)
    run.refresh_from_db()
    assert (run.state, run.finished_at, run.fence) == (State.PUBLISHED, published_at, fence)
    assert list(ContentMetadata.objects.order_by("pk").values()) == contents


def test_doubled_and_late_messages_do_nothing(workers, sandbox):
    """P4."""
    query = make_query()
    run = requested(query)
    for _ in range(5):
        assert nudge(run_refresh, str(run.pk))
    workers.start()
    workers.start()
    eventually(lambda: state_of(run) == State.PUBLISHED)
    assert nudge(run_refresh, str(run.pk))
    after = ask(make_query({"content_type": "program"}))
    eventually(lambda: state_of(after) == State.PUBLISHED)
    searches = [call for call in sandbox.calls("search") if call.page == 1 and "program" not in str(call.body)]
    assert len(searches) == 1
    assert RefreshRun.objects.count() == 2
