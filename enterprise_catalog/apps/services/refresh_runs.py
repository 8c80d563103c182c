"""
List held runs, approve and reject them, and find the run that serves a request in the end (RUN-2, RUN-6).

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

_ENDED = (RefreshRun.State.PUBLISHED, RefreshRun.State.HELD, RefreshRun.State.FAILED)


# The run is not held any more; the message says why (RUN-6).
RunNotHeld = NoLongerHeld


@dataclass(frozen=True)
class HeldRun:
    """A held run, and how approving it would change its query's members of now."""

    run: RefreshRun
    query: CatalogQuery
    members: int
    joining: int
    leaving: int
    # A refresh after this time that finds the same members publishes them without a decision (REFR-10).
    repeats_from: datetime
    # The query's filter has changed, so approving is refused.
    outdated: bool

    @property
    def members_after(self) -> int:
        return self.members - self.leaving + self.joining


def held_runs() -> Iterator[HeldRun]:
    """Yield held runs, the longest held first, with one set of keys in memory at a time."""
    held = RefreshRun.objects.filter(state=RefreshRun.State.HELD, catalog_query__isnull=False)
    for uuid in list(held.order_by("held_since", "pk").values_list("pk", flat=True)):
        run = held.filter(pk=uuid).select_related("catalog_query").defer("catalog_query__content_filter").first()
        # Somebody decided meanwhile.
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
    """Publish what the run held. Raises RunNotHeld."""
    approve_held(run_uuid)
    return RefreshRun.objects.get(pk=run_uuid)


def reject_run(*, run_uuid: UUID) -> RefreshRun:
    """Discard what the run held. Raises RunNotHeld."""
    reject_held(run_uuid)
    return RefreshRun.objects.get(pk=run_uuid)


def has_ended(run: RefreshRun) -> bool:
    """Return whether the run ended by itself. A held one counts, since it waits for a person."""
    return run.state in _ENDED


def get_superseding_run(run: RefreshRun) -> RefreshRun | None:
    """Return the run that does the work of a superseded one (RUN-2), or None."""
    if run.reason_code != RefreshRun.Reason.SUPERSEDED:
        return None
    later = RefreshRun.objects.filter(catalog_query_uuid=run.catalog_query_uuid, requested_at__gte=run.requested_at)
    return later.exclude(pk=run.pk).order_by("requested_at").first()
