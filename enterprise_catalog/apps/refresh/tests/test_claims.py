"""At most one waiting and one running run per query; dead workers and lost leases (P4, P5, REFR-3, RUN-2)."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import claim_runs, fail, recover_expired_leases, release, renew
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.queue.leases import LeaseLost
from enterprise_catalog.testing.runs import claimed, expire, make_query, requested

pytestmark = pytest.mark.django_db


def test_requests_join_the_waiting_run():  # REFR-3
    query = make_query()
    assert requested(query).pk == requested(query).pk == RefreshRun.objects.get().pk
    assert RefreshRun.objects.get().requests == 2


def test_a_request_while_one_runs_gets_a_new_waiting_run():
    """The run that is returned has not begun fetching (REFR-1)."""
    query = make_query()
    running = claimed(query)
    waiting = requested(query)
    assert waiting.pk != running.run_uuid
    assert waiting.state == RefreshRun.State.QUEUED
    assert requested(query).pk == waiting.pk


def test_a_forced_request_forces_the_run_it_joins():
    query = make_query()
    requested(query)
    run = enqueue_run(query=query, trigger="operator", forced=True)
    assert run.forced
    assert requested(query).forced


def test_the_database_itself_refuses_a_second_running_run():
    """True whatever processes do (P4)."""
    query = make_query()
    claimed(query)
    waiting = requested(query)
    with pytest.raises(IntegrityError), transaction.atomic():
        RefreshRun.objects.filter(pk=waiting.pk).update(running_for=query.pk)


def test_a_run_is_claimed_once():
    run = requested(make_query())
    assert claim_runs(run.pk)
    assert claim_runs(run.pk) == []


def test_a_run_waits_while_its_query_is_being_refreshed():
    query = make_query()
    running = claimed(query)
    waiting = requested(query)
    assert claim_runs(waiting.pk) == []
    fail(running, code="discovery_unavailable", detail="down")
    assert [claim.run_uuid for claim in claim_runs(waiting.pk)] == [waiting.pk]


def test_an_unknown_run_is_not_claimed():
    assert claim_runs(uuid.uuid4()) == []


def test_equal_searches_that_wait_are_claimed_together():  # REFR-3, HASH-2
    one = requested(make_query({"content_type": "course", "key": ["b", "a"]}))
    other = requested(make_query({"key": ["a", "b", "a"], "content_type": ["course"]}))
    different = requested(make_query({"content_type": "program"}))
    assert {claim.run_uuid for claim in claim_runs(one.pk)} == {one.pk, other.pk}
    different.refresh_from_db()
    assert different.state == RefreshRun.State.QUEUED


def test_a_claim_counts_the_attempt_and_increases_the_fence():
    query = make_query()
    claim = claimed(query)
    release(claim)
    (again,) = claim_runs(claim.run_uuid)
    run = RefreshRun.objects.get()
    assert (again.fence, run.attempts) == (claim.fence + 1, 2)


def test_a_worker_that_lost_its_lease_can_neither_renew_nor_end_the_run():
    """Its fence is old, so its statements change nothing (P5)."""
    query = make_query()
    lost_claim = claimed(query)
    expire(lost_claim)
    recover_expired_leases()
    (owner,) = claim_runs(lost_claim.run_uuid)
    with pytest.raises(LeaseLost):
        renew([lost_claim])
    fail(lost_claim, code="internal_error", detail="too late")
    release(lost_claim)
    renew([owner])
    assert RefreshRun.objects.get().state == RefreshRun.State.RUNNING


def test_a_lease_that_has_not_expired_is_not_recovered():
    claimed(make_query())
    assert recover_expired_leases() == []
    assert RefreshRun.objects.get().state == RefreshRun.State.RUNNING


def test_a_dead_workers_run_waits_again():  # RUN-2
    claim = claimed(make_query())
    expire(claim)
    assert recover_expired_leases() == [claim.run_uuid]
    assert RefreshRun.objects.get().state == RefreshRun.State.QUEUED


def test_a_dead_workers_run_gives_way_to_a_newer_one():
    """It ends as superseded, so that at most one run waits (RUN-2)."""
    query = make_query()
    claim = claimed(query)
    waiting = requested(query)
    expire(claim)
    assert recover_expired_leases() == []
    lost = RefreshRun.objects.get(pk=claim.run_uuid)
    assert (lost.state, lost.reason_code) == (RefreshRun.State.FAILED, "superseded")
    assert claim_runs(waiting.pk)


def test_a_run_that_keeps_killing_its_workers_ends(settings):  # P10
    settings.REFRESH_MAX_LOST_WORKERS = 1
    claim = claimed(make_query())
    expire(claim)
    recover_expired_leases()
    run = RefreshRun.objects.get()
    assert (run.state, run.reason_code) == (RefreshRun.State.FAILED, "internal_error")
    assert run.finished_at is not None
