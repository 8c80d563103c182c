"""Run every check that reads the code without running the service: `make quality`.

All checks run even when one fails, so that one run shows everything. No file is changed.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from scripts import code_rules, contract_table, lock

ROOT = Path(__file__).resolve().parent.parent

CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("import contracts", ["lint-imports", "--config", "setup.cfg", "--no-cache"]),
    ("migrations", ["python", "manage.py", "makemigrations", "--check", "--dry-run"]),
    ("Dockerfile", ["hadolint", "Dockerfile"]),
    ("docker-compose.yml", ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]),
)


def run_check(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    program = Path(sys.executable).with_name(command[0])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.test"}
    done = subprocess.run(
        [str(program), *command[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout + done.stderr)
    report(name, done.returncode == 0, time.monotonic() - started)
    return done.returncode == 0


def report(name: str, passed: bool, seconds: float) -> None:
    print(f"  {'ok    ' if passed else 'FAILED'}  {name} ({seconds:.0f} s)", flush=True)


def main() -> int:
    results = [run_check(name, command) for name, command in CHECKS]
    for name, found in (
        ("locks in step", lock.problems()),
        ("modules", code_rules.problems()),
        ("contract and tests", contract_table.problems()),
    ):
        print("".join(f"{problem}\n" for problem in found), end="")
        report(name, not found, 0)
        results.append(not found)
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
