"""
Run a few long-lived programs under one foreground process: if one ends, all end.

Nothing is restarted: in a local run, a program that dies must be noticed.
"""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import requests

from scripts import processes

# A worker has this long to finish a refresh. An unfinished one is found again by its expired lease.
GRACE_SECONDS = 10
POLL_SECONDS = 0.2


class ChildEnded(Exception):
    """A program ended; the message says which, and shows the end of its log."""


class Supervisor:
    def __init__(self, *, logs: Path, cwd: Path) -> None:
        self.logs = logs
        self.cwd = cwd
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        with suppress(FileNotFoundError):
            # The log of an earlier run may be what somebody looks for.
            self.log_of(name).replace(self.logs / f"{name}.before.log")
        # The kernel sends SIGTERM, too, so that a killed parent does not interrupt a refresh.
        self.children[name] = processes.spawn(
            [sys.executable, "-m", *command], log=self.log_of(name), env=env, cwd=self.cwd, death_signal=15
        )

    def run_once(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> str:
        """Run a command to its end and return its output. Raises ChildEnded if it fails."""
        done = subprocess.run(
            [sys.executable, *command],
            env=env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.logs.mkdir(parents=True, exist_ok=True)
        self.log_of(name).write_text(done.stdout)
        if done.returncode:
            raise ChildEnded(self._obituary(name, done.returncode))
        return done.stdout

    def check(self) -> None:
        for name, child in self.children.items():
            if child.poll() is not None:
                raise ChildEnded(self._obituary(name, child.returncode))

    def wait_for_answer(self, url: str, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not _answers(url):
            self.check()
            if time.monotonic() > deadline:
                raise processes.NotReady(f"No answer from {url} within {seconds:.0f} seconds; see {self.logs}")
            time.sleep(POLL_SECONDS)

    def watch(self) -> None:
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        processes.stop(*self.children.values(), grace_seconds=GRACE_SECONDS)
        self.children.clear()

    def _obituary(self, name: str, code: int) -> str:
        log = self.log_of(name)
        return f"{name} ended with exit code {code}. The end of {log}:\n\n{processes.tail(log)}"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
