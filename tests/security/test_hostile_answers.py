"""
No answer of another service fills a worker's memory, and none that is unusable changes what readers see.

Real worker code runs in a process of its own, over real HTTP, with the default limits (DISC-8, DISC-17, REFR-7).
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.security.environments import ROOT, environment
from tests.security.hostile_peer import ANSWER_MB, WAYS, HostilePeer

# A file stays together, so that each worker is started once.
pytestmark = pytest.mark.local_run

# What all pages of a result may take together beside one answer: a fourth of the default, which takes less time.
RESULT_BYTES = 128 * 1024 * 1024
RESULT_MB = 128 + ANSWER_MB

# How a refresh ends whose search is answered so ...
CODES = {
    "redirect": "discovery_rejected",
    # What happens to a connection may not happen to the next one.
    "headers": "discovery_unavailable",
    "header line": "discovery_unavailable",
    "status line": "discovery_unavailable",
    "chunk line": "discovery_unavailable",
    "trailers": "discovery_unavailable",
    "small chunks": "discovery_unavailable",
    # JSON that can be read, and holds no items.
    "wide texts": "discovery_incomplete",
    "escaped texts": "discovery_incomplete",
    "small objects": "discovery_incomplete",
    "long keys": "discovery_incomplete",
    "endless": "window_exceeded",
    "endless poison": "window_exceeded",
    "endless count": "window_exceeded",
    "many runs": "window_exceeded",
}
# ... and all others.
OTHERWISE = "discovery_malformed"
# Kinds that other endpoints are tried with: all that have to do with one answer.
SOME_WAYS = (
    "objects",
    "small objects",
    "wide texts",
    "long text",
    "deep",
    "no JSON",
    "gzip",
    "zstd",
    "headers",
    "redirect",
)
WORKS = {
    ("refresh", "search"): WAYS,
    ("refresh", "courses"): SOME_WAYS,
    ("refresh", "access_token"): SOME_WAYS,
    ("reviews", "course_review"): (*SOME_WAYS, "endless poison", "endless count"),
    ("customer", "enterprise-customer"): SOME_WAYS,
}
GOOD = "good again"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the outcomes by way, for a work and a part of the peer. One worker meets all ways."""
    known: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    with HostilePeer() as peer:

        def outcomes_of(work: str, part: str) -> dict[str, dict[str, Any]]:
            if (work, part) not in known:
                known[work, part] = suffered(peer.url, work, part, WORKS[work, part], tmp_path_factory.mktemp(work))
            return known[work, part]

        yield outcomes_of


def suffered(url: str, work: str, part: str, ways: Sequence[str], directory: Path) -> dict[str, dict[str, Any]]:
    variables = environment("local", directory=directory)
    variables |= {"DISCOVERY_REQUESTS_PER_HOUR": "0", "DISCOVERY_MAX_RESULT_BYTES": str(RESULT_BYTES)}
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=variables, check=True)
    command = [sys.executable, "-m", "tests.security.hostile_worker", url, work, part, *ways]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip([*ways, GOOD], map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_hostile_search_fails_within_bounds_and_changes_nothing(outcomes, way):  # DISC-8, DISC-17, REFR-7, RUN-4
    outcome = outcomes("refresh", "search")[way]
    assert (outcome["state"], outcome["code"]) == ("failed", CODES.get(way, OTHERWISE)), outcome
    assert outcome["unchanged"]
    assert outcome["grown_mb"] < (RESULT_MB if outcome["code"] == "window_exceeded" else ANSWER_MB), outcome


@pytest.mark.parametrize(
    ("work", "part", "way"), [(*key, way) for key, ways in WORKS.items() if key[1] != "search" for way in ways]
)
def test_every_other_answer_is_bounded_as_well(outcomes, work, part, way):
    """Every other request has limits, too (DISC-1, DISC-17, DISC-18, DISC-20, DISC-21, CUST-1)."""
    outcome = outcomes(work, part)[way]
    assert outcome["state"] == "failed", outcome
    assert outcome["unchanged"]
    assert outcome["grown_mb"] < ANSWER_MB, outcome


@pytest.mark.parametrize(("work", "part"), WORKS)
def test_a_worker_that_met_them_all_works_on(outcomes, work, part):  # P5, P7
    outcome = outcomes(work, part)[GOOD]
    assert (outcome["state"], outcome["unchanged"]) == ("published", True)
