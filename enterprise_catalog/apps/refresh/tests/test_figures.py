"""The work in figures: what waits, what ended when and how."""

from datetime import timedelta

import pytest

from enterprise_catalog.apps.core.db import database_now
from enterprise_catalog.apps.refresh.claims import State
from enterprise_catalog.apps.refresh.figures import last_day, longest_wait, open_runs
from enterprise_catalog.apps.refresh.freshness import older_than
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.tests.builders import claimed, make_query, requested

pytestmark = pytest.mark.django_db


def ended(query, state, *, hours_ago, code="", **counts):
    """A run that ended then."""
    run = requested(query)
    then = database_now() - timedelta(hours=hours_ago)
    row = RefreshRun.objects.filter(pk=run.pk)
    row.update(
        state=state, queued_for=None, requested_at=then, finished_at=then, reason_code=code, counts=counts or None
    )


def test_runs_that_have_not_ended_are_counted_by_state():
    requested(make_query({"a": "1"}))
    claimed(make_query({"a": "2"}))
    ended(make_query({"a": "3"}), State.PUBLISHED, hours_ago=1)
    assert open_runs() == {"queued": 1, "running": 1, "held": 0}


def test_a_run_behind_one_of_its_query_waits_for_no_worker():
    query = make_query()
    claimed(query)
    RefreshRun.objects.filter(pk=requested(query).pk).update(requested_at=database_now() - timedelta(hours=1))
    assert longest_wait() == timedelta()


def test_the_last_day_has_24_hours_and_what_ended_in_each():
    query = make_query()
    ended(query, State.PUBLISHED, hours_ago=2, added=5, removed=2)
    ended(query, State.FAILED, hours_ago=2, code="discovery_unavailable")
    ended(query, State.PUBLISHED, hours_ago=26, added=100, removed=0)
    day = last_day()
    assert [hour.begins_at.minute for hour in day.hours] == [0] * 24
    assert (day.hours[-3].states, day.hours[-3].added, day.hours[-3].removed) == ({"published": 1, "failed": 1}, 5, 2)
    assert sum(hour.states.total() for hour in day.hours) == 2
    assert (day.failed, day.changed) == ({"discovery_unavailable": 1}, {query.pk: 7})


def test_a_query_fails_as_long_as_its_last_end_is_a_failure():
    broken, mended = make_query({"a": "1"}), make_query({"a": "2"})
    ended(mended, State.FAILED, hours_ago=3, code="discovery_unavailable")
    ended(mended, State.PUBLISHED, hours_ago=2)
    ended(broken, State.PUBLISHED, hours_ago=4)
    ended(broken, State.FAILED, hours_ago=3, code="discovery_rejected")
    ended(broken, State.FAILED, hours_ago=1, code="superseded")
    assert last_day().failing == [RefreshRun.objects.get(reason_code="discovery_rejected").pk]


def test_what_changed_nothing_is_no_change():
    ended(make_query(), State.PUBLISHED, hours_ago=1, added=0, removed=0)
    assert last_day().changed == {}


def test_a_run_that_waited_for_a_day_counts_when_it_ends():
    query = make_query()
    ended(query, State.PUBLISHED, hours_ago=1)
    RefreshRun.objects.update(requested_at=database_now() - timedelta(hours=24, minutes=30))
    assert sum(hour.states.total() for hour in last_day().hours) == 1


def test_a_query_without_catalogs_has_no_age():
    make_query()
    assert older_than(1, 24) == {1: 0, 24: 0}
