"""
Messages that versions side by side send each other over one broker (P4, P5, P10).

They are recorded from the wire, not written by today's code. tests/contract/test_rolling_deploy.py pins the names.
"""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from enterprise_catalog.apps.core.broker.notifications import notify_worker
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.tasks import run_refresh
from enterprise_catalog.testing.runs import make_query, requested
from tests.faults.conftest import eventually
from tests.faults.scene import state_of

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

QUEUE = "enterprise_catalog"
# What comes after the rest of the queue, in kombu's own name for it: every version takes from both lists.
AFTER_BEAT = f"{QUEUE}\x06\x166"
NO_CALLBACKS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def send(broker: Redis, task: str, arguments: list[Any], named: dict[str, Any] | None = None) -> None:
    """Put a message of celery's protocol 2 into Redis as kombu does, with the fields that a first release wrote."""
    body = json.dumps([arguments, named or {}, NO_CALLBACKS])
    identity = str(uuid4())
    headers: dict[str, Any] = {
        "lang": "py",
        "task": task,
        "id": identity,
        "root_id": identity,
        "parent_id": None,
        "group": None,
        "shadow": None,
        "eta": None,
        "expires": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": repr(tuple(arguments)),
        "kwargsrepr": repr(named or {}),
        "origin": "gen1@before",
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamps": {},
    }
    properties = {
        "correlation_id": identity,
        "reply_to": str(uuid4()),
        "delivery_mode": 2,
        "priority": 0,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "delivery_tag": str(uuid4()),
        "body_encoding": "base64",
    }
    message = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
    broker.lpush(QUEUE, json.dumps(message))


def test_what_is_sent_is_what_the_version_before_reads(broker):
    """One argument, the run's uuid as text; nothing named (P10)."""
    assert notify_worker(run_refresh, "0b8c8f0e-4a3c-4a0d-9b1a-2f7d5f3c9e11")
    (raw,) = broker.lrange(AFTER_BEAT, 0, -1)
    message = json.loads(raw)
    body = json.loads(base64.b64decode(message["body"]))
    assert (message["content-type"], message["headers"]["task"]) == ("application/json", "refresh.run")
    assert body == [["0b8c8f0e-4a3c-4a0d-9b1a-2f7d5f3c9e11"], {}, NO_CALLBACKS]


def test_messages_of_other_versions(workers, broker, saw):
    """The version before is understood; what a later one says costs itself, and the same worker goes on."""
    run = requested(make_query())
    send(broker, "refresh.run", [str(run.pk)])
    # Nothing but messages tells this worker that there is work.
    worker = workers.start(has_beat=False)
    eventually(lambda: state_of(run) == RefreshRun.State.PUBLISHED)
    send(broker, "refresh.of_a_later_version", [str(run.pk)])
    send(broker, "refresh.run", [str(run.pk), "more"])
    send(broker, "refresh.run", [str(run.pk)], {"urgent": True})
    send(broker, "refresh.tick", ["of one query"])
    send(broker, "customers.sync_customer", ["customer:7"])
    after = requested(make_query({"content_type": "program"}))
    # What a run is called is for the later version to say: the row that waits is what counts.
    send(broker, "refresh.run", ["run:7"])
    eventually(lambda: state_of(after) == RefreshRun.State.PUBLISHED)
    assert (worker.poll(), broker.llen(QUEUE)) == (None, 0)
    # As docs/operations.rst says; its log may come a moment later than its rows.
    eventually(lambda: workers.log_of(worker).count("raised unexpected") == 4)
    assert workers.log_of(worker).count("Received unregistered task") == 1
    saw("published by the same worker, before and after")
