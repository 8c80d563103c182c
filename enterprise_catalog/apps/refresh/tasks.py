"""
Define the Celery tasks.

A message only notifies a worker. The work is in the database, so messages may be lost, repeated or late, or come from
another version of this service. During an upgrade, versions have to agree on names and parameters of tasks: a parameter
that is added or removed needs two releases (docs/operations.rst).
"""

from collections.abc import Iterable
from uuid import UUID

from celery import Task, shared_task

from enterprise_catalog.apps.core.broker.notifications import notify_worker
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.previews.preview_queue import tick_previews
from enterprise_catalog.apps.refresh.previews.preview_runner import preview_next
from enterprise_catalog.apps.refresh.scheduling.course_reviews import refresh_reviews_if_due
from enterprise_catalog.apps.refresh.scheduling.late_query_report import report_if_due
from enterprise_catalog.apps.refresh.scheduling.pruning import prune_if_due
from enterprise_catalog.apps.refresh.scheduling.tick import tick


@shared_task(name="refresh.run")
def run_refresh(run_uuid: str) -> None:
    """Refresh the run that comes next, which need not be this one."""
    _announce(run_refresh, refresh_next())


@shared_task(name="refresh.tick")
def run_tick() -> None:
    _announce(run_refresh, tick())
    _announce(run_preview, tick_previews())


@shared_task(name="refresh.preview")
def run_preview(preview_uuid: str) -> None:
    """Run the preview that waits longest, which need not be this one."""
    _announce(run_preview, preview_next())


@shared_task(name="refresh.sweep_reviews")
def run_review_sweep() -> None:
    refresh_reviews_if_due()


@shared_task(name="refresh.report_freshness")
def run_freshness_report() -> None:
    report_if_due()


@shared_task(name="refresh.prune")
def run_pruning() -> None:
    prune_if_due()


def _announce(task: Task, waiting: Iterable[UUID]) -> None:
    """Notify workers until a notification fails: then the broker is unavailable, and the next tick repeats them."""
    all(notify_worker(task, str(uuid)) for uuid in waiting)
