"""
Inject every fault that docs/promises.rst names: `make faults`, or `make faults TIMES=20` for twenty rounds.

Each fault prints a line: what happened, what was expected, what was seen, and how long it took. The faults are the
tests in tests/faults; `make test` runs the quicker ones of each kind.
"""

import subprocess
import sys
import time

from scripts import debian, processes
from scripts.run_tests import ROOT, clean_environment
from scripts.services import Services

# More at once than there are processors: most of the time each waits, for leases to end and servers to start.
PYTEST = ["pytest", "-q", "-n", "4", "--dist", "worksteal", "--no-header", "--tb", "short", "--show-capture", "no"]


def run_once(extra_arguments: list[str]) -> bool:
    with Services() as services:
        environment = {**clean_environment(), **services.environment(), "OUTCOME_LINES": "1"}
        command = [sys.executable, "-m", *PYTEST, "tests/faults", *extra_arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main(times: int, extra_arguments: list[str]) -> int:
    try:
        debian.ensure(["mariadb", "redis", "faketime", "dump"])
    except debian.Missing as error:
        print(error, file=sys.stderr)
        return 1
    failed = 0
    for number in range(1, times + 1):
        started = time.monotonic()
        try:
            passed = run_once(extra_arguments)
        except processes.NotReady as error:
            print(error, file=sys.stderr)
            passed = False
        failed += not passed
        verdict = "passed" if passed else "FAILED"
        print(f"round {number} of {times}: {verdict} in {time.monotonic() - started:.0f} s", flush=True)
    print(f"rounds: {times - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
