"""
Apply faults to answers on request: which answers, and how.

A fault never changes the data set. Faults are matched in the order in which they were added, and all that match apply.
"""

import copy
from dataclasses import dataclass, fields
from itertools import count
from threading import Lock
from typing import Any

from enterprise_catalog.sandbox.messages import Answer, Request

ENDPOINTS = ("search_v1", "search_v2", "courses", "programs", "course_review", "customers", "token")


class BadFault(ValueError):
    """A fault that could never apply, or would do nothing."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    # Which answers: all of these have to fit.
    endpoint: str = "*"  # one of ENDPOINTS, `search` for both versions, `*` for all
    page: int | None = None  # by position, also on cursor pages
    call: int | None = None  # the nth answer that fits the rest, from 1
    contains: str | None = None  # text in the URL or the body of the request
    times: int | None = None  # how often to apply; without end if absent

    # What happens to them.
    delay: float = 0  # seconds before the answer
    drip: float = 0  # seconds over which the body arrives, bit by bit
    status: int | None = None
    retry_after: str | int | None = None
    merge: dict[str, Any] | None = None  # laid over the answer's object
    raw: str | None = None  # instead of the body, word for word
    count_delta: int = 0
    duplicate: int | None = None  # position of the item to list twice
    missing: int | None = None  # position of the item to leave out
    foreign_next: bool = False
    looping_next: bool = False
    no_next: bool = False
    malformed: bool = False
    nan: bool = False
    truncate: bool = False
    drop: bool = False

    def __post_init__(self) -> None:
        if self.endpoint not in (*ENDPOINTS, "search", "*"):
            raise BadFault(f"unknown endpoint {self.endpoint!r}")
        defaults = {field.name: field.default for field in fields(self)}
        conditions = {"endpoint", "page", "call", "contains", "times"}
        if all(getattr(self, name) == defaults[name] for name in defaults.keys() - conditions):
            raise BadFault("a fault needs an effect")

    @classmethod
    def from_json(cls, value: Any) -> "Fault":
        if not isinstance(value, dict):
            raise BadFault("a fault is an object")
        unknown = value.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise BadFault(f"unknown: {', '.join(sorted(unknown))}")
        return cls(**value)

    def fits(self, *, endpoint: str, page: int | None, request: Request) -> bool:
        return (
            self.endpoint in ("*", endpoint) or (self.endpoint == "search" and endpoint.startswith("search_"))
        ) and (
            self.page in (None, page)
            and (
                self.contains is None or self.contains in request.url_with() + request.raw_body.decode(errors="replace")
            )
        )


class FaultBook:
    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._faults: dict[int, Fault] = {}
        self._seen: dict[int, int] = {}
        self._applied: dict[int, int] = {}

    def add(self, fault: Fault) -> int:
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = fault
            self._seen[number] = self._applied[number] = 0
            return number

    def remove(self, number: int) -> None:
        with self._lock:
            self._faults.pop(number, None)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def applied(self, number: int) -> int:
        """How many answers this fault has spoilt so far."""
        return self._applied[number]

    def take(self, *, endpoint: str, page: int | None, request: Request) -> list[Fault]:
        """The faults for this answer, each one counted as used."""
        taken = []
        with self._lock:
            for number, fault in self._faults.items():
                if not fault.fits(endpoint=endpoint, page=page, request=request):
                    continue
                self._seen[number] += 1
                if fault.call not in (None, self._seen[number]):
                    continue
                if fault.times is not None and self._applied[number] >= fault.times:
                    continue
                self._applied[number] += 1
                taken.append(fault)
        return taken


def spoil(answer: Answer, fault: Fault, request: Request) -> Answer:
    """The answer with a fault's effect on status, headers and payload; effects on the wire are the server's."""
    spoilt = Answer(
        status=answer.status, payload=copy.deepcopy(answer.payload), headers=dict(answer.headers), page=answer.page
    )
    if fault.status is not None:
        spoilt.status = fault.status
        spoilt.payload = {"detail": f"The sandbox was asked to answer {fault.status}."}
    if fault.retry_after is not None:
        spoilt.headers["Retry-After"] = str(fault.retry_after)
    if isinstance(spoilt.payload, dict):
        _spoil_page(spoilt.payload, fault, request)
        spoilt.payload.update(fault.merge or {})
    return spoilt


def _spoil_page(payload: dict[str, Any], fault: Fault, request: Request) -> None:
    results = payload.get("results")
    if isinstance(results, list):
        if fault.duplicate is not None and fault.duplicate < len(results):
            results.append(copy.deepcopy(results[fault.duplicate]))
        if fault.missing is not None and fault.missing < len(results):
            del results[fault.missing]
    if "count" in payload:
        payload["count"] += fault.count_delta
    if fault.foreign_next:
        payload["next"] = request.url_with(page=2).replace(request.base_url, "https://elsewhere.example.com")
    if fault.looping_next:
        payload["next"] = request.url_with()
    if fault.no_next:
        payload["next"] = None
