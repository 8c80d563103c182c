"""Elect one worker per interval for a periodic job, by a conditional UPDATE of its row in `Sweep`."""

from datetime import timedelta

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.refresh.models import Sweep


@retry_lost_locks
def claim_job(name: str, *, every: timedelta) -> bool:
    """Return True to exactly one caller when the job is due; it is due again after `every`."""
    now = database_now()
    Sweep.objects.get_or_create(name=name, defaults={"due_at": now})
    # The caller that moves the date does the work.
    return bool(Sweep.objects.filter(name=name, due_at__lte=now).update(due_at=now + every))


def reschedule_job(name: str, *, after: timedelta) -> None:
    """Set when the job is due again; called by the worker that claimed it."""
    Sweep.objects.filter(name=name).update(due_at=database_now() + after)
