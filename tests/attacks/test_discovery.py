"""A hostile discovery fails its refresh, and costs neither memory nor what readers see (DISC-17)."""

import psutil
import pytest

from tests.attacks.conftest import ACME_CATALOG, Target
from tests.outcome_lines import Saw

pytestmark = pytest.mark.attack

MB = 1024 * 1024
# docs/performance.rst has the figures; without a bound, these took some 2,000.
MOST_GROWN_MB = 300
BODIES = {
    "sixty megabytes of empty objects": lambda: '{"results": [' + "{}," * 20_000_000 + "{}]}",
    "a million lists in one another": lambda: "[" * 1_000_000 + "]" * 1_000_000,
    "one text of sixty megabytes": lambda: '{"next": "' + "x" * 60_000_000 + '", "results": [], "count": 0}',
    "a page for people": lambda: "<html>" + "<p>error</p>" * 1000,
}


def memory(target: Target) -> int:
    """Of the worker and its children, the high-water mark of each."""
    worker = psutil.Process(target.service.processes["worker"].pid)
    peaks = []
    for process in (worker, *worker.children(recursive=True)):
        with open(f"/proc/{process.pid}/status") as status:
            peaks += [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")]
    return max(peaks)


@pytest.mark.parametrize("name", BODIES)
def test_an_answer_of(target: Target, name: str, saw: Saw) -> None:
    """The run fails by name, the catalog is what it was, and the worker goes on with its next run (DISC-17)."""
    before = target.operator.call("GET", f"{ACME_CATALOG}get_content_metadata/")["count"]
    peak = memory(target)
    target.sandbox.add_fault(endpoint="search", raw=BODIES[name]())
    try:
        failed = target.operator.wait_for(
            target.operator.call("POST", f"{ACME_CATALOG}refresh_metadata/")["async_task_id"]
        )
    finally:
        target.sandbox.clear_faults()
    grown = (memory(target) - peak) / MB
    assert failed["state"] == "failed", failed
    assert target.operator.call("GET", f"{ACME_CATALOG}get_content_metadata/")["count"] == before
    assert grown < MOST_GROWN_MB
    again = target.operator.wait_for(target.operator.call("POST", f"{ACME_CATALOG}refresh_metadata/")["async_task_id"])
    assert again["state"] == "published", again
    saw(f"{failed['reason']['code'] if failed.get('reason') else failed['state']}, the worker grew by {grown:.0f} MB")
