"""
Notify workers after a commit, and stop at the first notification that gets lost (P6).

So a caller waits at most once for a broker that does not answer. The committed rows are the work; the tick finds rows
whose notification was lost.
"""

from functools import partial
from uuid import UUID

from celery import Task
from django.db import transaction

from enterprise_catalog.apps.core.broker.notifications import notify_worker
from enterprise_catalog.apps.customers.tasks import sync_customer
from enterprise_catalog.apps.refresh.models import FilterPreview, RefreshRun
from enterprise_catalog.apps.refresh.tasks import run_preview, run_refresh


def notify_workers_after_commit(
    *runs: RefreshRun | None, new_customer: UUID | None = None, preview: FilterPreview | None = None
) -> None:
    # A run that published already needs no worker (RUN-8).
    waiting = [run for run in runs if run and run.state == RefreshRun.State.QUEUED]
    messages: list[tuple[Task, str]] = [(run_refresh, str(run.pk)) for run in waiting]
    if new_customer is not None:
        messages.append((sync_customer, str(new_customer)))
    if preview is not None:
        messages.append((run_preview, str(preview.pk)))
    if messages:
        transaction.on_commit(partial(_notify_until_one_is_lost, messages))


def _notify_until_one_is_lost(messages: list[tuple[Task, str]]) -> None:
    all(notify_worker(task, argument) for task, argument in messages)
