"""
`make faults`: do to the service what can happen to it, and print a line for each fault: what happened, what had to come
of it, what was seen, and how long that took. TIMES=20 does all of it twenty times.

The faults are the tests of tests/faults; `make test` runs the quicker ones of each kind, too.
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
