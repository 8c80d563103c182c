"""Whose turn a periodic job is: of any number of beats and workers that look, one does it (see `Sweep`)."""

from datetime import timedelta

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import Sweep


def claim_job(name: str, *, every: timedelta) -> bool:
    """True for one caller when the job is due; it is due again after `every`."""
    now = database_now()
    Sweep.objects.get_or_create(name=name, defaults={"due_at": now})
    # One conditional UPDATE: whoever moves the date does the work.
    return bool(Sweep.objects.filter(name=name, due_at__lte=now).update(due_at=now + every))


def reschedule_job(name: str, *, after: timedelta) -> None:
    """For who had the turn: the job is done, or could not be done."""
    Sweep.objects.filter(name=name).update(due_at=database_now() + after)
