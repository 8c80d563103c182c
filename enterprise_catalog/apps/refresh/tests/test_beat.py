"""Beat remembers nothing: it asks for every job when it starts, and rows say what is due (ADD-8)."""

import shelve
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler, Scheduler, Service

from enterprise_catalog.celery import app

MINUTE_SECONDS = 60


def no_file(path: Path) -> None:
    """Leave the path without a file, as on a fresh deployment."""


def file_of_beat_that_just_sent_everything(path: Path) -> None:
    kept = PersistentScheduler(app, schedule_filename=str(path))
    for name, entry in kept.schedule.items():
        kept.schedule[name] = next(entry)
    kept.close()
    with shelve.open(str(path)) as stored:
        assert stored["entries"].keys() == app.conf.beat_schedule.keys()


def unreadable_file(path: Path) -> None:
    path.write_bytes(b"no database" * 100)


@pytest.mark.parametrize("left_behind", [no_file, file_of_beat_that_just_sent_everything, unreadable_file])
def test_each_job_is_sent_at_the_start_whatever_file_there_is(
    left_behind: Callable[[Path], None], tmp_path: Path
):  # ADD-8
    path = tmp_path / "schedule"
    left_behind(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    # As `celery beat` does.
    beat = Service(app, scheduler_cls=app.conf.beat_scheduler, schedule_filename=str(path))
    scheduler: Scheduler = beat.scheduler
    # Nothing but the jobs of the settings: no task of Celery's own.
    assert scheduler.schedule.keys() == app.conf.beat_schedule.keys()
    for name, entry in scheduler.schedule.items():
        assert entry.is_due()[0], name
        assert app.conf.beat_schedule[name]["schedule"] <= MINUTE_SECONDS, name
        assert not next(entry).is_due()[0], name
    scheduler.close()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
