"""
Model the order of the queue, and how much of the hourly budget each may use (RUN-7, DISC-16), as plain values.

It shares no code with the service and does not read its database. Time is in minutes, and passes when the test says so.
A request that was made in a minute counts for that minute and the next sixty.
"""

from dataclasses import dataclass, field

# A fetch that the budget interrupts pauses for so many minutes.
PAUSE = 5
# What is not of people's part.
DUE, FIRST = "due", "first"


@dataclass(frozen=True)
class Waiting:
    """
    A run that waits. `askers` is empty when only the schedule wants it; `is_published`: its query has been, at any
    time; `is_due`: longer ago than the interval of the schedule.
    """

    uuid: str
    askers: frozenset[str] = frozenset()
    asked_at: float = 0
    requested_at: float = 0
    is_interrupted: bool = False
    is_published: bool = True
    is_due: bool = False

    @property
    def right(self) -> str:
        """The background share that the run may use besides its askers', if any."""
        if not self.askers or (self.is_published and self.is_due):
            return DUE
        return "" if self.is_published else FIRST


@dataclass
class Shares:
    """The budget of an hour (0: any number of requests), and what was asked of it: (minute, for whom, how many)."""

    limit: int
    due_share: float = 0.5
    kept_share: float = 0.1
    first_share: float = 0.05
    now: int = 0
    asked: list[tuple[int, str, int]] = field(default_factory=list)

    def had(self, *names: str) -> int:
        """Return the requests of these within the hour, or of all."""
        return sum(
            number for minute, name, number in self.asked if minute >= self.now - 60 and (not names or name in names)
        )

    @property
    def people(self) -> set[str]:
        return {name for _, name, _ in self.asked} - {DUE, FIRST}

    @property
    def reserve(self) -> int:
        return int(self.limit * self.due_share)

    @property
    def kept(self) -> int:
        return int(self.limit * self.kept_share)

    def take(self, name: str, minute: int, number: int) -> None:
        """Count requests for a consumer in a minute. A negative number takes requests back."""
        self.asked.append((minute, name, number))

    @property
    def first(self) -> int:
        return max(1, int((self.limit - self.reserve) * self.first_share))

    # --- How much -----------------------------------------------------------------------------------------------------

    def asker_may(self, name: str, number: int) -> bool:
        """
        Of the part of people nobody has more than is still free of it afterwards, but everybody the first few requests
        while anything is free.
        """
        if not self.limit:
            return True
        part, others = self.limit - self.reserve, self.had(*self.people, "")
        free = min(part - others, self.limit - self.had()) - number
        return free >= 0 and self.had(name) + number <= max(free, self.first)

    def background_may(self, right: str, number: int) -> bool:
        """
        Due runs leave free what is kept for people, as far as people have left so much of their part; first publishes
        have half of the reserve, while nothing else has used it.
        """
        if not self.limit or not right:
            return bool(right)
        part = self.limit - self.reserve - self.had(*self.people, "")
        if right == FIRST:
            return self.had(FIRST) + number <= self.reserve // 2 and self.had(DUE, FIRST) + number <= self.reserve
        return self.had() + number <= self.limit - min(self.kept, part)

    def consumer(self, askers: frozenset[str], right: str, number: int) -> str | None:
        """Return for whom requests count: of several askers, the one with the fewest. None if they may not be made."""
        for name in sorted(askers, key=lambda name: (self.had(name), name))[:1]:
            if self.asker_may(name, number):
                return name
        return right if self.background_may(right, number) else None

    # --- Who comes next -----------------------------------------------------------------------------------------------

    def next(self, runs: list[Waiting]) -> Waiting | None:
        """Return the run that comes next, if only the budget decides."""
        return next(iter(self.in_turn(runs)), None)

    def in_turn(self, runs: list[Waiting]) -> list[Waiting]:
        asked = sorted((run for run in runs if run.askers and self._askers_may_begin(run)), key=self._turn_of_asked)
        rest = [run for run in runs if run not in asked and self._background_may_begin(run)]
        return asked + sorted(rest, key=lambda run: (not run.is_published, run.requested_at, run.uuid))

    def _turn_of_asked(self, run: Waiting) -> tuple:
        """
        The customer who had the least; what was interrupted, so that it gets to its end; the newest request; the
        longest waiting.
        """
        return (self._least(run), not run.is_interrupted, -run.asked_at, run.requested_at, run.uuid)

    def _least(self, run: Waiting) -> int:
        return min(self.had(name) for name in run.askers)

    def _askers_may_begin(self, run: Waiting) -> bool:
        """
        Who had little begins with one request. Others wait until there is what comes back to one who uses half of
        people's part during a pause, so that their fetches do not all begin and none ends.
        """
        name = min(run.askers, key=lambda name: (self.had(name), name))
        enough = max(1, (self.limit - self.reserve) * PAUSE // 60 // 2)
        return self.asker_may(name, 1 if self.had(name) < self.first else enough)

    def _background_may_begin(self, run: Waiting) -> bool:
        most = self.reserve // 2 if run.right == FIRST else self.limit - self.kept
        return self.background_may(run.right, max(1, most * PAUSE // 60))
