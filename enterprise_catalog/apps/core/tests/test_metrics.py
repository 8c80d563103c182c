"""Processes count together, and broken metric files never fail their work (ADD-7)."""

import os
import subprocess
import sys

from tests.security.environments import ROOT

BEGIN = """
import os, resource, shutil, sys
directory = os.environ["PROMETHEUS_MULTIPROC_DIR"]
{first}
from enterprise_catalog.apps.core.observability import metrics

def count():
    metrics.count_call(service="discovery", outcome="answered", seconds=0.1)

def counted():
    name = 'enterprise_catalog_service_call_seconds_count{{outcome="answered",service="discovery"}}'
    return [float(line.split()[-1]) for line in metrics.process_metrics().decode().splitlines() if name in line]

def in_child(work):
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

"""


def python(script: str, directory, *, first: str = "") -> str:
    """Run a script in a process that counts into this directory, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN.format(first=first) + script],
        cwd=ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_parent_reports_what_its_children_counted(tmp_path):
    assert "[3.0]" in python("count(); in_child(count); in_child(count); print(counted())", tmp_path)


def test_disk_space_of_the_files_is_reserved_at_the_start(tmp_path):
    python("count()", tmp_path)
    assert {file.stat().st_blocks * 512 >= file.stat().st_size > 0 for file in tmp_path.iterdir()} == {True}


def test_a_process_without_disk_space_counts_for_itself(tmp_path):
    """The system kills a process that writes to a mapped file when the disk is full."""
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))"
    assert "[2.0]" in python("count(); count(); print(counted())", tmp_path, first=full)
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_directory_fails_no_work(tmp_path):
    script = """
count(); shutil.rmtree(directory); count()
print(in_child(lambda: (count(), count(), print("done", flush=True))), counted())
"""
    assert python(script, tmp_path / "files", first="os.mkdir(directory)").startswith("done\n0 [2.0]")


def test_a_process_that_begins_without_its_directory_counts_for_itself(tmp_path):
    assert "[1.0]" in python("count(); print(counted())", tmp_path / "never")


def test_broken_files_fail_no_work_and_are_logged_once(tmp_path):
    script = """
def work():
    shutil.rmtree(directory); metrics._out_of_order = None
    count(); count()

print(in_child(work))
"""
    output = python(script, tmp_path / "files", first="os.mkdir(directory)")
    assert output.count("] metrics_out_of_order") == 1
    assert output.startswith("0\n") or "\n0\n" in output
