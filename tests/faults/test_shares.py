"""
The order of the queue and the use of the budget, compared with a model (RUN-7, RUN-8, DISC-16).

Customers and operators request refreshes of queries that some of them share. Some queries become due, hours pass, and
one worker fetches real pages of the sandbox with a budget that is too small for all. After every step the queue has the
order of the model, and every request is counted for whom the model says, or refused.

`make test` runs the same examples every time (`tests.faults.model_examples`).
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline import runner
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.queue.priority import startable_runs
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from tests.faults.clock import Clock
from tests.faults.content import COURSES, FILTERS, Content
from tests.faults.driver import empty_database
from tests.faults.model import canonical
from tests.faults.model_examples import run_examples
from tests.faults.shares import DUE, FIRST, PAUSE, Shares, Waiting
from tests.faults.steps import Killed
from tests.sandbox_services import point_settings_at

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT, INTERVAL, JOINED_FOR = 40, 20 * 60, 10
# Three requests of twenty.
FIRST_SHARE = 0.15
OPERATORS = "operators"
CUSTOMERS = [f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abcd"]
# What must have come up, else the examples prove little.
WANTED = {
    "an asker pays",
    "due pays",
    "first pays",
    "refused",
    "interrupted",
    "published",
    "joins a publish",
    "joins with budget",
    "several wait",
}


@dataclass(eq=False)
class TrackedQuery:
    """A query: its search, and the time of its last publish."""

    query: CatalogQuery
    published_at: float | None = None
    published_by: str = ""


class Machine(RuleBasedStateMachine):
    sandbox: ClassVar[Sandbox]
    monkeypatch: ClassVar[pytest.MonkeyPatch]
    events: ClassVar[Counter[str]] = Counter()
    current: ClassVar["Machine"]

    def __init__(self):
        super().__init__()
        empty_database()
        self.clock = Clock(self.monkeypatch)
        self.shares = Shares(limit=LIMIT, first_share=FIRST_SHARE)
        self.queries = [TrackedQuery(CatalogQueryFactory.create(content_filter=it)) for it in FILTERS]
        for number, tracked in enumerate(self.queries):
            EnterpriseCatalogFactory.create(catalog_query=tracked.query, enterprise_uuid=CUSTOMERS[number % 4])
        self.waiting: dict[TrackedQuery, Waiting] = {}
        self.paused_until: dict[TrackedQuery, float] = {}
        self.moment = 0.0
        # What the worker does now, and what was found wrong meanwhile.
        self.at_work: list[TrackedQuery] = []
        self.was_refused = False
        self.contradiction: Exception | None = None
        Machine.current = self

    # --- Who asks -----------------------------------------------------------------------------------------------------

    @rule(who=st.sampled_from([*CUSTOMERS, OPERATORS]), which=st.integers(0, len(FILTERS) - 1))
    def somebody_asks(self, who, which):
        self.ask(who, self.queries[which])

    @rule(which=st.lists(st.integers(0, len(FILTERS) - 1), min_size=4))
    def one_customer_asks_for_many(self, which):
        for number in which:
            self.ask(CUSTOMERS[0], self.queries[number])

    @precondition(lambda self: any(until > self.shares.now for until in self.paused_until.values()))
    @rule(who=st.sampled_from(CUSTOMERS))
    def somebody_asks_for_what_is_paused(self, who):
        self.ask(who, next(tracked for tracked, until in self.paused_until.items() if until > self.shares.now))

    def ask(self, who, tracked):
        with transaction.atomic():
            run = enqueue_run(query=tracked.query, trigger="request", asked_by=who)
        published_at = tracked.published_at
        if who != OPERATORS and published_at is not None and self.shares.now - published_at < JOINED_FOR:
            assert str(run.pk) == tracked.published_by
            self.events["joins a publish"] += 1
            return
        self.wait(tracked, str(run.pk), who)

    def wait(self, tracked, uuid, who=None):
        self.moment += 1e-6
        now = self.shares.now + self.moment
        run = self.waiting.get(tracked) or Waiting(uuid, requested_at=now)
        assert run.uuid == uuid
        if who is None:
            self.waiting[tracked] = run
            return
        if who not in run.askers and run.is_interrupted:
            self.events["joins with budget"] += self.paused_until.pop(tracked, 0) > now
            run = replace(run, is_interrupted=False)
        self.waiting[tracked] = replace(run, askers=run.askers | {who}, asked_at=now)

    @rule()
    def beat_ticks(self):
        tick()
        due = [tracked for tracked in self.queries if self.is_due(tracked)]
        searches = [canonical(tracked.query.content_filter) for tracked in due if tracked not in self.waiting]
        new = [it for it in self.queries if it not in self.waiting and canonical(it.query.content_filter) in searches]
        runs = RefreshRun.objects.filter(state="queued").order_by("requested_at")
        stored = dict(runs.values_list("catalog_query_id", "pk"))
        for tracked in sorted(new, key=lambda it: list(stored).index(it.query.pk)):
            self.wait(tracked, str(stored[tracked.query.pk]))
        assert {tracked.query.pk for tracked in self.waiting} == set(stored)

    @rule(minutes=st.sampled_from([1, 2, 7, 7, 31, 61, 1260]))
    def time_passes(self, minutes):
        self.clock.pass_time(minutes)
        self.shares.now += minutes

    # --- Who works ----------------------------------------------------------------------------------------------------

    @rule(times=st.integers(1, 4))
    def a_worker_works(self, times):
        for _ in range(times):
            self.work()

    def work(self):
        self.at_work, self.was_refused = [], False
        try:
            refresh_next()
        except Killed:
            pass
        if self.contradiction:
            raise self.contradiction
        for tracked in self.at_work:
            run = RefreshRun.objects.get(pk=self.waiting[tracked].uuid)
            assert run.state == ("queued" if self.was_refused else "published")
            self.events["interrupted" if self.was_refused else "published"] += 1
            if self.was_refused:
                self.waiting[tracked] = replace(self.waiting[tracked], is_interrupted=True)
                self.paused_until[tracked] = self.shares.now + PAUSE
            else:
                tracked.published_at, tracked.published_by = self.shares.now, str(run.pk)
                del self.waiting[tracked]
                self.paused_until.pop(tracked, None)

    def claimed(self, claims):
        expected = self.shares.next(self.startable())
        assert (str(claims[0].run_uuid) if claims else None) == (expected.uuid if expected else None)
        if expected is None:
            return
        now = {run.uuid for run in self.startable()}
        first = next(tracked for tracked, run in self.waiting.items() if run.uuid == expected.uuid)
        question = canonical(first.query.content_filter)
        self.at_work = [
            tracked
            for tracked, run in self.waiting.items()
            if canonical(tracked.query.content_filter) == question and run.uuid in now
        ]
        assert {str(claim.run_uuid) for claim in claims} == {self.waiting[tracked].uuid for tracked in self.at_work}

    def spent(self, requests, instead_of, booking):
        """Check for whom requests count while these runs are running."""
        runs = [self.known(tracked) for tracked in self.at_work]
        askers = frozenset[str]().union(*(run.askers for run in runs))
        right = max((run.right for run in runs), key=["", FIRST, DUE].index)
        if instead_of:
            self.shares.take(*self.noted(instead_of), -instead_of.requests)
        consumer = self.shares.consumer(askers, right, requests)
        assert (booking.consumer if booking else None) == consumer
        if consumer is None:
            self.was_refused = self.was_refused or requests == 1
            self.events["refused"] += 1
            if instead_of:
                self.shares.take(*self.noted(instead_of), instead_of.requests)
            return
        self.shares.take(consumer, self.shares.now, requests)
        self.events[f"{consumer} pays" if consumer in (DUE, FIRST) else "an asker pays"] += 1

    def gave_back(self, booking):
        self.shares.take(*self.noted(booking), -booking.requests)

    def noted(self, booking):
        return booking.consumer, self.shares.now - (self.clock.minute - booking.minute)

    # --- What must be true --------------------------------------------------------------------------------------------

    def is_due(self, tracked):
        return tracked.published_at is None or self.shares.now - tracked.published_at >= INTERVAL

    def known(self, tracked):
        is_published = tracked.published_at is not None
        return replace(self.waiting[tracked], is_published=is_published, is_due=is_published and self.is_due(tracked))

    def startable(self):
        return [self.known(tracked) for tracked in self.waiting if self.paused_until.get(tracked, 0) <= self.shares.now]

    @invariant()
    def the_queue_is_in_the_order_of_the_model(self):
        expected = [run.uuid for run in self.shares.in_turn(self.startable())]
        assert [str(uuid) for uuid in startable_runs(limit=100)] == expected
        self.events["several wait"] += len({run.askers for run in self.startable()}) > 2

    @invariant()
    def no_hour_exceeds_the_budget_or_a_part_of_it(self):
        hour = request_budget.last_hour()
        assert hour.total == self.shares.had() <= LIMIT
        assert hour.used_by_people <= LIMIT - self.shares.reserve
        assert {name: hour.used_by(name) for name in self.shares.people} == {
            name: self.shares.had(name) for name in self.shares.people
        }


def test_the_queue_and_the_budget_do_what_the_model_does(settings, monkeypatch, silence):  # RUN-7, RUN-8, DISC-16
    settings.DISCOVERY_PAGE_SIZE = settings.DISCOVERY_KEYS_PER_CALL = 4
    settings.DISCOVERY_REQUESTS_PER_HOUR = LIMIT
    settings.DISCOVERY_FIRST_SHARE = FIRST_SHARE
    settings.REFRESH_SPREAD_MINUTES = 0
    claim_next, spend, give_back = runner.claim_next, request_budget.count_requests, request_budget.return_unused

    def checked(check: Any, *facts: Any) -> None:
        try:
            check(*facts)
        except Exception as error:
            # The service would take it for a failure of its own, and go on.
            Machine.current.contradiction = error
            raise Killed from error

    def claiming() -> Any:
        claims = claim_next()
        checked(Machine.current.claimed, claims)
        return claims

    def spending(requests: int, consumers: Any, *, instead_of: Any = None) -> Any:
        booking = spend(requests, consumers, instead_of=instead_of)
        checked(Machine.current.spent, requests, instead_of, booking)
        return booking

    def giving_back(booking: Any) -> None:
        give_back(booking)
        Machine.current.gave_back(booking)

    monkeypatch.setattr(runner, "claim_next", claiming)
    monkeypatch.setattr(request_budget, "count_requests", spending)
    monkeypatch.setattr(request_budget, "return_unused", giving_back)
    Machine.events.clear()
    Machine.monkeypatch = monkeypatch
    with Sandbox(courses=0, programs=0, pathways=0, persons=0) as Machine.sandbox:
        point_settings_at(Machine.sandbox, settings)
        Content(Machine.sandbox).become(set(range(COURSES)))
        run_examples(Machine, steps=40, events=Machine.events, wanted=WANTED)
