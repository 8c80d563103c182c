"""
Claim, renew, release, end and recover a row for one worker: conditional UPDATE, lease and fence.

A waiting row is claimed by one conditional UPDATE, so exactly one worker gets it. The lease is measured by the
database's clock and renewed while the worker makes progress; a row whose lease expired may be put back. Each claim
increases the row's fence. A worker that was believed dead holds an old fence, so its statements change nothing (P5).

Refresh runs and filter previews have the columns that this needs. The columns in which they differ are passed along.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from enterprise_catalog.apps.core.db.clock import DatabaseNow
from enterprise_catalog.apps.core.db.locks import retry_lost_locks

_QUEUED, _RUNNING = "queued", "running"


class LeaseLost(Exception):
    """Another process owns the row now; this one must stop and write nothing more."""


def claim(rows: QuerySet[Any], **columns: Any) -> bool:
    """Claim a waiting row. Return False if it does not wait, or if a unique column says that its place is taken."""
    try:
        with transaction.atomic():
            claimed = rows.filter(state=_QUEUED).update(
                state=_RUNNING,
                lease_until=_lease_end(),
                fence=F("fence") + 1,
                attempts=F("attempts") + 1,
                started_at=DatabaseNow(),
                **columns,
            )
    except IntegrityError:
        return False
    return bool(claimed)


def owned(rows: QuerySet[Any], pk: UUID, fence: int) -> QuerySet[Any]:
    """Select the row while the claim with this fence owns it."""
    return rows.filter(pk=pk, fence=fence, state=_RUNNING)


@retry_lost_locks
def renew(row: QuerySet[Any], pk: UUID, **columns: Any) -> None:
    """Extend the lease of an owned row. Raises LeaseLost if it is not owned any more."""
    if not row.update(lease_until=_lease_end(), **columns):
        raise LeaseLost(str(pk))


def release(row: QuerySet[Any], **columns: Any) -> bool:
    """Put a row back to wait. Return False if there was none. Raises IntegrityError if its place is taken."""
    with transaction.atomic():
        # The worker that was notified gave it up, so others are notified again.
        return bool(row.update(state=_QUEUED, lease_until=None, nudged_at=None, **columns))


def end(rows: QuerySet[Any], *, state: str, **columns: Any) -> int:
    """Move rows to an end state; return how many there were."""
    return rows.update(state=state, lease_until=None, finished_at=DatabaseNow(), **columns)


def recover_expired(rows: QuerySet[Any], recover: Callable[[Any], bool]) -> list[UUID]:
    """Call `recover` for each row whose lease expired; return the keys of those for which it returned True."""
    expired = _expired(rows).values_list("pk", flat=True)
    return [pk for pk in list(expired) if _recover(rows.filter(pk=pk), recover)]


@retry_lost_locks
@transaction.atomic
def _recover(rows: QuerySet[Any], recover: Callable[[Any], bool]) -> bool:
    # The lock lets exactly one of several processes recover the row.
    row = _expired(rows).select_for_update().first()
    return row is not None and recover(row)


def _expired(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(state=_RUNNING, lease_until__lt=DatabaseNow())


def _lease_end() -> Any:
    return in_seconds(settings.LEASE_SECONDS)


def in_seconds(seconds: float) -> Any:
    """Return an expression for this time from now, by the database's clock."""
    return DatabaseNow() + timedelta(seconds=seconds)


class Heartbeat:
    """Calls `renew` while a worker waits, at most six times per lease, since each call is a statement."""

    def __init__(self, renew: Callable[[], None]) -> None:
        self._renew = renew
        self._renewed = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._renewed >= settings.LEASE_SECONDS / 6:
            self._renew()
            self._renewed = time.monotonic()
