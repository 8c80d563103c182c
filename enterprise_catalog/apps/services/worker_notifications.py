"""
What workers are told after a commit: all of it at once, and nothing more when the broker is found away, so that a
caller waits for one lost nudge at most (P6). The rows that were committed are the work; the tick finds them, too.
"""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from celery import Task
from django.db import transaction

from enterprise_catalog.apps.core.broker.notifications import notify_worker
from enterprise_catalog.apps.customers.tasks import sync_customer
from enterprise_catalog.apps.refresh.models import FilterPreview, RefreshRun
from enterprise_catalog.apps.refresh.tasks import run_preview, run_refresh


def notify_workers_after_commit(
    *,
    run: RefreshRun | None = None,
    runs: Iterable[RefreshRun] = (),
    new_customer: UUID | None = None,
    preview: FilterPreview | None = None,
) -> None:
    # One that published already has nothing left to do (RUN-8).
    waiting = [each for each in [*([run] if run else []), *runs] if each.state == RefreshRun.State.QUEUED]
    messages: list[tuple[Task, str]] = [(run_refresh, str(each.pk)) for each in waiting]
    if new_customer is not None:
        messages.append((sync_customer, str(new_customer)))
    if preview is not None:
        messages.append((run_preview, str(preview.pk)))
    if messages:
        transaction.on_commit(partial(_nudge_until_one_is_lost, messages))


def _nudge_until_one_is_lost(messages: list[tuple[Task, str]]) -> None:
    all(notify_worker(task, argument) for task, argument in messages)
