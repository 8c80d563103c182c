"""Generate what happens in the model's test: saves, failures of discovery, and faults of workers."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.contract.query_model import Caller
from tests.faults.content import FILTERS
from tests.faults.model import Keys, Run

# What happens to a worker, the nth time that it is at which step, and how.
Event = tuple[str, tuple[str, int], Any]

# Few items make several pages.
PAGE_SIZE = 6

ACME, GLOBEX = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "ab")
CALLERS = {
    "operator": ("enterprise_openedx_operator:*", Caller(edits_all=True, sees_all=True)),
    "acme": (f"enterprise_admin:{ACME}", Caller(frozenset([ACME]))),
    "globex": (f"enterprise_admin:{GLOBEX}", Caller(frozenset([GLOBEX]))),
}
UUIDS = [str(UUID(int=number << 96 | 0x4000 << 64 | 0x8000 << 48)) for number in range(1, 6)]
NAMES = [str(UUID(int=number << 96 | 0x4000 << 64 | 0x8000 << 48)) for number in range(11, 14)]


@dataclass(frozen=True)
class Trouble:
    """A failure of discovery, the reason code of the run, and the number of documents it requires."""

    reason: str
    least: int = 0
    fault: dict[str, Any] = field(default_factory=dict)


def trouble(reason: str, least: int = 0, **fault: Any) -> Trouble:
    return Trouble(reason, least, {"endpoint": "search", **fault})


# "postponed" waits again; without a reason nothing comes of it.
TROUBLES = [
    trouble("discovery_unavailable", status=500),
    trouble("discovery_unavailable", status=503, page=2),
    trouble("discovery_rejected", status=403),
    trouble("discovery_malformed", malformed=True, page=2),
    trouble("discovery_malformed", nan=True),
    trouble("discovery_incomplete", count_delta=1),
    trouble("discovery_incomplete", count_delta=-1, page=2),
    trouble("discovery_incomplete", missing=0, page=1, least=1),
    trouble("discovery_incomplete", no_next=True, page=1, least=PAGE_SIZE + 1),
    trouble("discovery_incomplete", looping_next=True, page=2),
    trouble("discovery_unavailable", endpoint="courses", status=502),
    trouble("discovery_incomplete", endpoint="courses", count_delta=1),
    trouble("postponed", status=429, retry_after=600),
    trouble("", status=500, page=1, times=1),
    trouble("", count_delta=3, times=1),
    trouble("", missing=0, page=1, times=1),
    trouble("", duplicate=0, page=1),
]

SAVES = st.tuples(
    st.sampled_from(["operator", "acme", "globex"]),
    st.sampled_from(["post", "put", "patch"]),
    st.integers(0, len(UUIDS) - 1),
    st.integers(0, len(FILTERS) - 1),
    st.sampled_from(["none", "none", "attached", "attached", "other", "0", "1", "2"]),
)
# What happens to a worker, or while it works, at the nth time that it is at a step.
OUTSIDE = [("claimed", 1), ("page", 1), ("page", 2), ("fetched", 1), ("batch", 1), ("batch", 2), ("publishing", 1)]
OUTSIDE += [("publishing", 2), ("published", 1), ("published", 2)]
ANYWHERE = [*OUTSIDE, ("written", 1), ("written", 2)]
FROZEN = ["expires", "is recovered", "is replaced", "is replaced by one that dies"]
DEATHS: list[Event] = [("dies", when, None) for when in ANYWHERE] * 6
DEATHS += [("dies", ("statement", number), None) for number in range(1, 91)]
FREEZES: list[Event] = [(kind, when, first) for kind in FROZEN for when in OUTSIDE for first in (True, False)]
REWRITES: list[Event] = [("rewrite", when, number) for when in OUTSIDE for number in range(len(FILTERS))]


@dataclass(eq=False)
class Worker:
    """One call of `refresh`: what shall happen to it, and what it did so far."""

    event: Event = ("nothing", ("", 0), None)
    seen: Counter[str] = field(default_factory=Counter)
    runs: list[Run] = field(default_factory=list)
    claims: list[Any] = field(default_factory=list)
    found: Keys = frozenset()
    refused: dict[Run, str] = field(default_factory=dict)
