"""Measure the peak memory of processes while something happens, as the kernel counts it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import psutil


def growth_mb(workers: Sequence[psutil.Process], happen: Callable[[], object]) -> float:
    """Return by how many megabytes the peak of a process, of the one that grew most, exceeds its memory before."""
    for worker in workers:
        # Tells the kernel to start a new peak.
        Path(f"/proc/{worker.pid}/clear_refs").write_text("5")
    before = [worker.memory_info().rss for worker in workers]
    happen()
    peaks = [peak_mb(worker.pid) for worker in workers]
    return max(peak - had / 2**20 for peak, had in zip(peaks, before, strict=True))


def peak_mb(pid: int) -> float:
    """Return the peak in megabytes since the program started, without the parent's, which `getrusage` counts."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
