"""Start `make run` from a test."""

import signal
import sys
from pathlib import Path

import psutil

from scripts import processes
from tests.contract.test_deployment_files import ROOT

START_SECONDS = 300


class Launched:
    """A running `make run` on ports of its own, and its output so far."""

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

    def family(self) -> list[psutil.Process]:
        """Return all descendant processes."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        """Return the child process with this word in its command line."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if word in child.cmdline())

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def all_gone(family: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(family, timeout=10)[1]
