"""
Messages that are lost, doubled, late or malformed, and too many beats (P3, P4, P5, P10).

Rows are the work, whatever the broker says.
"""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from kombu.serialization import dumps
from redis import Redis

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.broker.notifications import notify_worker
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.tasks import run_refresh, run_tick
from enterprise_catalog.celery import app
from enterprise_catalog.testing.runs import make_query, requested
from tests.faults.conftest import eventually
from tests.faults.scene import Scene, ends_like_a_clean_run, published_catalog, state_of

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

QUEUE = "enterprise_catalog"


@pytest.fixture
def scene(transactional_db, sandbox) -> Scene:
    return published_catalog(sandbox)


def ask(query: CatalogQuery, *, times: int = 1) -> RefreshRun:
    run = requested(query)
    for _ in range(times):
        assert notify_worker(run_refresh, str(run.pk))
    return run


def is_published(run: RefreshRun) -> bool:
    return state_of(run) == RefreshRun.State.PUBLISHED


def searches(sandbox) -> int:
    return sum(call.page == 1 for call in sandbox.calls("search"))


def put(broker: Redis, body: object, *, task: str = "refresh.run", serializer: str = "json") -> None:
    """Put a message as celery writes it, with any body."""
    content_type, encoding, payload = dumps(body, serializer)
    properties = {"delivery_info": {"exchange": "", "routing_key": QUEUE}, "delivery_tag": task, "priority": 0}
    message = {
        "body": payload if isinstance(payload, str) else payload.decode("latin-1"),
        "content-encoding": encoding,
        "content-type": content_type,
        "headers": {"task": task, "id": f"poison-{task}", "lang": "py", "argsrepr": "", "kwargsrepr": ""},
        "properties": properties,
    }
    broker.lpush(QUEUE, json.dumps(message))


def test_a_notification_is_lost(workers, scene, broker, saw):
    """Redis was flushed: the tick finds the row that waits."""
    run = ask(scene.query)
    broker.flushdb()
    workers.start()
    seconds = eventually(lambda: is_published(run))
    saw(f"published {seconds:.1f} s after the start of a worker", recovery=seconds)
    ends_like_a_clean_run(scene)


def test_a_notification_is_doubled_and_late(workers, scene, sandbox, saw):
    """Two workers, five messages, one more when it is over: one fetch, one publish."""
    run = ask(scene.query, times=5)
    workers.start()
    workers.start()
    eventually(lambda: is_published(run))
    long_ago = database_now() - timedelta(hours=1)
    RefreshRun.objects.filter(pk=run.pk).update(requested_at=long_ago, started_at=long_ago, finished_at=long_ago)
    assert notify_worker(run_refresh, str(run.pk))
    after = ask(make_query({"content_type": "program"}))
    eventually(lambda: is_published(after))
    run.refresh_from_db()
    assert (run.attempts, run.finished_at) == (1, long_ago)
    assert searches(sandbox) == 2
    saw("one search for it, finished once")
    CatalogQuery.objects.filter(pk=after.catalog_query_id).delete()
    ends_like_a_clean_run(scene)


@pytest.mark.thorough
def test_a_message_comes_back_from_a_killed_worker(workers, scene, sandbox, broker, saw):
    """The broker delivers again what a dead worker had taken and not begun, long after the row was done: nothing."""
    other = make_query({"content_type": "program"})
    first = ask(scene.query)
    # Without ticks the next message that it takes, and does not begin, is the second run's.
    worker = workers.start(stop_at="claimed", has_beat=False)
    eventually(workers.stopped_at_its_step)
    second = ask(other)
    eventually(lambda: str(second.pk) in str(broker.hgetall("unacked")))
    workers.kill(worker)
    workers.start()
    eventually(lambda: is_published(first) and is_published(second))
    # The broker gives back what nobody acknowledged when a worker connects for which that is long ago.
    workers.start(stop_at="claimed", VISIBILITY_TIMEOUT="1")
    eventually(lambda: str(second.pk) not in str(broker.hgetall("unacked")))
    again = ask(scene.query)
    eventually(lambda: is_published(again))
    second.refresh_from_db()
    assert (second.attempts, RefreshRun.objects.filter(catalog_query=other).count()) == (1, 1)
    saw("delivered again after its run had ended, which stayed as it was")
    other.delete()
    ends_like_a_clean_run(scene)


def test_what_beat_asks_for_does_not_wait_behind_work(broker):
    """A tick finds the runs of dead workers, whatever else there is to do (P5)."""
    for _ in range(5):
        run_refresh.delay(str(uuid4()))
    run_tick.delay()
    with app.connection_for_read() as connection, connection.SimpleQueue(QUEUE) as waiting:
        assert waiting.get(timeout=5).headers["task"] == run_tick.name


def test_poison_messages(workers, scene, broker, saw):
    """Each costs itself: the worker lives, and the run that waits behind them is done."""
    for body in ([[], {}, {}], [["no uuid"], {}, {}], [[1, 2], {"surplus": 1}, {}], "no list", None, {"a": 1}):
        put(broker, body)
    put(broker, [["x"], {}, {}], task="refresh.of_a_later_version")
    put(broker, [["x"], {}, {}], serializer="yaml")
    run = ask(scene.query)
    # Nothing but messages tells this worker that there is work.
    worker = workers.start(has_beat=False)
    eventually(lambda: is_published(run) and broker.llen(QUEUE) == 0)
    again = ask(scene.query)
    eventually(lambda: is_published(again))
    assert worker.poll() is None
    saw("published by the same worker, twice")
    ends_like_a_clean_run(scene)


@pytest.mark.thorough
def test_ten_beats(workers, scene, saw):
    """A query that is due gets one run, however many look."""
    CatalogQuery.objects.update(refreshed_at=database_now() - timedelta(hours=22))
    for _ in range(10):
        workers.start_beat()
    workers.start()
    eventually(lambda: RefreshRun.objects.filter(state=RefreshRun.State.PUBLISHED).count() == 2)
    eventually(lambda: workers.ticks_sent() >= 30)
    assert RefreshRun.objects.count() == 2
    saw(f"{workers.ticks_sent()} ticks were sent, one run")
    ends_like_a_clean_run(scene)
