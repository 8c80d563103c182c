"""
Model refreshes as plain values: which keys each query shows, and the state of every run.

The rules are REFR-1 to REFR-10, RUN-2, RUN-5, RUN-8 and CRUD-9 once more. `tests.contract.query_model` resolves
queries, and `tests.faults.shares` orders the queue. The model shares no code with the service and does not read its
database. Time is in minutes, and passes when the test says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.contract.query_model import Answer, Caller, Model, Query

LEASE, PAUSE_AFTER_FAILURE, PAUSE_AFTER_HOLDING, NUDGE_AGAIN, DAY = 1, 10, 60, 1, 20 * 60
JOINED_FOR = 10
LOST_WORKERS = 5
GUARD_ITEMS, GUARD_REMOVED, GUARD_GROWTH = 10, 0.5, 5
ENDED = ("published", "held", "failed")

Keys = frozenset[str]


class Refused(Exception):
    """A complete result that nobody needs any more; the first argument is the run's reason."""


@dataclass(eq=False)
class Run:
    """A run. `owner` claimed it last, and `content_filter` is what it fetches."""

    uuid: str
    query: Query | None
    state: str = "queued"
    reason: str = ""
    owner: object = None
    content_filter: dict[str, Any] = field(default_factory=dict)
    lease_until: float = 0
    lost_workers: int = 0
    not_before: float = 0
    nudged_at: float | None = None
    finished_at: float = 0
    held_keys: Keys = frozenset()
    held_since: float = 0

    def owned_by(self, worker: object) -> bool:
        return self.state == "running" and self.owner is worker


@dataclass
class PublishedContent:
    """Published keys of a query, their time, and their run unless it was held. `keys` is None before any publish."""

    keys: Keys | None = None
    content_filter: dict[str, Any] | None = None
    published_at: float = 0
    run: Run | None = None


@dataclass
class ServiceModel(Model):
    runs: list[Run] = field(default_factory=list)
    published: dict[Query, PublishedContent] = field(default_factory=dict)
    now: float = 0

    # --- What is there ------------------------------------------------------------------------------------------------

    def published_of(self, query: Query) -> PublishedContent:
        return self.published.setdefault(query, PublishedContent())

    def shown_by(self, uuid: str) -> Keys:
        return self.published_of(self.catalogs[uuid].query).keys or frozenset()

    def of(self, query: Query, *states: str) -> list[Run]:
        return [run for run in self.runs if run.query is query and run.state in states]

    def run(self, uuid: str) -> Run:
        return next(run for run in self.runs if run.uuid == uuid)

    def due(self) -> list[Run]:
        """Return the waiting runs that may start now."""
        return [run for run in self.runs if run.state == "queued" and run.query and run.not_before <= self.now]

    def in_use(self) -> list[Query]:
        return [query for query in self.queries if self.customers_on(query)]

    # --- Callers ------------------------------------------------------------------------------------------------------

    def save(self, caller: Caller, method: str, uuid: str, body: dict[str, Any]) -> tuple[Answer, Query | None]:
        """Save a catalog, and return the response and the query to refresh (REFR-2)."""
        queries, filters = list(self.queries), [query.content_filter for query in self.queries]
        before = self.catalogs[uuid].query if uuid in self.catalogs else None
        answer = (self.create if method == "post" else self.change)(caller, uuid, body)
        if answer[0] not in (200, 201):
            return answer, None
        query = self.catalogs[uuid].query
        replaced = [gone for gone in queries if gone not in self.queries]
        for gone in replaced:
            self._leave(gone, replacement=query)
        if method == "post":
            return answer, query if answer[0] == 201 else None
        rewritten = query in queries and filters[queries.index(query)] != query.content_filter
        never = self.published_of(query).keys is None
        return answer, query if query is not before or rewritten or replaced or never else None

    def _leave(self, gone: Query, *, replacement: Query) -> None:
        """Detach runs from a deleted query (RUN-5); they end at once only if a replacement takes the uuid."""
        for run in self.runs:
            if run.query is gone:
                run.query = None
                if run.state in ("queued", "held") and replacement.uuid == gone.uuid:
                    self.end(run, "failed", "superseded")

    def request(self, query: Query, uuid: str, *, by_operator: bool = False) -> None:
        """
        Return the waiting run, or a new one (REFR-3), or, unless an operator asks, a recent publish (RUN-8).
        """
        published = None if by_operator else self._published_just_now(query)
        if published:
            assert uuid == published.uuid, "a request joins the publish of a moment ago"
            return
        waiting = self.of(query, "queued")
        if waiting:
            assert [run.uuid for run in waiting] == [uuid], "a request is served by the run that waits"
        else:
            assert uuid not in {run.uuid for run in self.runs}, "a request is served by a run that has not begun"
            self.runs.append(Run(uuid, query))

    def _published_just_now(self, query: Query) -> Run | None:
        published = self.published_of(query)
        is_new = self.now - published.published_at < JOINED_FOR and published.content_filter == query.content_filter
        return published.run if is_new else None

    def approve(self, run: Run) -> bool:
        """Publish a held run, or return False because it cannot be approved (REFR-10)."""
        if run.state != "held" or run.query is None or run.query.content_filter != run.content_filter:
            return False
        self._publish(run, run.held_keys)
        return True

    def reject(self, run: Run) -> bool:
        if run.state != "held":
            return False
        self.end(run, "failed", "rejected")
        return True

    # --- Workers ------------------------------------------------------------------------------------------------------

    def claim(self, run: Run, worker: object) -> list[Run]:
        """Claim all runs that wait for the same fetch (REFR-3)."""
        if not self._may_claim(run):
            return []
        assert run.query
        question = canonical(run.query.content_filter)
        others = [
            it for it in self.due() if it.query and it is not run and canonical(it.query.content_filter) == question
        ]
        claimed = [run, *(other for other in others if self._may_claim(other))]
        for it in claimed:
            assert it.query
            it.state, it.owner, it.lease_until = "running", worker, self.now + LEASE
            it.content_filter = it.query.content_filter
        return claimed

    def _may_claim(self, run: Run) -> bool:
        return run in self.due() and run.query is not None and not self.of(run.query, "running")

    def finish(self, run: Run, keys: Keys) -> str:
        """Return the state in which a run with these keys ends (REFR-5, REFR-9, REFR-10). Raises Refused."""
        if run.query is None:
            raise Refused("superseded")
        if run.query.content_filter != run.content_filter:
            raise Refused("filter_changed")
        held = next(iter(self.of(run.query, "held")), None)
        objection = self._objection(run.query, keys)
        since = held.held_since if held and held.held_keys == keys else self.now
        if held:
            self.end(held, "failed", "superseded")
        if objection and self.now - since < DAY:
            run.held_keys, run.held_since = keys, since
            self.end(run, "held", objection)
        else:
            self._publish(run, keys)
        return run.state

    def _objection(self, query: Query, keys: Keys) -> str:
        published = self.published_of(query)
        before = published.keys
        if before is None or len(before) < GUARD_ITEMS or published.content_filter != query.content_filter:
            return ""
        if len(before - keys) / len(before) > GUARD_REMOVED:
            return "guard_shrink"
        return "guard_growth" if len(keys) > GUARD_GROWTH * len(before) else ""

    def _publish(self, run: Run, keys: Keys) -> None:
        assert run.query
        at_once = run if run.state == "running" else None
        self.published[run.query] = PublishedContent(keys, run.query.content_filter, self.now, at_once)
        self.end(run, "published")

    def end(self, run: Run, state: str, reason: str = "") -> None:
        run.state, run.reason, run.finished_at = state, reason, self.now

    def requeue(self, run: Run, *, not_before: float | None = None) -> None:
        """Queue a run again, unless a newer one is queued (RUN-2)."""
        if run.query and self.of(run.query, "queued"):
            self.end(run, "failed", "superseded")
        else:
            # Whoever was told of it took it: it is news again.
            run.state, run.nudged_at = "queued", None
            run.not_before = run.not_before if not_before is None else not_before

    # --- The tick -----------------------------------------------------------------------------------------------------

    def tick(self) -> list[Query]:
        """Recover lost runs, end runs without a query, and return the queries that are due."""
        for run in self.runs:
            if run.state == "running" and run.lease_until < self.now:
                run.lost_workers += 1
                if run.lost_workers >= LOST_WORKERS:
                    self.end(run, "failed", "internal_error")
                else:
                    self.requeue(run)
        for run in self.runs:
            if run.query is None and run.state in ("queued", "held"):
                self.end(run, "failed", "superseded")
        idle = [query for query in self.in_use() if self._is_idle(query)]
        searches = [canonical(query.content_filter) for query in idle if self._is_due(query)]
        return [query for query in idle if canonical(query.content_filter) in searches]

    def _is_due(self, query: Query) -> bool:
        published = self.published_of(query)
        return published.keys is None or self.now - published.published_at >= DAY

    def _is_idle(self, query: Query) -> bool:
        failed = any(run.finished_at > self.now - PAUSE_AFTER_FAILURE for run in self.of(query, "failed"))
        held = any(run.finished_at > self.now - PAUSE_AFTER_HOLDING for run in self.of(query, "held"))
        return not (self.of(query, "queued", "running") or failed or held)

    def announce(self) -> list[Run]:
        """Return the runs that the tick notifies workers of again (P5)."""
        told = [
            run
            for run in self.due()
            if (run.nudged_at is None or run.nudged_at < self.now - NUDGE_AGAIN)
            and run.query
            and not self.of(run.query, "running")
        ]
        for run in told:
            run.nudged_at = self.now
        return told


def canonical(content_filter: dict[str, Any]) -> dict[str, list[str]]:
    """Return the canonical form of a filter of texts and lists of texts (HASH-2)."""
    return {name: sorted(set(as_list(value))) for name, value in content_filter.items()}


def as_list(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
