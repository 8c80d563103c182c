"""
`make attack`: attack the service in every way that docs/security.rst lists, and print a line for each attack: what was
done, what had to come of it, and what was seen.

The attacks are the tests of tests/attacks. They start the whole service on loopback, with production settings, and end
by themselves.
"""

import subprocess
import sys

from scripts import debian
from scripts.run_tests import ROOT, clean_environment

# One after the other, since all of them meet the same processes.
PYTEST = ["pytest", "-q", "--no-header", "--tb", "short", "--show-capture", "no", "tests/attacks"]


def main(extra_arguments: list[str]) -> int:
    try:
        debian.ensure(["mariadb", "redis"])
    except debian.Missing as error:
        print(error, file=sys.stderr)
        return 1
    environment = {**clean_environment(), "OUTCOME_LINES": "1"}
    return subprocess.run(
        [sys.executable, "-m", *PYTEST, *extra_arguments], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
