"""
The files in which a host's processes of one kind count together, PROMETHEUS_MULTIPROC_DIR.

They are mapped into memory: a process that writes to one for which the disk has no room is killed by the system. So
their room is taken when a process begins, and one that gets none counts for itself alone.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# Kinds of metrics that are in use; each has a file for each process.
_KINDS = ("counter", "histogram", "summary")
# Three times what all endpoints of the service fill.
_FILE_BYTES = 512 * 1024


def prepare_directory() -> None:
    """
    Call it before prometheus_client is imported, which looks for it then. gunicorn.conf.py has made one before its
    workers start; a worker makes its own when it is to tell its figures.
    """
    if os.environ.get("METRICS_PORT", "0") != "0" and DIRECTORY not in os.environ:
        directory = os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="enterprise-catalog-metrics-")
        atexit.register(_remove, directory, owner=os.getpid())
    if DIRECTORY in os.environ and not has_capacity():
        del os.environ[DIRECTORY]


def has_capacity() -> bool:
    """Take this process's room. False when there is none, or no directory."""
    try:
        for kind in _KINDS:
            file = os.open(Path(os.environ[DIRECTORY], f"{kind}_{os.getpid()}.db"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(file, 0, _FILE_BYTES)
            finally:
                os.close(file)
    except OSError:
        for kind in _KINDS:
            # A file without all its room is the danger itself.
            with suppress(OSError):
                Path(os.environ[DIRECTORY], f"{kind}_{os.getpid()}.db").unlink()
        return False
    return True


def _remove(directory: str, *, owner: int) -> None:
    """Not in a forked child, which leaves what its parent's others need."""
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)
