"""
Count requests to discovery against the hourly budget that all workers share (DISC-16, RUN-7, ADR 0023).

One row counts requests by minute and by consumer. A worker locks it before it makes requests, so all workers together
never make more than DISCOVERY_REQUESTS_PER_HOUR. Nobody waits here: requests that do not fit are refused.

    1. DISCOVERY_DUE_SHARE of the budget is reserved for runs that are due; requests of people never use it.
    2. The rest is the people's part. Within an hour nobody gets more of it than what is still free, but everybody gets
       a few requests (DISCOVERY_FIRST_SHARE) while any are free. So the next person finds some, however much others
       want.
    3. Due runs may use what people leave, except DISCOVERY_ASKED_SHARE of the budget, which stays free for people.
    4. First publishes that people asked for may also use half of the reserve.

Without a limit requests are counted in the same way and never refused: the order of runs depends on the counts
(`refresh.queue.priority`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import DiscoveryBudget

# Consumers beside the customers, who count by their uuid.
OPERATORS, PREVIEWS, DUE, FIRST, REVIEWS = "operators", "previews", "due", "first", "reviews"
# Consumers outside the people's part. FIRST is what first publishes need beyond the part of those who asked.
BACKGROUND = (DUE, FIRST, REVIEWS)

# A request of the oldest minute may have come at its end, so one more minute than an hour has counts.
_MINUTES = 61
_ROW = 1
_ANY_NUMBER = 1_000_000_000


@dataclass(frozen=True)
class Consumers:
    """
    Who the requests of a fetch may count for.

    They count for the asker who used least so far. If that one has too few left, they count for `background`, one of
    BACKGROUND, if the fetch may use it.
    """

    askers: frozenset[str] = frozenset()
    background: str | None = None


@dataclass(frozen=True)
class CountedRequests:
    """Requests that count for a consumer under a minute of the epoch."""

    consumer: str
    minute: int
    requests: int


@dataclass
class HourlyUsage:
    """
    Requests of the last hour by minute, and by consumer and minute.

    Requests that an older version counted belong to no consumer.
    """

    minute: int
    by_minute: dict[str, int]
    by_consumer: dict[str, dict[str, int]]

    @property
    def total(self) -> int:
        return sum(self.by_minute.values())

    def used_by(self, consumer: str) -> int:
        return sum(self.by_consumer.get(consumer, {}).values())

    @property
    def used_by_people(self) -> int:
        return sum(self.used_by(consumer) for consumer in self.by_consumer if consumer not in BACKGROUND)

    def used_by_kind(self) -> dict[str, int]:
        """Return the requests of all customers together and of each other consumer; no customer is named."""
        named = {kind: self.used_by(kind) for kind in (OPERATORS, PREVIEWS, *BACKGROUND)}
        return {"customers": self.used_by_people - named[OPERATORS] - named[PREVIEWS], **named}

    def left_for(self, asker: str) -> int:
        """Return how many requests of the people's part this asker may make now."""
        if not is_limited():
            return _ANY_NUMBER
        free = min(people_part() - self.used_by_people, settings.DISCOVERY_REQUESTS_PER_HOUR - self.total)
        used = self.used_by(asker)
        return max(0, (free - used) // 2, min(free, first_requests() - used))

    def left_in_background(self, consumer: str) -> int:
        """Return how many requests this one of BACKGROUND may make now."""
        if not is_limited():
            return _ANY_NUMBER
        free = settings.DISCOVERY_REQUESTS_PER_HOUR - self.total
        free_of_people = max(0, people_part() - self.used_by_people)
        if consumer == FIRST:
            return max(0, min(reserved_part() // 2 - self.used_by(FIRST), free - free_of_people))
        return max(0, free - min(kept_part(), free_of_people))

    def consumer_for(self, requests: int, consumers: Consumers) -> str | None:
        """Return the consumer that these requests count for; None if they may not be made."""
        asker = self._least_served(consumers.askers)
        if asker is not None and self.left_for(asker) >= requests:
            return asker
        if consumers.background and self.left_in_background(consumers.background) >= requests:
            return consumers.background
        return None

    def asker_may_begin(self, askers: Iterable[str]) -> bool:
        """
        Say whether a fetch for these askers may begin.

        An asker who used little needs one request. Others wait for as many as come back during the pause of an
        interrupted fetch. If a fetch began for each request that comes back, many would share them, and none would
        end before its first answers are too old.
        """
        asker = self._least_served(askers)
        # A single customer uses half of the part.
        enough = 1 if asker and self.used_by(asker) < first_requests() else _back_after_a_pause(people_part() // 2)
        return asker is not None and self.left_for(asker) >= enough

    def background_may_begin(self, consumer: str) -> bool:
        """Say whether as many requests are left as come back during a pause, for the same reason."""
        most = reserved_part() // 2 if consumer == FIRST else settings.DISCOVERY_REQUESTS_PER_HOUR - kept_part()
        return self.left_in_background(consumer) >= _back_after_a_pause(most)

    def _least_served(self, askers: Iterable[str]) -> str | None:
        return min(askers, key=lambda asker: (self.used_by(asker), asker), default=None)


def is_limited() -> bool:
    return settings.DISCOVERY_REQUESTS_PER_HOUR > 0


def reserved_part() -> int:
    """Return how many requests per hour are reserved for runs that are due."""
    return int(settings.DISCOVERY_REQUESTS_PER_HOUR * settings.DISCOVERY_DUE_SHARE)


def people_part() -> int:
    """Return how many requests per hour all people together may use."""
    return int(settings.DISCOVERY_REQUESTS_PER_HOUR) - reserved_part()


def first_requests() -> int:
    """Return how many requests per hour everybody may make while any of the people's part is free."""
    return max(1, int(people_part() * settings.DISCOVERY_FIRST_SHARE))


def kept_part() -> int:
    """Return how many requests per hour due runs leave free for people."""
    return int(settings.DISCOVERY_REQUESTS_PER_HOUR * settings.DISCOVERY_ASKED_SHARE)


def last_hour() -> HourlyUsage:
    """Return the usage up to now, reserved requests included."""
    row = DiscoveryBudget.objects.filter(pk=_ROW).first()
    return _usage(row) if row else HourlyUsage(_minute(), {}, {})


def requests_last_hour() -> int:
    """Return the number of requests of the last hour, reserved ones included."""
    return last_hour().total


@retry_lost_locks
@transaction.atomic
def count_requests(
    requests: int, consumers: Consumers, *, instead_of: CountedRequests | None = None
) -> CountedRequests | None:
    """
    Count these requests and return for whom and when; None if they must not be made.

    `instead_of` is what was counted before for the same requests and not made. It stays counted if this returns None.
    """
    row = _locked_row()
    # Read the clock after taking the lock: the minute may change while waiting.
    hour = _usage(row)
    if instead_of is not None:
        _add(hour, instead_of.consumer, instead_of.minute, -instead_of.requests)
    consumer = hour.consumer_for(requests, consumers)
    if consumer is None:
        return None
    _add(hour, consumer, hour.minute, requests)
    _save(row, hour)
    return CountedRequests(consumer, hour.minute, requests)


@retry_lost_locks
@transaction.atomic
def return_unused(counted: CountedRequests) -> None:
    """Take back requests that were counted and not made."""
    row = _locked_row()
    hour = _usage(row)
    _add(hour, counted.consumer, counted.minute, -counted.requests)
    _save(row, hour)


def _locked_row() -> DiscoveryBudget:
    row, _ = DiscoveryBudget.objects.select_for_update().get_or_create(pk=_ROW)
    return row


def _usage(row: DiscoveryBudget) -> HourlyUsage:
    minute = _minute()
    by_consumer = {consumer: _of_the_last_hour(used, minute) for consumer, used in (row.spent_by or {}).items()}
    return HourlyUsage(
        minute=minute,
        by_minute=_of_the_last_hour(row.spent, minute),
        by_consumer={consumer: used for consumer, used in by_consumer.items() if used},
    )


def _save(row: DiscoveryBudget, hour: HourlyUsage) -> None:
    row.spent, row.spent_by = hour.by_minute, hour.by_consumer
    row.save(update_fields=["spent", "spent_by"])


def _add(hour: HourlyUsage, consumer: str, minute: int, requests: int) -> None:
    """Add requests, or take them back. Those older than an hour are not counted any more and need no taking back."""
    for counted in (hour.by_minute, hour.by_consumer.setdefault(consumer, {})):
        before = counted.get(str(minute), 0)
        counted[str(minute)] = max(0, before + requests)
        if not counted[str(minute)]:
            del counted[str(minute)]
    if not hour.by_consumer[consumer]:
        del hour.by_consumer[consumer]


def _back_after_a_pause(requests_per_hour: int) -> int:
    return max(1, requests_per_hour * settings.DISCOVERY_BUDGET_PAUSE_SECONDS // 3600)


def _minute() -> int:
    return int(database_now().timestamp() // 60)


def _of_the_last_hour(used: dict[str, int], minute: int) -> dict[str, int]:
    return {then: requests for then, requests in used.items() if minute - _MINUTES < int(then) <= minute}
