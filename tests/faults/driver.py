"""
Drive the service step by step beside the model, and compare every answer, claim and end of a run.

`tests.faults.test_model` decides what happens.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import orjson
import pytest
from django.apps import apps
from django.db import connection
from django.db.models import F
from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import CatalogContentKey
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.callers import client_for
from enterprise_catalog.testing.catalogs import CATALOGS
from tests.contract.query_model import Query
from tests.faults.clock import let_time_pass
from tests.faults.content import ALL_KEYS, COURSES, FILTERS, Content, contained, listed
from tests.faults.model import ENDED, Keys, Refused, Run, ServiceModel
from tests.faults.plans import ACME, CALLERS, GLOBEX, NAMES, UUIDS, Trouble, Worker
from tests.faults.steps import Killed, dying_at_statement


class Driver:
    """Drives one service, starting from an empty database."""

    # What came up, of all drivers together.
    events: ClassVar[Counter[str]] = Counter()

    def __init__(self, sandbox: Sandbox) -> None:
        empty_database()
        sandbox.clear_faults()
        self.sandbox = sandbox
        self.content = Content(sandbox)
        self.content.become(set(range(COURSES - 2)))
        self.model = ServiceModel()
        self.clients = {name: client_for(name, role) for name, (role, _) in CALLERS.items()}
        # The one that works now is the last; the others are frozen.
        self.workers: list[Worker] = []
        # What was found wrong in the middle of a refresh.
        self.contradiction: Exception | None = None

    # --- Callers ------------------------------------------------------------------------------------------------------

    def save(self, name: str, method: str, catalog: int, content_filter: int, query_uuid: str) -> None:
        uuid, caller = UUIDS[catalog], CALLERS[name][1]
        body = self.body(name, uuid, content_filter, query_uuid)
        others = {it: self.model.shown_by(it) for it in self.model.catalogs if not self.reaches(name, it)}
        url = CATALOGS if method == "post" else f"{CATALOGS}{uuid}/"
        response = getattr(self.clients[name], method)(url, body | {"uuid": uuid} if method == "post" else body)
        (status, expected), query = self.model.save(caller, method, uuid, body)
        answer = response.json()
        if status in (200, 201):
            self.learn_uuid(self.model.catalogs[uuid].query, answer)
            expected["catalog_query_uuid"] = self.model.catalogs[uuid].query.uuid
            answer = {key: answer[key] for key in expected}
            run_uuid = response.headers.get("X-Refresh-Run")
            assert (run_uuid is not None) == (query is not None), "a refresh was started, or was not"
            if query is not None:
                self.model.request(query, run_uuid, by_operator=name == "operator")
        assert (response.status_code, answer) == (status, expected)
        assert {it: self.model.shown_by(it) for it in others} == others, "P8"

    def body(self, name: str, uuid: str, content_filter: int, query_uuid: str) -> dict[str, Any]:
        catalog = self.model.catalogs.get(uuid)
        body: dict[str, Any] = {
            "title": "A catalog",
            "enterprise_customer": GLOBEX if name == "globex" else ACME,
            "enterprise_customer_name": "A customer",
            "enabled_course_modes": ["verified"],
            "publish_audit_enrollment_urls": False,
        }
        if catalog:
            body |= catalog.values
        body["content_filter"] = FILTERS[content_filter]
        queries = self.model.queries
        if query_uuid == "attached" and catalog:
            body["catalog_query_uuid"] = catalog.query.uuid
        elif query_uuid == "other" and queries:
            body["catalog_query_uuid"] = queries[content_filter % len(queries)].uuid
        elif query_uuid.isdigit():
            body["catalog_query_uuid"] = NAMES[int(query_uuid)]
        return body

    def learn_uuid(self, query: Query, answer: dict[str, Any]) -> None:
        if query.uuid is None:
            query.uuid = answer["catalog_query_uuid"]
            assert [it.uuid for it in self.model.queries].count(query.uuid) == 1

    def reaches(self, name: str, uuid: str) -> bool:
        return CALLERS[name][1].reaches(self.model.catalogs[uuid].values["enterprise_customer"])

    def decide(self, decision: str, runs: list[Run], which: int) -> None:
        """Approve or reject a run, which operators may and a customer's admin may not."""
        run = runs[which % len(runs)]
        path = f"/api/v1/refresh-runs/{run.uuid}/{decision}/"
        assert self.clients["acme"].post(path).status_code == 403
        decided = getattr(self.model, decision)(run)
        assert self.clients["operator"].post(path).status_code == (200 if decided else 409)
        self.events[f"{decision}: {'done' if decided else 'refused'}"] += 1

    # --- Workers, and time --------------------------------------------------------------------------------------------

    def pass_time(self, minutes: int) -> None:
        """Make everything that happened older."""
        self.model.now += minutes
        let_time_pass(minutes)

    def a_run(self, which: int) -> Run:
        """Return a waiting run, or request one as an operator."""
        uuids, due = sorted(self.model.catalogs), self.model.due()
        if which % 2 == 0 and due:
            return due[which // 2 % len(due)]
        query = self.model.catalogs[uuids[which % len(uuids)]].query
        path = f"{CATALOGS}{uuids[which % len(uuids)]}/refresh_metadata/"
        self.model.request(query, self.clients["operator"].post(path).json()["async_task_id"], by_operator=True)
        return self.model.of(query, "queued")[0]

    def tick(self) -> list[Run]:
        told = tick()
        due = self.model.tick()
        known = {run.uuid for run in self.model.runs}
        stored = RefreshRun.objects.values_list("uuid", "catalog_query_uuid", "trigger")
        new = {str(query): str(uuid) for uuid, query, trigger in stored if str(uuid) not in known}
        assert new.keys() == {query.uuid for query in due}, "P3: what is due gets a run, and nothing else does"
        for query in due:
            self.model.request(query, new[str(query.uuid)], by_operator=True)
        assert {str(uuid) for uuid in told} == {run.uuid for run in self.model.announce()}
        return [run for run in self.model.runs if UUID(run.uuid) in told]

    def work(self, run: Run, worker: Worker, trouble: Trouble | None = None) -> None:
        """Call `refresh` once, and check what became of the claimed runs."""
        before = self.bodies() if trouble else {}
        number = self.sandbox.add_fault(**trouble.fault) if trouble else 0
        kind, (step, nth), _ = worker.event
        self.workers.append(worker)
        died, waiting = False, []
        try:
            with dying_at_statement(nth if (kind, step) == ("dies", "statement") else 0):
                waiting = refresh(UUID(run.uuid))
        except Killed:
            died = True
        finally:
            self.workers.pop()
            self.sandbox.clear_faults()
        if self.contradiction:
            raise self.contradiction
        self.events["killed"] += died
        self.events["workers"] += 1
        if died and not worker.claims:
            self.notice_claims(run, worker)
        reason = self.reason_of(trouble, number, worker) if trouble and worker.runs else ""
        self.settle(worker, reason, died=died)
        if not died:
            queries = [run.query for run in worker.runs if run.query]
            expected = {it.uuid for it in self.model.due() if it.query in queries}
            assert {str(uuid) for uuid in waiting} == expected
        if reason:
            assert self.bodies() == before, "P1"

    def reason_of(self, trouble: Trouble, number: int, worker: Worker) -> str:
        """Return the reason for which the fetch must have failed, or None."""
        found = self.content.found_by(worker.runs[0].content_filter)
        return trouble.reason if self.sandbox.fault_applied(number) and len(found) >= trouble.least else ""

    def notice_claims(self, run: Run, worker: Worker) -> None:
        """Accept that a worker which died while claiming has claimed some runs, each completely or not at all."""
        running = {str(uuid) for uuid in RefreshRun.objects.filter(state="running").values_list("uuid", flat=True)}
        claimed = running - {it.uuid for it in self.model.runs if it.state == "running"}
        before = {it: (it.lease_until, it.content_filter) for it in self.model.runs}
        for it in self.model.claim(run, worker):
            if it.uuid not in claimed:
                it.state, (it.lease_until, it.content_filter) = "queued", before[it]
        worker.runs = [it for it in self.model.runs if it.owned_by(worker)]
        assert {it.uuid for it in worker.runs} == claimed

    def settle(self, worker: Worker, reason: str, *, died: bool) -> None:
        """Check claimed runs that were not published or held: failed, waiting, left running, or claimed by others."""
        lost = [
            run
            for run in worker.runs
            if run.owner is not worker or (not run.owned_by(worker) and run.state not in ENDED)
        ]
        for run in [run for run in worker.runs if run.owned_by(worker)]:
            why = worker.refused.get(run, reason)
            if died and self.stored_state(run) == "running":
                continue
            if why == "postponed":
                run.lost_workers = 0
                self.model.requeue(run, not_before=self.model.now + 10)
            elif why:
                self.model.end(run, "failed", why)
            else:
                assert lost, "a worker ends, or gives back, all that it claimed"
                self.model.requeue(run)
            self.events[why or "given back"] += 1
        self.events["zombie"] += bool(lost)

    def stored_state(self, run: Run) -> str:
        return RefreshRun.objects.values_list("state", flat=True).get(pk=run.uuid)

    # --- Inside a refresh ---------------------------------------------------------------------------------------------

    def at(self, step: str, *facts: Any) -> None:
        if not self.workers:
            # An operator approves, and publishes like a worker.
            return
        try:
            self.at_work(self.workers[-1], step, *facts)
        except Exception as error:
            # The service would take it for a failure of its own, and go on.
            self.contradiction = error
            raise Killed from error

    def at_work(self, worker: Worker, step: str, *facts: Any) -> None:
        worker.seen[step] += 1
        if step == "claimed":
            self.claimed(worker, *facts)
        elif step == "fetched":
            # Nothing changes discovery meanwhile.
            worker.found = self.content.found_by(worker.runs[0].content_filter)
        elif step == "published":
            self.published(worker, *facts)
        elif step == "refused":
            self.refused(worker, *facts)
            return
        if step != "written":
            self.check_members()
        elif connection.vendor == "mysql":
            # P2: what others see of a transaction that is not over. An in-memory database has no others.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(self.check_members_apart).result()
        kind, when, how = worker.event
        if when == (step, worker.seen[step]) and worker.runs:
            self.happen(worker, kind, step, how)

    def happen(self, worker: Worker, kind: str, step: str, how: Any) -> None:
        self.events[f"{kind} at {step}"] += 1
        if kind == "dies":
            raise Killed
        if kind == "rewrite":
            users = [uuid for uuid, it in self.model.catalogs.items() if it.query is worker.runs[0].query]
            if users:
                self.save("operator", "patch", UUIDS.index(users[0]), how, "attached")
        elif kind != "nothing":
            self.lose(worker, kind, first_only=how)

    def lose(self, worker: Worker, kind: str, *, first_only: bool) -> None:
        """Freeze the worker until its leases end. When it continues, others may have done its work."""
        lost = [run for run in worker.runs if run.owned_by(worker)][: 1 if first_only else None]
        for run in lost:
            run.lease_until = self.model.now - 1
            RefreshRun.objects.filter(pk=run.uuid).update(lease_until=F("started_at") - timedelta(minutes=1))
        if kind == "expires":
            return
        self.tick()
        for run in lost:
            if kind != "is recovered" and run in self.model.due():
                dies = ("dies", ("fetched", 1), None)
                self.work(run, Worker(dies) if kind == "is replaced by one that dies" else Worker())

    def claimed(self, worker: Worker, claims: Any) -> None:
        worker.claims = list(claims)
        uuids = [str(claim.run_uuid) for claim in claims]
        # The caller names the run it was told of; the service claims it first, if at all.
        told = self.model.run(uuids[0]) if uuids else None
        worker.runs = self.model.claim(told, worker) if told else []
        assert sorted(uuids) == sorted(run.uuid for run in worker.runs), "P4"
        self.events["shared"] += len(uuids) > 1

    def published(self, worker: Worker, claim: Any, state: str) -> None:
        run = self.model.run(str(claim.run_uuid))
        assert run.owned_by(worker), "a zombie wrote"
        assert self.model.finish(run, worker.found) == state
        self.events[str(state)] += 1

    def refused(self, worker: Worker, claim: Any, error: Exception) -> None:
        run = self.model.run(str(claim.run_uuid))
        if type(error).__name__ == "LeaseLost":
            assert not run.owned_by(worker)
            return
        with pytest.raises(Refused) as refused:
            self.model.finish(run, worker.found)
        worker.refused[run] = refused.value.args[0]
        self.events["refused"] += 1

    # --- What readers see ---------------------------------------------------------------------------------------------

    def bodies(self) -> dict[str, bytes]:
        """Return the complete content of every catalog, as readers get it."""
        reader = self.clients["operator"]
        path = "get_content_metadata/?traverse_pagination=true"
        return {uuid: reader.get(f"{CATALOGS}{uuid}/{path}").getvalue() for uuid in sorted(self.model.catalogs)}

    def check_members(self) -> None:
        """Check that each query has the last published keys, also during a refresh (P1, P2)."""
        rows = CatalogContentKey.objects.values_list("catalog_query__uuid", "content_id")
        stored: dict[str, set[str]] = {}
        for uuid, key in rows:
            stored.setdefault(str(uuid), set()).add(key)
        shown = {query.uuid: self.model.published_of(query).keys for query in self.model.queries}
        assert stored == {uuid: keys for uuid, keys in shown.items() if keys}

    def check_members_apart(self) -> None:
        try:
            self.check_members()
        finally:
            connection.close()

    def check_page(self, uuid: str) -> None:
        page = self.reader_of(uuid).get(f"{CATALOGS}{uuid}/get_content_metadata/?traverse_pagination=true").getvalue()
        assert keys_of(page) == listed(self.model.shown_by(uuid))

    def check_contains(self, uuid: str) -> None:
        customer = self.model.catalogs[uuid].values["enterprise_customer"]
        path = f"/api/v1/enterprise-customer/{customer}/filter_content_items/"
        answer = self.reader_of(uuid).post(path, {"content_keys": ALL_KEYS, "catalog_uuids": [uuid]})
        assert answer.json() == {"filtered_content_keys": contained(self.model.shown_by(uuid))}

    def reader_of(self, uuid: str) -> APIClient:
        return self.clients["acme" if self.model.catalogs[uuid].values["enterprise_customer"] == ACME else "globex"]


def keys_of(page: bytes) -> Keys:
    return frozenset(item.get("key") or item["uuid"] for item in orjson.loads(page)["results"])


def empty_database() -> None:
    """Delete what the service writes, which is much faster than a flush."""
    names = [
        name
        for name in ("catalog", "refresh", "customers", "core")
        if apps.is_installed(f"enterprise_catalog.apps.{name}")
    ]
    with connection.constraint_checks_disabled():
        for name in names:
            for model in apps.get_app_config(name).get_models(include_auto_created=True):
                model._base_manager.all()._raw_delete("default")
