"""Compare ratios, counts and memory of two runs, which vary little with the machine and its load."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.targets import judge

# Less than this is the noise of a run.
MOVED = 0.15


@dataclass(frozen=True)
class Move:
    what: str
    before: float | None
    now: float | None

    def __str__(self) -> str:
        if self.before is None or self.now is None:
            return f"{self.what}: {'new' if self.before is None else 'gone'}"
        word = "worse" if self.now > self.before else "better"
        return f"{self.what}: {self.before:.2f} -> {self.now:.2f} ({word})"


def moves(before: dict[str, Any], now: dict[str, Any]) -> Iterator[Move]:
    """Yield judged values that changed by more than the noise. Smaller is always better."""
    old = {verdict.what: verdict.value for verdict in judge(before)}
    new = {verdict.what: verdict.value for verdict in judge(now)}
    for what in old | new:
        move = Move(what, old.get(what), new.get(what))
        if move.before is None or move.now is None or _moved(move.before, move.now):
            yield move


def _moved(before: float, now: float) -> bool:
    return abs(now - before) > MOVED * max(abs(before), abs(now))
