"""
The book of one fetch: what it may ask of discovery, and what it was answered before the budget interrupted it.

    1. after the first page the size of the result is known: reserve what the whole fetch may need, so that fetches that
       run at once do not eat each other's budget in halves
    2. if that does not fit, ask one by one, keep each answer, and stop when nothing is left (BudgetExhausted)
    3. the next run of the same search is told the kept answers and asks for the rest

So every fetch gets to its end, also one that needs more than an hour's budget. An answer is told once, and whoever
reads again because the data moved is told none. And never one of a fetch that began before the request that a run
serves (REFR-3).
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.packed_json import pack, unpack
from enterprise_catalog.apps.discovery.client import DiscoveryRequest, UnlimitedSession
from enterprise_catalog.apps.refresh.models import KeptAnswer
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Booking, Payers

log = structlog.get_logger(__name__)


class BudgetExhausted(Exception):
    """Nothing may be asked of discovery for now."""


class CountingSession(UnlimitedSession):
    """Each request counts, for one of these payers, and nothing is reserved or remembered."""

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    def before_request(self) -> None:
        if request_budget.count_requests(1, self._payers) is None:
            raise BudgetExhausted


class BudgetedSession(CountingSession):
    """
    The book of a refresh, or of a sweep, which `keeps` all answers as it never says how many it expects. `close` it
    when the fetch is over, however it ends.
    """

    def __init__(self, key: str, payers: Payers, *, asked_at: Sequence[datetime] = (), keeps: bool = False) -> None:
        super().__init__(payers)
        self._key = key
        # An answer counts as old as the fetch that asked for it: it may have been under way when somebody else asked.
        self._began_at = database_now()
        self._kept = _usable_answers(self._key, asked_at=asked_at)
        # What is reserved and not used yet.
        self._reserved: Booking | None = None
        self._minute_ends = 0.0
        # Without a limit nothing can be refused, and one statement at the end counts all.
        self._uncounted = 0
        self._knows_size = False
        self._has_kept = bool(self._kept)
        self._keeps = keeps
        # Packed: a whole page of objects would be held beside the next one.
        self._last: tuple[DiscoveryRequest, bytes] | None = None

    def announce(self, requests: int) -> None:
        if not self._knows_size:
            # The pages of the search. Each may bring as many courses as it has items, all without a full record.
            self._knows_size = True
            records = settings.DISCOVERY_PAGE_SIZE / settings.DISCOVERY_KEYS_PER_CALL
            requests += round((requests + 1) * records)
        if request_budget.is_limited() and requests > self._left and not self._reserve(requests):
            self._keep_from_now_on()

    def before_request(self) -> None:
        if not request_budget.is_limited():
            self._uncounted += 1
            return
        if self._left and time.monotonic() >= self._minute_ends and not self._reserve(self._left):
            # What is reserved counts for an hour from when it is asked, and that may be much later.
            self._let_go()
            self._keep_from_now_on()
        if self._reserved and self._left:
            self._reserved = replace(self._reserved, requests=self._left - 1)
        else:
            super().before_request()

    def get_cached(self, request: DiscoveryRequest) -> dict[str, Any] | None:
        digest = request.digest() if self._kept else ""
        if digest not in self._kept:
            return None
        self._kept.discard(digest)
        kept = KeptAnswer.objects.filter(equivalence_key=self._key, question=digest).first()
        return unpack(kept.answer) if kept else None

    def cache(self, request: DiscoveryRequest, answer: dict[str, Any]) -> None:
        if self._keeps:
            self._store(request, pack(answer))
        elif not self._knows_size and request_budget.is_limited():
            self._last = request, pack(answer)

    def clear(self) -> None:
        self._kept, self._last = set(), None
        KeptAnswer.objects.filter(equivalence_key=self._key).delete()

    def close(self, *, complete: bool) -> None:
        """Return what was reserved and not used; a complete fetch needs no kept answers any more."""
        self._let_go()
        if self._uncounted:
            request_budget.count_requests(self._uncounted, self._payers)
            self._uncounted = 0
        if complete and self._has_kept:
            self.clear()

    @property
    def _left(self) -> int:
        return self._reserved.requests if self._reserved else 0

    def _reserve(self, requests: int) -> bool:
        """So many from now on, what was reserved before included; else that stays as it is."""
        booking = request_budget.count_requests(requests, self._payers, instead_of=self._reserved)
        if booking is None:
            return False
        self._reserved = booking
        left = (booking.minute + 1) * 60 - database_now().timestamp()
        self._minute_ends = time.monotonic() + left
        return True

    def _let_go(self) -> None:
        if self._reserved and self._left:
            request_budget.return_unused(self._reserved)
        self._reserved = None

    def _keep_from_now_on(self) -> None:
        if not self._keeps:
            log.info("discovery_budget_is_short", reserved=self._left, spent=request_budget.requests_last_hour())
        self._keeps = True
        if self._last:
            self._store(*self._last)

    def _store(self, request: DiscoveryRequest, packed: bytes) -> None:
        if len(packed) > settings.CACHED_ANSWER_MAX_BYTES:
            return
        self._has_kept = True
        KeptAnswer.objects.update_or_create(
            equivalence_key=self._key,
            question=request.digest(),
            defaults={"answered_at": self._began_at, "answer": packed},
        )


def _usable_answers(equivalence_key: str, *, asked_at: Sequence[datetime]) -> set[str]:
    """Questions whose answers may still be told: all or none, since a fetch is as old as its first answer."""
    kept = dict(KeptAnswer.objects.filter(equivalence_key=equivalence_key).values_list("question", "answered_at"))
    if not kept:
        return set()
    oldest_allowed = max([database_now() - timedelta(hours=settings.CACHED_ANSWERS_HOURS), *asked_at])
    if min(kept.values()) > oldest_allowed:
        return set(kept)
    KeptAnswer.objects.filter(equivalence_key=equivalence_key).delete()
    return set()
