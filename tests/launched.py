"""`make run` as a test starts it."""

import signal
import sys
import time
from pathlib import Path

from scripts import processes
from tests.contract.test_deployment_files import ROOT

START_SECONDS = 300


class Launched:
    """A launcher on ports of its own, and what it has printed so far."""

    def __init__(self, directory: Path) -> None:
        self.port, self.sandbox_port = processes.free_port(), processes.free_port()
        self.directory = directory
        self.output = directory.parent / f"output-{self.port}"
        command = ["--port", str(self.port), "--sandbox-port", str(self.sandbox_port), "--directory", str(directory)]
        self.process = processes.spawn([sys.executable, "-m", "scripts.run_local", *command], log=self.output, cwd=ROOT)

    @property
    def printed(self) -> str:
        return self.output.read_text()

    def wait_until_serving(self) -> None:
        processes.wait_until(
            lambda: "Serving until Ctrl-C" in self.printed,
            process=self.process,
            log=self.output,
            what="run_local",
            seconds=START_SECONDS,
        )

    def family(self) -> set[int]:
        return descendants(self.process.pid)

    def child(self, word: str) -> int:
        """The process it started itself with this word on the command line."""
        children = (pid for pid, parent in processes.parents().items() if parent == self.process.pid)
        return next(pid for pid in children if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def descendants(pid: int) -> set[int]:
    found, generation = set(), {pid}
    known = processes.parents()
    while generation:
        generation = {child for child, parent in known.items() if parent in generation}
        found |= generation
    return found


def all_gone(pids: set[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)
