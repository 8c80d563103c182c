"""
Load, measure and report: `make bench`. Compare the latest run with the kept one: `make bench-compare`.

Results go to .local/bench. `--keep` makes them the ones that the documentation shows and later runs are compared with.
"""

import argparse
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks import compare, reads, refreshes, scale, walks
from benchmarks.data import LARGE, LARGEST
from benchmarks.questions import make_questions
from benchmarks.report import write_report
from benchmarks.stage import Stage
from benchmarks.targets import judge
from scripts.local_config import ROOT

LATEST = ROOT / ".local" / "bench"
KEPT = ROOT / "docs" / "performance"
RESULTS = "results.json"
# Asked while a worker is busy, and of processes that have just begun.
_FEW = (f"contains, catalog of {LARGE}, 1 key", f"page of 10, catalog of {LARGEST}", f"page of 100, catalog of {LARGE}")


def measure() -> dict[str, Any]:
    with Stage() as stage:
        results: dict[str, Any] = {"machine": machine(stage)}
        say("Loading 400 catalogs on 150 queries")
        results["load"] = refreshes.load(stage)
        questions = make_questions(stage.plan, stage.members)
        few = [question for question in questions if question.name in _FEW]
        say("Reads, beside the floors")
        results["reads"] = reads.measure_reads(stage, questions)
        say("Walks of ten clients")
        results["walks"] = walks.measure_walks(stage)
        say("Whole catalogs in one answer")
        results["streams"] = walks.measure_streams(stage)
        say("Refreshes")
        results["refreshes"] = refreshes.measure_refreshes(stage)
        say("Reads beside a refresh")
        results["meanwhile"] = refreshes.measure_meanwhile(stage, few)
        say("A day")
        results["day"] = refreshes.measure_day(stage)
        say("First requests")
        results["cold"] = reads.measure_first(stage, few)
        say("A store of 100,000 items and 50,000 catalogs")
        results["scale"] = scale.measure_scale(stage)
    return results


def machine(stage: Stage) -> dict[str, Any]:
    return {
        "date": datetime.now(tz=UTC).date().isoformat(),
        "commit": _output("git", "rev-parse", "--short", "HEAD") or "unknown",
        "cores": psutil.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "database": f"MariaDB {stage.sql('SELECT VERSION()')[0][0]}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def say(text: str) -> None:
    print(text, flush=True)


def tell(results: dict[str, Any]) -> bool:
    verdicts = judge(results)
    for verdict in verdicts:
        word = "ok    " if verdict.met else "MISSED"
        say(f"{word}  {verdict.what}: {verdict.value:.2f} (at most {verdict.limit:.2f})")
    missed = sum(not verdict.met for verdict in verdicts)
    say(f"{len(verdicts) - missed} of {len(verdicts)} targets are met.")
    return not missed


def tell_moves(before: dict[str, Any], now: dict[str, Any]) -> None:
    found = list(compare.moves(before, now))
    for move in found:
        say(str(move))
    say(f"{len(found)} figures moved by more than {compare.MOVED:.0%}.")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="show this run in the documentation, and compare with it")
    parser.add_argument(
        "--compare", action="store_true", help="measure nothing: compare the latest run with the kept one"
    )
    options = parser.parse_args(arguments)
    if options.compare:
        before, now = (json.loads((directory / RESULTS).read_text()) for directory in (KEPT, LATEST))
        tell_moves(before, now)
        return 0
    results = measure()
    for directory in (LATEST, KEPT) if options.keep else (LATEST,):
        write_report(results, directory)
        (directory / RESULTS).write_text(json.dumps(results, indent=1) + "\n")
    say(f"The report is in {LATEST}.")
    return 0 if tell(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
