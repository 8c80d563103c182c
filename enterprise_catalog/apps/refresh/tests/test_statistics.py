"""Counts of runs: what waits, and what ended when and how."""

from datetime import timedelta

import pytest

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun, Sweep
from enterprise_catalog.apps.refresh.reports.late_queries import older_than
from enterprise_catalog.apps.refresh.reports.statistics import (
    count_open_runs,
    ended_by_hour,
    failing_queries,
    failures_by_reason,
    longest_wait,
    most_changed,
    worker_silence,
)
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, make_query, requested

pytestmark = pytest.mark.django_db


def in_use(content_filter=None):
    return EnterpriseCatalogFactory.create(catalog_query=make_query(content_filter)).catalog_query


def ended(query, state, *, hours_ago, code="", **counts):
    """Make a run that ended this many hours ago."""
    run = requested(query)
    then = database_now() - timedelta(hours=hours_ago)
    row = RefreshRun.objects.filter(pk=run.pk)
    row.update(
        state=state, queued_for=None, requested_at=then, finished_at=then, reason_code=code, counts=counts or None
    )


def test_runs_that_have_not_ended_are_counted_by_state():
    requested(make_query({"a": "1"}))
    claimed(make_query({"a": "2"}))
    ended(make_query({"a": "3"}), RefreshRun.State.PUBLISHED, hours_ago=1)
    assert count_open_runs() == {"queued": 1, "running": 1, "held": 0}


def test_a_run_behind_a_running_one_of_its_query_does_not_count_as_waiting():
    query = make_query()
    claimed(query)
    RefreshRun.objects.filter(pk=requested(query).pk).update(requested_at=database_now() - timedelta(hours=1))
    assert longest_wait() == timedelta()


def test_ended_runs_are_counted_in_24_hours():
    query = make_query()
    ended(query, RefreshRun.State.PUBLISHED, hours_ago=2, added=5, removed=2)
    ended(query, RefreshRun.State.FAILED, hours_ago=2, code="discovery_unavailable")
    ended(query, RefreshRun.State.PUBLISHED, hours_ago=26, added=100, removed=0)
    hours = ended_by_hour()
    when = RefreshRun.objects.get(state=RefreshRun.State.FAILED).finished_at.replace(minute=0, second=0, microsecond=0)
    (hour,) = (hour for hour in hours if hour.begins_at == when)
    assert (hour.states, hour.added, hour.removed) == ({"published": 1, "failed": 1}, 5, 2)
    assert (len(hours), sum(it.states.total() for it in hours)) == (24, 2)
    assert failures_by_reason() == {"discovery_unavailable": 1}


def test_a_query_is_failing_while_its_last_judging_run_failed():
    broken, mended = in_use({"a": "1"}), in_use({"a": "2"})
    ended(mended, RefreshRun.State.FAILED, hours_ago=3, code="discovery_unavailable")
    ended(mended, RefreshRun.State.PUBLISHED, hours_ago=2)
    ended(broken, RefreshRun.State.PUBLISHED, hours_ago=4)
    ended(broken, RefreshRun.State.FAILED, hours_ago=3, code="discovery_rejected")
    ended(broken, RefreshRun.State.FAILED, hours_ago=1, code="superseded")
    failed = RefreshRun.objects.get(reason_code="discovery_rejected")
    assert [(query.pk, query.last_run) for query in failing_queries()] == [(broken.pk, failed.pk)]


@pytest.mark.parametrize("hours_ago", [1, 25, 24 * 80])
def test_a_query_is_failing_however_long_ago_its_last_run_failed(hours_ago):
    ended(in_use(), RefreshRun.State.FAILED, hours_ago=hours_ago, code="discovery_unavailable")
    assert failing_queries().count() == 1


def test_a_run_that_was_requested_long_ago_and_failed_now_counts():
    ended(in_use(), RefreshRun.State.FAILED, hours_ago=0, code="discovery_unavailable")
    RefreshRun.objects.update(requested_at=database_now() - timedelta(hours=60))
    assert failing_queries().count() == 1
    assert failures_by_reason() == {"discovery_unavailable": 1}


def test_a_query_without_catalogs_is_not_failing():
    ended(make_query(), RefreshRun.State.FAILED, hours_ago=1, code="discovery_unavailable")
    assert not failing_queries().exists()


def test_the_most_changed_query_comes_first_and_unchanged_ones_are_left_out():
    much, little, nothing = in_use({"a": "1"}), in_use({"a": "2"}), in_use({"a": "3"})
    ended(little, RefreshRun.State.PUBLISHED, hours_ago=1, added=1, removed=1)
    ended(much, RefreshRun.State.PUBLISHED, hours_ago=1, added=5, removed=2)
    ended(much, RefreshRun.State.PUBLISHED, hours_ago=2, added=0, removed=1)
    ended(nothing, RefreshRun.State.PUBLISHED, hours_ago=1, added=0, removed=0)
    assert most_changed(limit=10).most_common() == [(much.pk, 8), (little.pk, 2)]
    assert list(most_changed(limit=1)) == [much.pk]


def test_a_run_without_counts_changed_nothing():
    ended(in_use(), RefreshRun.State.PUBLISHED, hours_ago=1)
    assert most_changed(limit=10) == {}
    assert sum(hour.added for hour in ended_by_hour()) == 0


def test_a_busy_worker_is_not_silent():
    tick()
    Sweep.objects.update(due_at=database_now() - timedelta(minutes=10))
    assert worker_silence() > timedelta(minutes=9)
    claimed(make_query())
    assert worker_silence() < timedelta(seconds=30)


def test_a_query_without_catalogs_has_no_age():
    make_query()
    assert older_than(1, 24) == {1: 0, 24: 0}
