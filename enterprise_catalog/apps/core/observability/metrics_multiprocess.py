"""
Reserve disk space for the metric files that a host's processes of one kind share, in PROMETHEUS_MULTIPROC_DIR.

The files are mapped into memory, so the system kills a process that writes to one when the disk is full. Each process
therefore reserves its files when it starts. A process that gets no space counts in memory, for itself alone.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# The kinds of metrics in use. Each process has a file for each.
_KINDS = ("counter", "histogram", "summary")
# Three times the size that all endpoints of the service need.
_FILE_BYTES = 512 * 1024


def prepare_directory() -> None:
    """
    Create the directory if METRICS_PORT needs one and there is none, and reserve this process's files in it.

    Call it before prometheus_client is imported, which looks for the directory then. gunicorn.conf.py creates one for
    web processes; a Celery worker creates its own.
    """
    if os.environ.get("METRICS_PORT", "0") != "0" and DIRECTORY not in os.environ:
        directory = os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="enterprise-catalog-metrics-")
        atexit.register(_remove, directory, owner=os.getpid())
    if DIRECTORY in os.environ and not has_capacity():
        del os.environ[DIRECTORY]


def has_capacity() -> bool:
    """Reserve this process's files. Return False if there is no disk space or no directory."""
    try:
        for kind in _KINDS:
            file = os.open(Path(os.environ[DIRECTORY], f"{kind}_{os.getpid()}.db"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(file, 0, _FILE_BYTES)
            finally:
                os.close(file)
    except OSError:
        for kind in _KINDS:
            # Writing to a file that is not fully reserved could kill the process.
            with suppress(OSError):
                Path(os.environ[DIRECTORY], f"{kind}_{os.getpid()}.db").unlink()
        return False
    return True


def _remove(directory: str, *, owner: int) -> None:
    """Remove the directory, unless this is a forked child, whose parent still uses it."""
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)
