"""How much memory processes need at most while something happens, as the kernel sees it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import psutil


def growth_mb(workers: Sequence[psutil.Process], happen: Callable[[], object]) -> float:
    """Megabytes that the peak of any of these processes lies above what it had before."""
    for worker in workers:
        # The kernel's word for: begin a new peak from here.
        Path(f"/proc/{worker.pid}/clear_refs").write_text("5")
    before = [worker.memory_info().rss for worker in workers]
    happen()
    peaks = [peak_mb(worker.pid) for worker in workers]
    return max(peak - had / 2**20 for peak, had in zip(peaks, before, strict=True))


def peak_mb(pid: int) -> float:
    """Megabytes at most since it began to run its program; `getrusage` would count what forked it, too."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
