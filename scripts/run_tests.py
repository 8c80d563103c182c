"""
Run the checks, the suite on SQLite, and the suite on a MariaDB and Redis that it starts: `make test`.

All stages run even if an early one fails. The exit code is 0 only if all passed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts import debian, processes
from scripts.services import Services

ROOT = Path(__file__).resolve().parent.parent
# Variables of the shell that would change what the suite does.
FOREIGN_VARIABLES = ("DATABASE_URL", "DATABASE_REPLICA_URL", "CELERY_BROKER_URL", "CACHE_URL", "DJANGO_SETTINGS_MODULE")
# Not in a suite: tests that start many processes, and those that have a command of their own.
APART = "local_run or thorough or attack"


@dataclass(frozen=True)
class Stage:
    name: str
    passed: bool
    seconds: float


def run_stage(name: str, command: list[str], environment: Mapping[str, str]) -> Stage:
    print(f"\n=== {name}", flush=True)
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=False)
    return Stage(name, done.returncode == 0, time.monotonic() - started)


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}


def main(extra_arguments: list[str]) -> int:
    try:
        debian.ensure(["mariadb", "redis", "browser", "curl", "faketime", "dump", "prometheus", "nginx", "caddy"])
    except debian.Missing as error:
        print(error, file=sys.stderr)
        return 1
    clean = clean_environment()
    # In order (not file by file): tests that empty the database come last, as they do without parallel processes.
    two_at_once = ["pytest", "-q", "-n", "2", "--dist"]
    suite = [*two_at_once, "load", "-m", f"not ({APART})", *extra_arguments]
    # Tests of one file share the processes that they start, so a file stays together.
    whole = [*two_at_once, "loadfile", "-m", "local_run and not thorough", *extra_arguments]
    stages = [
        run_stage("Checks", ["scripts.quality"], clean),
        run_stage("Suite on SQLite", suite, clean),
        run_stage("Whole service", whole, clean),
    ]
    try:
        with Services() as services:
            stages.append(run_stage("Suite on MariaDB and Redis", suite, {**clean, **services.environment()}))
    except processes.NotReady as error:
        print(error, file=sys.stderr)
        stages.append(Stage("Suite on MariaDB and Redis", passed=False, seconds=0))
    print("\n=== Summary")
    for stage in stages:
        print(f"{'passed' if stage.passed else 'FAILED'}  {stage.name} ({stage.seconds:.0f} s)")
    failed = sum(not stage.passed for stage in stages)
    print(f"stages: {len(stages) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
