"""Jobs of a fresh deployment, and of a beat that kept an old file (ADD-8)."""

from datetime import timedelta
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler

from enterprise_catalog.apps.catalog.models import CourseReview
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import Sweep
from enterprise_catalog.celery import app
from tests.faults.conftest import PATIENCE_SECONDS, eventually

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]


def jobs_done() -> bool:
    return Sweep.objects.filter(name__in=["course_reviews", "freshness", "pruning"]).count() == 3


def old_schedule(path: Path) -> None:
    """Write the file of a beat that has just sent everything, as earlier releases kept it."""
    kept = PersistentScheduler(app, schedule_filename=str(path))
    for name, entry in kept.schedule.items():
        kept.schedule[name] = next(entry)
    kept.close()


@pytest.mark.parametrize("keeps_file", [False, True])
def test_course_reviews_of_a_fresh_deployment(workers, keeps_file, settings, tmp_path, saw):
    """They are stored after the first messages of beat, before it sends them again."""
    assert settings.JOB_CHECK_SECONDS > PATIENCE_SECONDS
    path = tmp_path / "schedule"
    if keeps_file:
        old_schedule(path)
    workers.start_beat("--schedule", str(path))
    workers.start(has_beat=False)
    seconds = eventually(lambda: CourseReview.objects.exists() and jobs_done())
    saw(f"course reviews are stored {seconds:.1f} s after the start")


def test_a_beat_that_starts_again_and_again_does_no_more(workers, saw):
    """What was done lately is not due, whatever beat sends."""
    workers.start()
    # The long interval begins when a job is done.
    eventually(
        lambda: jobs_done() and Sweep.objects.get(name="course_reviews").due_at > database_now() + timedelta(hours=2)
    )
    before = dict(Sweep.objects.exclude(name="tick").values_list("name", "due_at"))
    for _ in range(3):
        workers.start_beat()
    eventually(lambda: workers.ticks_sent() >= 6)
    assert dict(Sweep.objects.exclude(name="tick").values_list("name", "due_at")) == before
    saw(f"{workers.ticks_sent()} ticks later, no job was done again")
