"""
Reserve the requests of one fetch, and cache answers of discovery when the budget is short.

    1. After the first page the size of the result is known. Reserve what the whole fetch may need, so that fetches
       that run at the same time do not use up each other's budget halfway.
    2. If that does not fit, count requests one by one, cache each answer, and stop when nothing is left
       (BudgetExhausted).
    3. The next run of the same search reads the cached answers and requests the rest.

So every fetch ends, also one that needs more than an hour's budget. A cached answer is used once: a walk that is
repeated because the data changed requests everything again. No answer is used that is older than the request that a
run serves (REFR-3).
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
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers, CountedRequests

log = structlog.get_logger(__name__)


class BudgetExhausted(Exception):
    """No request to discovery may be made now."""


class CountingSession(UnlimitedSession):
    """Counts each request for one of these consumers; reserves and caches nothing."""

    def __init__(self, consumers: Consumers) -> None:
        self._consumers = consumers

    def before_request(self) -> None:
        if request_budget.count_requests(1, self._consumers) is None:
            raise BudgetExhausted


class BudgetedSession(CountingSession):
    """
    The session of a refresh, or of the review job. `close` it when the fetch ends, also with an error.

    `key` names the search whose answers are cached. `asked_at` are the times of the requests that the fetch serves.
    `caches_all` is for fetches that never announce their size.
    """

    def __init__(
        self, key: str, consumers: Consumers, *, asked_at: Sequence[datetime] = (), caches_all: bool = False
    ) -> None:
        super().__init__(consumers)
        self._key = key
        # An answer is as old as the fetch that requested it: the fetch may have begun before somebody else asked.
        self._began_at = database_now()
        self._cached = _usable_answers(self._key, asked_at=asked_at)
        # Reserved and not used yet.
        self._reserved: CountedRequests | None = None
        self._minute_ends = 0.0
        # Without a limit nothing is refused, so one statement at the end counts all.
        self._uncounted = 0
        self._knows_size = False
        self._has_stored = bool(self._cached)
        self._caches = caches_all
        # Packed, since a whole page of objects would stay in memory beside the next one.
        self._last: tuple[DiscoveryRequest, bytes] | None = None

    def announce(self, requests: int) -> None:
        if not self._knows_size:
            # These are the pages of the search. Each item may be a course without a full record.
            self._knows_size = True
            records = settings.DISCOVERY_PAGE_SIZE / settings.DISCOVERY_KEYS_PER_CALL
            requests += round((requests + 1) * records)
        if request_budget.is_limited() and requests > self._left and not self._reserve(requests):
            self._cache_from_now_on()

    def before_request(self) -> None:
        if not request_budget.is_limited():
            self._uncounted += 1
            return
        if self._left and time.monotonic() >= self._minute_ends and not self._reserve(self._left):
            # A reservation counts for an hour from when its requests are made, which may be much later.
            self._return_reserved()
            self._cache_from_now_on()
        if self._reserved and self._left:
            self._reserved = replace(self._reserved, requests=self._left - 1)
        else:
            super().before_request()

    def get_cached(self, request: DiscoveryRequest) -> dict[str, Any] | None:
        digest = request.digest() if self._cached else ""
        if digest not in self._cached:
            return None
        self._cached.discard(digest)
        cached = KeptAnswer.objects.filter(equivalence_key=self._key, question=digest).first()
        return unpack(cached.answer) if cached else None

    def cache(self, request: DiscoveryRequest, answer: dict[str, Any]) -> None:
        if self._caches:
            self._store(request, pack(answer))
        elif not self._knows_size and request_budget.is_limited():
            self._last = request, pack(answer)

    def clear(self) -> None:
        self._cached, self._last = set(), None
        KeptAnswer.objects.filter(equivalence_key=self._key).delete()

    def close(self, *, complete: bool) -> None:
        """Return reserved requests that were not made; delete the cached answers of a complete fetch."""
        self._return_reserved()
        if self._uncounted:
            request_budget.count_requests(self._uncounted, self._consumers)
            self._uncounted = 0
        if complete and self._has_stored:
            self.clear()

    @property
    def _left(self) -> int:
        return self._reserved.requests if self._reserved else 0

    def _reserve(self, requests: int) -> bool:
        """Reserve this many requests in place of those reserved before. If that fails, the old reservation stays."""
        counted = request_budget.count_requests(requests, self._consumers, instead_of=self._reserved)
        if counted is None:
            return False
        self._reserved = counted
        left = (counted.minute + 1) * 60 - database_now().timestamp()
        self._minute_ends = time.monotonic() + left
        return True

    def _return_reserved(self) -> None:
        if self._reserved and self._left:
            request_budget.return_unused(self._reserved)
        self._reserved = None

    def _cache_from_now_on(self) -> None:
        if not self._caches:
            log.info("discovery_budget_is_short", reserved=self._left, spent=request_budget.requests_last_hour())
        self._caches = True
        if self._last:
            self._store(*self._last)

    def _store(self, request: DiscoveryRequest, packed: bytes) -> None:
        if len(packed) > settings.CACHED_ANSWER_MAX_BYTES:
            return
        self._has_stored = True
        KeptAnswer.objects.update_or_create(
            equivalence_key=self._key,
            question=request.digest(),
            defaults={"answered_at": self._began_at, "answer": packed},
        )


def _usable_answers(equivalence_key: str, *, asked_at: Sequence[datetime]) -> set[str]:
    """Return the digests of requests whose cached answers may be used: all or none, as old as the oldest one."""
    answers = dict(KeptAnswer.objects.filter(equivalence_key=equivalence_key).values_list("question", "answered_at"))
    if not answers:
        return set()
    oldest_allowed = max([database_now() - timedelta(hours=settings.CACHED_ANSWERS_HOURS), *asked_at])
    if min(answers.values()) > oldest_allowed:
        return set(answers)
    KeptAnswer.objects.filter(equivalence_key=equivalence_key).delete()
    return set()
