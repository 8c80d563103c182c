"""
Attack the service in every way that docs/security.rst lists: `make attack`.

Each attack prints a line: what was done, what was expected, and what was seen. The attacks are the tests in
tests/attacks. They start the whole service on loopback, with production settings, and end by themselves.
"""

import subprocess
import sys
from collections.abc import Mapping

from scripts import debian, processes
from scripts.run_tests import ROOT, clean_environment
from scripts.services import Services

PYTEST = ["pytest", "-q", "--no-header", "--tb", "short", "--show-capture", "no"]
# They run one after the other, since they share the processes that they start.
ON_THE_SERVICE = ["tests/attacks"]
# An hour of requests does not fit into a test with a real clock, so this drives the queue alone, on MariaDB.
ON_THE_QUEUE = ["tests/faults/test_fairness.py"]


def attack(paths: list[str], environment: Mapping[str, str]) -> bool:
    command = [sys.executable, "-m", *PYTEST, *paths]
    return subprocess.run(command, cwd=ROOT, env={**environment, "OUTCOME_LINES": "1"}, check=False).returncode == 0


def main(extra_arguments: list[str]) -> int:
    clean = clean_environment()
    try:
        debian.ensure(["mariadb", "redis"])
        if extra_arguments:
            return 0 if attack([*ON_THE_SERVICE, *extra_arguments], clean) else 1
        held = attack(ON_THE_SERVICE, clean)
        with Services() as services:
            held = attack(ON_THE_QUEUE, {**clean, **services.environment()}) and held
    except (debian.Missing, processes.NotReady) as error:
        print(error, file=sys.stderr)
        return 1
    print("all attacks held" if held else "NOT all attacks held", flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
