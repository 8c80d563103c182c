"""
Random callers, workers, deaths and answers of discovery, compared with a model (P1, P2, P4, P8, P10, RUN-8).

Two customers' admins and an operator save and delete catalogs, while refreshes succeed, fail, get a part, are held, are
killed at any step, or continue after they lost their lease. Content changes between them. After every step each catalog
shows what the model says, and every run has the state that the model says.

`make test` runs the same examples every time (`tests.faults.model_examples`).
"""

from random import Random
from typing import ClassVar

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.consistency import violations
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.catalogs import CATALOGS
from tests.contract.query_model import FORBIDDEN
from tests.faults.content import COURSES, FILTERS
from tests.faults.driver import Driver
from tests.faults.model import ENDED
from tests.faults.model_examples import run_examples
from tests.faults.plans import CALLERS, DEATHS, FREEZES, PAGE_SIZE, REWRITES, SAVES, TROUBLES, UUIDS, Worker
from tests.faults.steps import tell
from tests.sandbox_services import point_settings_at

pytestmark = pytest.mark.django_db(transaction=True)

STEPS_PER_EXAMPLE = 50

# What must have come up, else the examples prove little.
WANTED = {
    "published", "held", "discovery_incomplete", "filter_changed", "killed", "zombie", "shared", "superseded",
    "joins a publish",
}  # fmt: skip

WHICH = st.integers(0, 5)
LUCK = st.integers(0, 999)
NAME = st.sampled_from(list(CALLERS))
COURSE = st.integers(0, COURSES - 1)
# From one to the next most are gone, or far more are there: what the guard is for.
SUPPLIES = [set(range(COURSES)), set(range(COURSES - 2)), {0, 1, 2}, {11, 12}, set(range(1, COURSES, 2)), set()]


class Machine(RuleBasedStateMachine):
    sandbox: ClassVar[Sandbox]
    driver: ClassVar[Driver]

    def __init__(self):
        super().__init__()
        self.it = type(self).driver = Driver(self.sandbox)
        self.model = self.it.model
        self.clients = self.it.clients
        self.is_sound = False
        self.begun = 0

    @initialize(large=st.integers(0, 2), same=st.integers(0, 2), other=st.integers(0, len(FILTERS) - 1))
    def there_are_catalogs(self, large, same, other):
        for catalog, (name, it) in enumerate([("acme", large), ("globex", same), ("globex", other)]):
            self.it.save(name, "post", catalog, it, "none")
        for run in self.it.tick():
            self.it.work(run, Worker())

    # --- Callers ------------------------------------------------------------------------------------------------------

    @rule(save=SAVES)
    def somebody_saves(self, save):
        self.begin()
        self.it.save(*save)

    @precondition(lambda self: len(self.model.catalogs) > 2)
    @rule(name=NAME, catalog=st.integers(0, len(UUIDS) - 1))
    def somebody_deletes(self, name, catalog):
        self.begin()
        response = self.clients[name].delete(f"{CATALOGS}{UUIDS[catalog]}/")
        assert response.status_code == self.model.delete(CALLERS[name][1], UUIDS[catalog])[0]

    @precondition(lambda self: self.model.catalogs)
    @rule(name=NAME, which=WHICH)
    def somebody_asks_for_a_refresh(self, name, which):
        """REFR-1; P8: nobody asks, or reads, for another customer."""
        self.begin()
        uuid = sorted(self.model.catalogs)[which % len(self.model.catalogs)]
        response = self.clients[name].post(f"{CATALOGS}{uuid}/refresh_metadata/")
        if self.it.reaches(name, uuid):
            assert response.status_code == 200
            query, run = self.model.catalogs[uuid].query, response.json()["async_task_id"]
            self.model.request(query, run, by_operator=name == "operator")
            Driver.events["joins a publish"] += self.model.run(run).state == "published"
        else:
            assert (response.status_code, response.json()) == FORBIDDEN
            for path in ("", "get_content_metadata/", "contains_content_items/?course_run_ids=x"):
                assert self.clients[name].get(f"{CATALOGS}{uuid}/{path}").status_code == 403

    @precondition(lambda self: any(run.state == "held" for run in self.model.runs))
    @rule(which=WHICH, decision=st.sampled_from(["approve", "approve", "reject"]))
    def an_operator_decides(self, which, decision):  # REFR-10, RUN-6
        self.begin()
        self.it.decide(decision, [run for run in self.model.runs if run.state == "held"], which)

    # --- Discovery, and time ------------------------------------------------------------------------------------------

    @rule(courses=st.one_of(st.sampled_from(SUPPLIES), st.sampled_from(SUPPLIES), st.sets(COURSE)))
    def discovery_has_other_courses(self, courses):
        self.begin()
        self.it.content.become(courses)

    @precondition(lambda self: self.it.content.present)
    @rule(which=COURSE)
    def somebody_edits_a_course(self, which):
        self.begin()
        self.it.content.edit(sorted(self.it.content.present)[which % len(self.it.content.present)])

    @rule(minutes=st.sampled_from([7, 180, 1260]))
    def time_passes(self, minutes):
        """No sum of these that comes up is a limit exactly."""
        self.begin()
        self.it.pass_time(minutes)

    # --- Workers ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.catalogs)
    @rule(which=WHICH)
    def a_worker_is_told_of_a_run(self, which):
        self.begin()
        self.it.work(self.it.a_run(which), Worker())

    @precondition(lambda self: self.model.catalogs)
    @rule(which=WHICH, luck=LUCK)
    def a_worker_dies(self, which, luck):
        self.work_during(DEATHS, which, luck)

    @precondition(lambda self: self.model.catalogs)
    @rule(which=WHICH, luck=LUCK)
    def a_worker_is_frozen_for_a_while(self, which, luck):
        """It goes on when its lease is over: a zombie, if somebody noticed."""
        self.work_during(FREEZES, which, luck)

    @precondition(lambda self: self.model.catalogs)
    @rule(which=WHICH, luck=LUCK)
    def a_query_is_rewritten_while_it_is_fetched(self, which, luck):  # REFR-5
        self.work_during(REWRITES, which, luck)

    def work_during(self, events, which, luck):
        self.begin()
        event = self.at_this_step(luck).choice(events)
        note(f"# {event}")
        self.it.work(self.it.a_run(which), Worker(event))

    @precondition(lambda self: self.model.catalogs)
    @rule(which=WHICH, luck=LUCK, dies_at=st.sampled_from([0, 0, 0, 5, 9, 14, 20]))
    def a_worker_meets_trouble(self, which, luck, dies_at):
        self.begin()
        trouble = self.at_this_step(luck).choice(TROUBLES)
        note(f"# {trouble}")
        self.it.work(self.it.a_run(which), Worker(("dies", ("statement", dies_at), None)), trouble)

    @precondition(lambda self: self.model.runs)
    @rule(which=st.integers(0, 30), ask=st.sampled_from(["message", "message", "approve", "reject"]))
    def somebody_asks_about_any_run(self, which, ask):
        """Late and doubled messages do what timely ones would do, if anything; decisions, too (P4, RUN-6)."""
        self.begin()
        if ask == "message":
            self.it.work(self.model.runs[which % len(self.model.runs)], Worker())
        else:
            self.it.decide(ask, self.model.runs, which)

    @rule(works=st.booleans())
    def beat_ticks(self, works):
        self.begin()
        for run in self.it.tick():
            if works:
                self.it.work(run, Worker())

    # --- What must be true --------------------------------------------------------------------------------------------

    def begin(self):
        self.is_sound = False
        self.begun += 1
        Driver.events["steps"] += 1

    def at_this_step(self, luck):
        """Hypothesis likes to repeat what it drew; at another step that is something else."""
        return Random(f"{luck} {self.begun}")

    @invariant()
    def every_reader_sees_what_was_published_last(self):
        self.it.check_members()
        # One after the other and at every second step, since asking takes most of the time.
        turn, odd = divmod(self.begun, 2)
        if not odd and (uuids := sorted(self.model.catalogs)):
            check = self.it.check_page if turn % 2 else self.it.check_contains
            check(uuids[turn // 2 % len(uuids)])

    @invariant()
    def every_run_is_where_it_must_be(self):  # P4, P10
        stored = {str(row[0]): row[1:] for row in RefreshRun.objects.values_list("uuid", "state", "reason_code")}
        assert stored == {run.uuid: (run.state, run.reason) for run in self.model.runs}
        for query in self.model.queries:
            assert len(self.model.of(query, "queued")) <= 1 >= len(self.model.of(query, "running"))
        self.is_sound = True

    def teardown(self):
        """With a healthy discovery everything ends, and shows what discovery has, unless that is held."""
        if not self.is_sound:
            # A step failed, and says why.
            return
        for minutes in (180, 1260):
            self.it.pass_time(minutes)
            for run in self.it.tick():
                self.it.work(run, Worker())
            self.every_reader_sees_what_was_published_last()
            self.every_run_is_where_it_must_be()
        for uuid in self.model.catalogs:
            self.it.check_page(uuid)
            self.it.check_contains(uuid)
        for query in self.model.in_use():
            found = self.it.content.found_by(query.content_filter)
            assert self.model.published_of(query).keys == found or self.model.of(query, "held")
        assert {run.state for run in self.model.runs} <= set(ENDED)
        for run in self.model.runs:
            answer = self.clients["operator"].get(f"/api/v1/refresh-runs/{run.uuid}/")
            assert (answer.status_code, answer.json()["state"]) == (200, run.state)
            Driver.events["superseded"] += run.reason == "superseded"
        assert list(violations(deep=True)) == []


def test_the_service_does_what_the_model_does(settings, monkeypatch, silence):
    settings.DISCOVERY_PAGE_SIZE = PAGE_SIZE
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    settings.SERVICE_ATTEMPTS = 2
    # Hours pass in seconds here, and what is due is due to the minute.
    settings.DISCOVERY_REQUESTS_PER_HOUR = 0
    settings.REFRESH_SPREAD_MINUTES = 0
    Driver.events.clear()
    with Sandbox(courses=0, programs=0, pathways=0, persons=0) as Machine.sandbox:
        point_settings_at(Machine.sandbox, settings)
        tell(monkeypatch, lambda *facts: Machine.driver.at(*facts))
        run_examples(Machine, steps=STEPS_PER_EXAMPLE, events=Driver.events, wanted=WANTED)
