"""
Refresh runs after they were asked for: which one serves a request in the end, and what an operator decides about a
held one (RUN-2, RUN-6).

Nothing here fetches or starts a run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import NoLongerHeld, approve_held, reject_held
from enterprise_catalog.apps.refresh.pipeline.publishing import membership_difference
from enterprise_catalog.apps.services.errors import OperationError

_ENDED = (RefreshRun.State.PUBLISHED, RefreshRun.State.HELD, RefreshRun.State.FAILED)


class RunNotHeld(OperationError):
    """Nothing is left to decide about this run; the message says why (RUN-6: 409)."""


@dataclass(frozen=True)
class HeldRun:
    """A run that waits for a decision, and what approving it would do to its query's members as they are now."""

    run: RefreshRun
    query: CatalogQuery
    members: int
    joining: int
    leaving: int
    # A refresh from here on that finds the same members publishes them without a human (REFR-10).
    repeats_from: datetime
    # The query asks something else now, so that approving is refused.
    outdated: bool

    @property
    def members_after(self) -> int:
        return self.members - self.leaving + self.joining


def held_runs() -> Iterator[HeldRun]:
    """The longest held first; one set of keys in memory at a time. Those whose query is gone end with the next tick."""
    held = RefreshRun.objects.filter(state=RefreshRun.State.HELD, catalog_query__isnull=False)
    for uuid in list(held.order_by("held_since", "pk").values_list("pk", flat=True)):
        run = held.filter(pk=uuid).select_related("catalog_query").defer("catalog_query__content_filter").first()
        # Decided meanwhile.
        if run is None or run.catalog_query is None or run.held_keys is None or run.held_since is None:
            continue
        query = run.catalog_query
        difference = membership_difference(query_id=query.pk, content_keys=unpack(run.held_keys))
        yield HeldRun(
            run=run,
            query=query,
            members=difference.before,
            joining=len(difference.added),
            leaving=len(difference.removed),
            repeats_from=run.held_since + timedelta(hours=settings.GUARD_REPEAT_HOURS),
            outdated=run.filter_hash != query.content_filter_hash,
        )


def approve_run(*, run_uuid: UUID) -> RefreshRun:
    """Publish what the run held. Raises NotDecidable."""
    try:
        approve_held(run_uuid)
    except NoLongerHeld as error:
        raise RunNotHeld(str(error)) from error
    return RefreshRun.objects.get(pk=run_uuid)


def reject_run(*, run_uuid: UUID) -> RefreshRun:
    """Give up what the run held. Raises NotDecidable."""
    try:
        reject_held(run_uuid)
    except NoLongerHeld as error:
        raise RunNotHeld(str(error)) from error
    return RefreshRun.objects.get(pk=run_uuid)


def has_ended(run: RefreshRun) -> bool:
    """True when nothing will happen to it by itself any more; a held one waits for a human."""
    return run.state in _ENDED


def get_superseding_run(run: RefreshRun) -> RefreshRun | None:
    """The run that does a superseded one's work instead (RUN-2), if its query still has one."""
    if run.reason_code != RefreshRun.Reason.SUPERSEDED:
        return None
    later = RefreshRun.objects.filter(catalog_query_uuid=run.catalog_query_uuid, requested_at__gte=run.requested_at)
    return later.exclude(pk=run.pk).order_by("requested_at").first()
