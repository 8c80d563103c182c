"""
Refresh runs after they were asked for: which one serves a request in the end, and what an operator decides about a
held one (RUN-2, RUN-6).

Nothing here fetches or starts a run.
"""

from uuid import UUID

from enterprise_catalog.apps.operations.errors import OperationError
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.outcomes import NotHeld, approve_held, reject_held

_ENDED = (RefreshRun.State.PUBLISHED, RefreshRun.State.HELD, RefreshRun.State.FAILED)


class NotDecidable(OperationError):
    """Nothing is left to decide about this run; the message says why (RUN-6: 409)."""


def approve_run(*, run_uuid: UUID) -> RefreshRun:
    """Publish what the run held. Raises NotDecidable."""
    try:
        approve_held(run_uuid)
    except NotHeld as error:
        raise NotDecidable(str(error)) from error
    return RefreshRun.objects.get(pk=run_uuid)


def reject_run(*, run_uuid: UUID) -> RefreshRun:
    """Give up what the run held. Raises NotDecidable."""
    try:
        reject_held(run_uuid)
    except NotHeld as error:
        raise NotDecidable(str(error)) from error
    return RefreshRun.objects.get(pk=run_uuid)


def has_ended(run: RefreshRun) -> bool:
    """True when nothing will happen to it by itself any more; a held one waits for a human."""
    return run.state in _ENDED


def successor(run: RefreshRun) -> RefreshRun | None:
    """The run that does a superseded one's work instead (RUN-2), if its query still has one."""
    if run.reason_code != "superseded":
        return None
    later = RefreshRun.objects.filter(catalog_query_uuid=run.catalog_query_uuid, requested_at__gte=run.requested_at)
    return later.exclude(pk=run.pk).order_by("requested_at").first()
