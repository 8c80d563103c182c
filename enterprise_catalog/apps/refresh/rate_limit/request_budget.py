"""
The hourly budget of requests to discovery, shared by all workers (DISC-16), and how it is shared (RUN-7, ADR 0023).

One row counts what was asked in each minute, and for whom. Whoever wants to ask locks it, so that any number of
workers together never ask more within an hour than DISCOVERY_REQUESTS_PER_HOUR. Nobody waits here: what does not fit is
refused.

    1. DISCOVERY_DUE_SHARE of it is reserved for runs that are due; requests of people never touch it
    2. of the rest, people's part, nobody has more within an hour than is still free of it, but everybody a few requests
       (DISCOVERY_FIRST_SHARE) while anything is; so whoever comes next finds something, however much others want
    3. due runs may use what people leave, but for DISCOVERY_ASKED_SHARE of the budget, which stays free for people
    4. what people ask for and never published may use half of the reserve, too

Without a limit everything is counted the same way and nothing refused: whose turn it is hangs on it
(`refresh.queue.priority`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import DiscoveryBudget

# For whom requests count, beside customers, who count by their uuid.
OPERATORS, PREVIEWS, DUE, FIRST, REVIEWS = "operators", "previews", "due", "first", "reviews"
# What is not of people's part: due runs, first publishes as far as their askers' part does not suffice, course reviews.
BACKGROUND = (DUE, FIRST, REVIEWS)

# A request of the oldest minute may have come at its end, so one more minute than an hour has counts.
_MINUTES = 61
_ROW = 1
_ANY_NUMBER = 1_000_000_000


@dataclass(frozen=True)
class Payers:
    """
    For whom a fetch counts: of its askers the one who had the least so far, and what that one may not have for one of
    BACKGROUND, if it has a right to it.
    """

    askers: frozenset[str] = frozenset()
    background: str | None = None


@dataclass(frozen=True)
class Booking:
    """Requests that count for somebody under a minute."""

    payer: str
    minute: int
    requests: int


@dataclass
class SpentHour:
    """What was asked until now: by minute, and of it by whom. Requests of an older version count for nobody."""

    minute: int
    by_minute: dict[str, int]
    by_payer: dict[str, dict[str, int]]

    @property
    def spent(self) -> int:
        """By everybody."""
        return sum(self.by_minute.values())

    def had(self, payer: str) -> int:
        return sum(self.by_payer.get(payer, {}).values())

    @property
    def had_by_people(self) -> int:
        return sum(self.had(payer) for payer in self.by_payer if payer not in BACKGROUND)

    def by_kind(self) -> dict[str, int]:
        """Requests of all customers, of operators, and so on; every kind is there, and no customer is named."""
        named = {kind: self.had(kind) for kind in (OPERATORS, PREVIEWS, *BACKGROUND)}
        return {"customers": self.had_by_people - named[OPERATORS] - named[PREVIEWS], **named}

    def least_of(self, askers: Iterable[str]) -> str | None:
        """Who of these had the least."""
        return min(askers, key=lambda asker: (self.had(asker), asker), default=None)

    def left_for(self, asker: str) -> int:
        """How many requests of people's part somebody may make now."""
        if not is_limited():
            return _ANY_NUMBER
        free = min(people_part() - self.had_by_people, settings.DISCOVERY_REQUESTS_PER_HOUR - self.spent)
        had = self.had(asker)
        return max(0, (free - had) // 2, min(free, first_requests() - had))

    def left_in_background(self, payer: str) -> int:
        """How many requests that nobody's part pays may be made now."""
        if not is_limited():
            return _ANY_NUMBER
        free = settings.DISCOVERY_REQUESTS_PER_HOUR - self.spent
        free_of_people = max(0, people_part() - self.had_by_people)
        if payer == FIRST:
            return max(0, min(reserved_part() // 2 - self.had(FIRST), free - free_of_people))
        return max(0, free - min(kept_part(), free_of_people))

    def payer_of(self, requests: int, payers: Payers) -> str | None:
        """For whom these requests count; None if they may not be made."""
        asker = self.least_of(payers.askers)
        if asker is not None and self.left_for(asker) >= requests:
            return asker
        if payers.background and self.left_in_background(payers.background) >= requests:
            return payers.background
        return None

    def asker_may_begin(self, askers: Iterable[str]) -> bool:
        """
        Who had little lately begins with one request. Others wait until there is what comes back during the pause of
        an interrupted fetch, which is due again by then: if one began for each request that comes back, many would
        share them, and none would get to its end before its first answers are too old.
        """
        asker = self.least_of(askers)
        # A single customer uses half of the part.
        enough = 1 if asker and self.had(asker) < first_requests() else _back_after_a_pause(people_part() // 2)
        return asker is not None and self.left_for(asker) >= enough

    def background_may_begin(self, payer: str) -> bool:
        """True when there is what comes back during a pause, for the same reason."""
        most = reserved_part() // 2 if payer == FIRST else settings.DISCOVERY_REQUESTS_PER_HOUR - kept_part()
        return self.left_in_background(payer) >= _back_after_a_pause(most)


def is_limited() -> bool:
    return settings.DISCOVERY_REQUESTS_PER_HOUR > 0


def reserved_part() -> int:
    """What only runs that are due may use, in requests an hour."""
    return int(settings.DISCOVERY_REQUESTS_PER_HOUR * settings.DISCOVERY_DUE_SHARE)


def people_part() -> int:
    """What people's requests may use, all together."""
    return int(settings.DISCOVERY_REQUESTS_PER_HOUR) - reserved_part()


def first_requests() -> int:
    """How many everybody may make while anything is free of people's part."""
    return max(1, int(people_part() * settings.DISCOVERY_FIRST_SHARE))


def kept_part() -> int:
    """What due runs leave free for people."""
    return int(settings.DISCOVERY_REQUESTS_PER_HOUR * settings.DISCOVERY_ASKED_SHARE)


def last_hour() -> SpentHour:
    """As of now, what is reserved included."""
    row = DiscoveryBudget.objects.filter(pk=_ROW).first()
    return _hour(row) if row else SpentHour(_minute(), {}, {})


def requests_last_hour() -> int:
    """Requests of the last hour, those included that are reserved."""
    return last_hour().spent


@retry_lost_locks
@transaction.atomic
def count_requests(requests: int, payers: Payers, *, instead_of: Booking | None = None) -> Booking | None:
    """
    Count these requests; returns for whom and when, or None, and then they must not be made. `instead_of` is how they,
    or some of them, were counted before, without being made; it stays when the answer is None.
    """
    row = _locked_row()
    # Not before: while we wait for the row a minute may end, and others count under the next one.
    hour = _hour(row)
    if instead_of is not None:
        _add(hour, instead_of.payer, instead_of.minute, -instead_of.requests)
    payer = hour.payer_of(requests, payers)
    if payer is None:
        return None
    _add(hour, payer, hour.minute, requests)
    _save(row, hour)
    return Booking(payer, hour.minute, requests)


@retry_lost_locks
@transaction.atomic
def return_unused(booking: Booking) -> None:
    """These requests were not made."""
    row = _locked_row()
    hour = _hour(row)
    _add(hour, booking.payer, booking.minute, -booking.requests)
    _save(row, hour)


def _locked_row() -> DiscoveryBudget:
    row, _ = DiscoveryBudget.objects.select_for_update().get_or_create(pk=_ROW)
    return row


def _hour(row: DiscoveryBudget) -> SpentHour:
    minute = _minute()
    by_payer = {payer: _of_the_last_hour(spent, minute) for payer, spent in (row.spent_by or {}).items()}
    return SpentHour(
        minute=minute,
        by_minute=_of_the_last_hour(row.spent, minute),
        by_payer={payer: spent for payer, spent in by_payer.items() if spent},
    )


def _save(row: DiscoveryBudget, hour: SpentHour) -> None:
    row.spent, row.spent_by = hour.by_minute, hour.by_payer
    row.save(update_fields=["spent", "spent_by"])


def _add(hour: SpentHour, payer: str, minute: int, requests: int) -> None:
    """What is older than an hour counts no more, and need not be taken back."""
    for counted in (hour.by_minute, hour.by_payer.setdefault(payer, {})):
        before = counted.get(str(minute), 0)
        counted[str(minute)] = max(0, before + requests)
        if not counted[str(minute)]:
            del counted[str(minute)]
    if not hour.by_payer[payer]:
        del hour.by_payer[payer]


def _back_after_a_pause(requests_per_hour: int) -> int:
    return max(1, requests_per_hour * settings.DISCOVERY_BUDGET_PAUSE_SECONDS // 3600)


def _minute() -> int:
    return int(database_now().timestamp() // 60)


def _of_the_last_hour(spent: dict[str, int], minute: int) -> dict[str, int]:
    return {then: requests for then, requests in spent.items() if minute - _MINUTES < int(then) <= minute}
