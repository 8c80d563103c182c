"""Tests of child processes: they never outlive their parent, however it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts import processes


def alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def eventually_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def test_child_ends_when_its_parent_is_killed(tmp_path):
    program = (
        "import sys, pathlib; from scripts import processes; "
        f"child = processes.spawn(['sleep', '60'], log=pathlib.Path({str(tmp_path / 'log')!r})); "
        "print(child.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    assert eventually_gone(child)


def test_stop_reaches_grandchildren_that_ignore_the_polite_signal(tmp_path):
    log = tmp_path / "log"
    process = processes.spawn(["sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait"], log=log)
    processes.wait_until(lambda: bool(log.read_text()), process=process, log=log, what="sh", seconds=10)
    grandchild = int(log.read_text())
    processes.stop(process, grace_seconds=0.1)
    assert process.returncode == -signal.SIGKILL
    assert eventually_gone(grandchild)


def test_a_process_that_ends_early_is_reported_with_its_log(tmp_path):
    log = tmp_path / "log"
    process = processes.spawn(["sh", "-c", "echo no such option; exit 3"], log=log)
    with pytest.raises(processes.NotReady, match=r"server ended with exit code 3:\nno such option"):
        processes.wait_until(lambda: False, process=process, log=log, what="server", seconds=10)


def test_port_taken_sees_a_listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert processes.port_taken(listener.getsockname()[1])
    assert not processes.port_taken(processes.free_port())


def test_child_leads_its_own_session(tmp_path):
    process = processes.spawn(["sleep", "60"], log=tmp_path / "log")
    try:
        assert os.getsid(process.pid) == process.pid
    finally:
        processes.stop(process, grace_seconds=1)
