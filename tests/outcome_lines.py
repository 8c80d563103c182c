"""
Print a line for each test of a directory, for `make faults` and `make attack`; a conftest imports all of it.

What was done is the test's name. What was expected is its docstring. Tests add what was seen.
"""

import os
from collections.abc import Callable
from typing import Any, Protocol

import pytest

__all__ = [
    "Saw",
    "pytest_report_teststatus",
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "saw",
]

OUTCOME_LINES = bool(os.environ.get("OUTCOME_LINES"))
_recoveries: list[tuple[float, str]] = []


class Saw(Protocol):
    def __call__(self, what: str, *, recovery: float | None = None) -> None: ...


@pytest.fixture
def saw(record_property: Callable[[str, object], None]) -> Saw:
    """Record what was seen, and the seconds until recovery, for the printed line."""

    def record(what: str, *, recovery: float | None = None) -> None:
        record_property("saw", what)
        record_property("recovery", recovery or 0.0)

    return record


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    told = (item.function.__doc__ or "").strip()  # type: ignore[attr-defined]
    report.user_properties.append(("expected", " ".join(told.split()) or "passes"))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    told: dict[str, Any] = dict(report.user_properties)
    if not OUTCOME_LINES or "expected" not in told or (report.when != "call" and report.passed):
        return
    case = case_of(report)
    seen = told.get("saw", "as expected") if report.passed else str(report.longrepr).splitlines()[-1]
    verdict = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}[report.outcome]
    print(f"\n{verdict} | {case} | expected: {told['expected']} | seen: {seen} | {report.duration:.1f} s", flush=True)
    _recoveries.append((told.get("recovery", 0.0), case))


def case_of(report: pytest.TestReport) -> str:
    return report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Print no dots between the lines."""
    return (report.outcome if report.when == "call" or report.failed else "", "", "") if OUTCOME_LINES else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds, case = max(_recoveries, default=(0.0, ""))
    if seconds:
        terminalreporter.line(f"slowest recovery: {seconds:.1f} s ({case})")
