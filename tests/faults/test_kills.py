"""Workers on MariaDB and Redis, really killed, stopped and frozen at each step of a refresh (P1, P2, P5, P10)."""

import signal
import time
from datetime import timedelta

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.broker.notifications import notify_worker
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.tasks import run_refresh
from enterprise_catalog.testing.runs import requested
from scripts.processes import signal_group
from tests.faults.conftest import Workers, eventually
from tests.faults.scene import Scene, ends_like_a_clean_run, published_catalog, state_of
from tests.faults.stepping import STEPS
from tests.outcome_lines import Saw

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

BEFORE_COMMIT = [step for step in STEPS if step != "committed"]
BEFORE_TRANSACTION = [step for step in BEFORE_COMMIT if step != "published, not committed"]
LONGER_THAN_A_LEASE = 5
# A refresh is killed here in each `make test`; at all of them in `make faults`.
CORE = {"claimed", "stored in part", "published, not committed"}


def each(steps, *, core=frozenset()):
    return [pytest.param(step, marks=() if step in core else pytest.mark.thorough) for step in steps]


@pytest.fixture
def scene(transactional_db, sandbox) -> Scene:
    return published_catalog(sandbox)


def ask(scene: Scene) -> RefreshRun:
    run = requested(scene.query)
    assert notify_worker(run_refresh, str(run.pk))
    return run


def is_published(run: RefreshRun) -> bool:
    return state_of(run) == RefreshRun.State.PUBLISHED


def ends_in_its_second_attempt(run: RefreshRun, scene: Scene, saw: Saw) -> None:
    seconds = eventually(lambda: is_published(run))
    run.refresh_from_db()
    assert (run.attempts, run.lost_workers) == (2, 1)
    saw(f"published {seconds:.1f} s later, second attempt", recovery=seconds)
    ends_like_a_clean_run(scene)


def worker_at(step: str, workers: Workers):
    worker = workers.start(stop_at=step)
    eventually(workers.stopped_at_its_step)
    return worker


@pytest.mark.parametrize("step", each(BEFORE_COMMIT, core=CORE))
def test_the_whole_worker_is_killed(step, workers, scene, saw):
    """Readers keep the old set; another worker publishes the new one, once."""
    run = ask(scene)
    worker = worker_at(step, workers)
    workers.kill(worker)
    assert (state_of(run), scene.shown()) == (RefreshRun.State.RUNNING, scene.before)
    workers.start()
    ends_in_its_second_attempt(run, scene, saw)


@pytest.mark.parametrize("step", each(BEFORE_COMMIT, core={"fetched"}))
def test_the_pools_child_is_killed(step, workers, scene, saw):
    """Readers keep the old set; the same worker's next child publishes the new one, once."""
    run = ask(scene)
    worker_at(step, workers)
    workers.kill_child()
    assert scene.shown() == scene.before
    ends_in_its_second_attempt(run, scene, saw)


@pytest.mark.thorough
def test_all_children_of_a_pool_are_killed(workers, scene, saw):
    """One at work, one idle, both at once: readers keep the old set; the pool's next children publish the new one."""
    run = ask(scene)
    worker = workers.start(stop_at="fetched", concurrency=2)
    eventually(workers.stopped_at_its_step)
    assert workers.kill_children(worker) == 3
    workers.start_beat()
    assert scene.shown() == scene.before
    ends_in_its_second_attempt(run, scene, saw)


@pytest.mark.thorough
@pytest.mark.parametrize("whom", ["the whole worker", "the pool's child"])
def test_killed_after_the_commit(whom, workers, scene, saw):
    """What was published stays published, and is not done again."""
    run = ask(scene)
    worker = worker_at("committed", workers)
    assert (state_of(run), scene.shown()) == (RefreshRun.State.PUBLISHED, scene.after)
    if whom == "the whole worker":
        workers.kill(worker)
        workers.start()
    else:
        workers.kill_child()
    again = ask(scene)
    eventually(lambda: is_published(again))
    run.refresh_from_db()
    assert (run.attempts, run.lost_workers, RefreshRun.objects.filter(attempts=1).count()) == (1, 0, 3)
    saw("published once; the next run found nothing new")
    ends_like_a_clean_run(scene)


def test_killed_in_the_middle_of_a_page(workers, scene, sandbox, saw):
    """Readers keep the old set; another worker publishes the new one, once."""
    fault = sandbox.add_fault(endpoint="search", page=2, delay=30, times=1)
    run = ask(scene)
    worker = workers.start()
    eventually(lambda: sandbox.fault_applied(fault) == 1)
    workers.kill(worker)
    assert (state_of(run), scene.shown()) == (RefreshRun.State.RUNNING, scene.before)
    workers.start()
    seconds = eventually(lambda: is_published(run))
    run.refresh_from_db()
    assert run.attempts == 2
    saw(f"published {seconds:.1f} s later, second attempt", recovery=seconds)
    ends_like_a_clean_run(scene)


@pytest.mark.parametrize("step", each(BEFORE_TRANSACTION, core={"about to publish"}))
def test_frozen_past_its_lease_and_woken(step, workers, scene, saw):
    """Another worker publishes; the one that wakes up finds its fence old and writes nothing."""
    run = ask(scene)
    zombie = worker_at(step, workers)
    signal_group(zombie, signal.SIGSTOP)
    workers.start()
    seconds = eventually(lambda: is_published(run))
    run.refresh_from_db()
    published = run.finished_at, run.fence
    workers.let_go()
    signal_group(zombie, signal.SIGCONT)
    eventually(lambda: "refresh_lease_lost" in workers.log_of(zombie))
    run.refresh_from_db()
    assert (run.state, run.finished_at, run.fence) == (RefreshRun.State.PUBLISHED, *published)
    saw(f"published {seconds:.1f} s later by the other; the zombie was refused", recovery=seconds)
    ends_like_a_clean_run(scene)


@pytest.mark.thorough
def test_frozen_inside_the_publishing_transaction_and_woken(workers, scene, saw):
    """The row is locked as long as it sleeps, so nobody takes its run; when it wakes up it publishes, once."""
    run = ask(scene)
    sleeper = worker_at("published, not committed", workers)
    signal_group(sleeper, signal.SIGSTOP)
    workers.start()
    time.sleep(LONGER_THAN_A_LEASE)
    assert scene.shown() == scene.before
    workers.let_go()
    signal_group(sleeper, signal.SIGCONT)
    eventually(lambda: is_published(run))
    run.refresh_from_db()
    assert (run.attempts, run.fence) == (1, 1)
    saw("published in the first attempt")
    ends_like_a_clean_run(scene)


def test_stopped_politely(workers, scene, sandbox, saw):
    """A deploy: the worker finishes its refresh, takes no other, and ends with 0."""
    fault = sandbox.add_fault(endpoint="search", page=2, delay=2, times=1)
    run = ask(scene)
    worker = workers.start()
    eventually(lambda: sandbox.fault_applied(fault) == 1)
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RefreshRun.State.PUBLISHED, 1)
    saw("published in the first attempt, exit code 0")
    ends_like_a_clean_run(scene)


@pytest.mark.parametrize("offset", [pytest.param("+2h", marks=pytest.mark.thorough), "-2h"])
def test_a_workers_clock_is_two_hours_off(offset, workers, scene, sandbox, saw):
    """The database's clock decides: leases of the living are kept, those of the dead end, and moments are right."""
    wrong = ("faketime", "-f", offset)
    keeps_real = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    hanging = sandbox.add_fault(endpoint="search", delay=30, times=1)
    run = ask(scene)
    doomed = workers.start(by=wrong, **keeps_real)
    eventually(lambda: sandbox.fault_applied(hanging) == 1)
    workers.kill(doomed)
    # Slow as a whole; each call is shorter than a lease.
    slow = sandbox.add_fault(endpoint="search", delay=1.5)
    workers.start(by=wrong, **keeps_real)
    workers.start()
    eventually(lambda: is_published(run))
    run.refresh_from_db()
    assert sandbox.fault_applied(slow) > 3
    assert (run.attempts, run.lost_workers) == (2, 1)
    assert abs(run.finished_at - database_now()) < timedelta(minutes=2)
    refreshed_at = CatalogQuery.objects.get(pk=scene.query.pk).refreshed_at
    assert abs(refreshed_at - database_now()) < timedelta(minutes=2)
    saw("the dead one's run done by another, the living one's left alone")
    ends_like_a_clean_run(scene)


@pytest.mark.thorough
def test_recovery_takes_less_than_two_minutes(workers, scene, saw):
    """With production's lease and tick, a worker dies right after it took its lease, the worst time (P5)."""
    run = ask(scene)
    production = {"LEASE_SECONDS": "60", "TICK_SECONDS": "30"}
    worker = workers.start(stop_at="claimed", **production)
    eventually(workers.stopped_at_its_step)
    workers.kill(worker)
    workers.start(**production)
    seconds = eventually(lambda: is_published(run), patience=120)
    saw(f"published {seconds:.0f} s after the kill", recovery=seconds)
    ends_like_a_clean_run(scene)
