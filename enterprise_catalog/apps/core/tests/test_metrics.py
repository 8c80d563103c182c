"""Counting in processes of their own: together, and harmless whatever happens to the files (ADD-7)."""

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

def told():
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
    """What a process prints that counts into this directory."""
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


def test_what_children_counted_is_told_by_their_parent(tmp_path):
    assert "[3.0]" in python("count(); in_child(count); in_child(count); print(told())", tmp_path)


def test_the_room_of_the_files_is_taken_before_it_is_needed(tmp_path):
    python("count()", tmp_path)
    assert {file.stat().st_blocks * 512 >= file.stat().st_size > 0 for file in tmp_path.iterdir()} == {True}


def test_a_process_that_gets_no_room_counts_for_itself(tmp_path):
    """A process that finds the disk full in a file that is mapped into memory is killed."""
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))"
    assert "[2.0]" in python("count(); count(); print(told())", tmp_path, first=full)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_gone_fails_no_work(tmp_path):
    script = """
count(); shutil.rmtree(directory); count()
print(in_child(lambda: (count(), count(), print("done", flush=True))), told())
"""
    assert python(script, tmp_path / "files", first="os.mkdir(directory)").startswith("done\n0 [2.0]")


def test_a_process_that_begins_without_its_directory_counts_for_itself(tmp_path):
    assert "[1.0]" in python("count(); print(told())", tmp_path / "never")


def test_files_that_fail_fail_no_work_and_the_log_says_so_once(tmp_path):
    script = """
def work():
    shutil.rmtree(directory); metrics._out_of_order = None
    count(); count()

print(in_child(work))
"""
    said = python(script, tmp_path / "files", first="os.mkdir(directory)")
    assert said.count("] metrics_out_of_order") == 1
    assert said.startswith("0\n") or "\n0\n" in said
