"""Publishing, holding and deciding (REFR-5..10, CHG-2, P1, P2)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.models import CatalogContentChange, CatalogQuery
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import NoLongerHeld, approve_held, publish_or_hold, reject_held
from enterprise_catalog.apps.refresh.pipeline.publishing import FilterChanged
from enterprise_catalog.apps.refresh.queue.claims import recover_expired_leases
from enterprise_catalog.apps.refresh.queue.leases import LeaseLost
from enterprise_catalog.testing.runs import claimed, expire, keys, make_query, members, store_keys

pytestmark = pytest.mark.django_db

COUNTS = {"fetched": 0, "skipped": 0, "quarantined": 0}


@pytest.fixture
def query():
    return make_query()


def publish(query, content_keys):
    store_keys(content_keys)
    claim = claimed(query)
    state = publish_or_hold(claim=claim, content_keys=content_keys, counts=COUNTS)
    query.refresh_from_db()
    return RefreshRun.objects.get(pk=claim.run_uuid), state


def test_the_first_publish_lists_everything_as_added(query):  # CHG-2, RUN-1
    run, state = publish(query, keys(3))
    assert state == RefreshRun.State.PUBLISHED
    assert members(query) == keys(3)
    assert run.counts | COUNTS == {**COUNTS, "added": 3, "removed": 0, "total": 3}
    changes = CatalogContentChange.objects.values_list("content_key", "change", "refresh_run_uuid")
    assert list(changes) == [(key, "added", run.pk) for key in keys(3)]
    assert (query.member_count, query.generation) == (3, 1)
    assert query.refreshed_at is not None


def test_a_publish_writes_the_difference_only(query):
    publish(query, ["a", "b"])
    run, _ = publish(query, ["b", "c"])
    changes = CatalogContentChange.objects.filter(refresh_run_uuid=run.pk).values_list("content_key", "change")
    assert sorted(changes) == [("a", "removed"), ("c", "added")]
    assert members(query) == ["b", "c"]


def test_nothing_new_writes_no_membership_and_keeps_the_generation(query):
    """A refresh that finds nothing new writes zero membership rows."""
    publish(query, keys(3))
    claim = claimed(query)
    with CaptureQueriesContext(connection) as statements:
        publish_or_hold(claim=claim, content_keys=keys(3), counts=COUNTS)
    written = [query["sql"] for query in statements.captured_queries if not query["sql"].startswith("SELECT")]
    assert not [sql for sql in written if "catalog_catalogcontent" in sql]
    before = query.generation
    query.refresh_from_db()
    assert query.generation == before


def test_an_empty_result_empties_a_small_catalog(query):  # REFR-8
    publish(query, keys(3))
    publish(query, [])
    assert members(query) == []
    assert query.content_modified is None


def test_a_result_for_an_old_filter_is_refused(query):  # REFR-5
    store_keys(keys(1))
    claim = claimed(query)
    CatalogQuery.objects.filter(pk=query.pk).update(content_filter_hash="0" * 32)
    with pytest.raises(FilterChanged):
        publish_or_hold(claim=claim, content_keys=keys(1), counts=COUNTS)
    assert members(query) == []
    assert RefreshRun.objects.get().state == RefreshRun.State.RUNNING


def test_a_worker_that_lost_its_lease_cannot_publish(query):  # P5
    store_keys(keys(1))
    lost_claim = claimed(query)
    expire(lost_claim)
    recover_expired_leases()
    with pytest.raises(LeaseLost):
        publish_or_hold(claim=lost_claim, content_keys=keys(1), counts=COUNTS)
    assert members(query) == []


def test_losing_more_than_half_is_held(query):  # REFR-9, P1
    publish(query, keys(10))
    run, state = publish(query, keys(4))
    assert state == RefreshRun.State.HELD
    assert (run.reason_code, run.running_for) == ("guard_shrink", None)
    assert members(query) == keys(10)


@pytest.mark.parametrize(("before", "after"), [(9, 0), (10, 5), (10, 50)])
def test_the_guard_lets_ordinary_changes_through(query, before, after):
    """Below 10 members the guard is off; exactly half, or exactly five times, is allowed (REFR-9)."""
    publish(query, keys(before))
    _, state = publish(query, keys(after))
    assert state == RefreshRun.State.PUBLISHED


def test_growing_more_than_fivefold_is_held(query):  # REFR-9
    publish(query, keys(10))
    run, _ = publish(query, keys(51))
    assert (run.state, run.reason_code) == (RefreshRun.State.HELD, "guard_growth")


def test_the_guard_is_off_when_the_filter_changed(query):  # REFR-9
    publish(query, keys(10))
    CatalogQuery.objects.filter(pk=query.pk).update(content_filter_hash="1" * 32)
    _, state = publish(query, [])
    assert state == RefreshRun.State.PUBLISHED


EMPTY_VALUES: list[Any] = [[], "", [" "], ["", None], None, [{}]]


def change_filter(query, content_filter):
    """Give the query another filter, which a later publish is the first to use."""
    CatalogQuery.objects.filter(pk=query.pk).update(
        content_filter=content_filter, content_filter_hash=content_filter_hash(content_filter)
    )


@pytest.mark.parametrize("empty", EMPTY_VALUES)
@pytest.mark.parametrize(
    ("before", "after", "state", "reason"),
    [
        (0, 20, "published", ""),
        (0, 21, "held", "guard_growth"),
        (3, 15, "published", ""),
        (3, 16, "held", "guard_growth"),
        (10, 5, "published", ""),
        (10, 4, "held", "guard_shrink"),
        (9, 0, "published", ""),
    ],
)
def test_a_changed_filter_with_an_empty_value_is_guarded(
    query, settings, empty, before, after, state, reason
):  # REFR-9
    settings.GUARD_MAX_FIRST_ITEMS = 20
    publish(query, keys(before))
    change_filter(query, {"content_type": "course", "key": empty})
    run, _ = publish(query, keys(after))
    assert (run.state, run.reason_code) == (state, reason)
    assert members(query) == keys(after if state == "published" else before)


@pytest.mark.parametrize(("found", "state"), [(1000, "published"), (1001, "held")])
def test_a_first_publish_of_a_filter_with_an_empty_value_is_guarded(found, state, settings):  # REFR-9
    query = make_query({"content_type": "course", "key": []})
    run, _ = publish(query, keys(found))
    assert run.state == state
    settings.GUARD_MAX_FIRST_ITEMS = found
    run, _ = publish(query, keys(found))
    assert run.state == "published"


def test_a_flood_may_be_approved_and_the_usual_guard_holds_from_then_on(query):  # REFR-9, REFR-10
    change_filter(query, {"key": []})
    run, _ = publish(query, keys(1001))
    approve_held(run.pk)
    assert members(query) == sorted(keys(1001))
    _, state = publish(query, keys(1002))
    assert state == RefreshRun.State.PUBLISHED


def test_approving_publishes_exactly_the_held_set(query):  # REFR-10
    publish(query, keys(10))
    run, _ = publish(query, keys(2))
    approve_held(run.pk)
    run.refresh_from_db()
    assert run.state == RefreshRun.State.PUBLISHED
    assert run.counts["total"] == 2
    assert members(query) == keys(2)


def test_rejecting_keeps_the_old_set(query):  # REFR-10
    publish(query, keys(10))
    run, _ = publish(query, keys(2))
    reject_held(run.pk)
    run.refresh_from_db()
    assert (run.state, run.reason_code) == (RefreshRun.State.FAILED, "rejected")
    assert members(query) == keys(10)
    with pytest.raises(NoLongerHeld):
        approve_held(run.pk)


def test_a_held_set_is_not_approved_after_the_filter_changed(query):  # REFR-10
    publish(query, keys(10))
    run, _ = publish(query, keys(2))
    CatalogQuery.objects.filter(pk=query.pk).update(content_filter_hash="2" * 32)
    with pytest.raises(NoLongerHeld):
        approve_held(run.pk)
    assert members(query) == keys(10)


def test_a_newer_held_run_supersedes_but_keeps_the_date_of_the_same_set(query):  # REFR-10
    publish(query, keys(10))
    first, _ = publish(query, keys(2))
    held_since = first.held_since
    second, _ = publish(query, keys(2))
    first.refresh_from_db()
    assert (first.state, first.reason_code) == (RefreshRun.State.FAILED, "superseded")
    assert second.held_since == held_since
    third, _ = publish(query, keys(1))
    assert third.held_since > second.held_since


def test_a_change_that_persists_is_published_without_a_human(query, settings):
    """It was first held 20 hours ago (REFR-10)."""
    publish(query, keys(10))
    first, _ = publish(query, keys(2))
    since = database_now() - timedelta(hours=settings.GUARD_REPEAT_HOURS)
    RefreshRun.objects.filter(pk=first.pk).update(held_since=since)
    _, state = publish(query, keys(2))
    assert state == RefreshRun.State.PUBLISHED
    first.refresh_from_db()
    assert first.reason_code == "superseded"


def test_a_different_set_after_the_time_is_held_again(query, settings):  # REFR-10
    publish(query, keys(10))
    first, _ = publish(query, keys(2))
    since = database_now() - timedelta(hours=settings.GUARD_REPEAT_HOURS)
    RefreshRun.objects.filter(pk=first.pk).update(held_since=since)
    _, state = publish(query, keys(3))
    assert state == RefreshRun.State.HELD


def test_a_publish_supersedes_the_held_run(query):  # REFR-3
    publish(query, keys(10))
    held, _ = publish(query, keys(2))
    publish(query, keys(9))
    held.refresh_from_db()
    assert (held.state, held.reason_code) == (RefreshRun.State.FAILED, "superseded")
