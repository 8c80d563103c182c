"""
Follow refresh runs to their end by polling their rows.

A watcher never changes a run and never waits: how often and how long to look is up to the caller.
"""

from collections.abc import Iterable
from uuid import UUID

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.refresh_runs import get_superseding_run, has_ended


class RunWatcher:
    """Watch runs that have not ended. A superseded run is replaced by the run that does its work (RUN-2)."""

    def __init__(self, runs: Iterable[RefreshRun]) -> None:
        self._waiting: set[UUID] = {run.pk for run in runs}

    def __len__(self) -> int:
        return len(self._waiting)

    def newly_ended(self) -> list[RefreshRun]:
        """Poll once, and return the runs that ended since the last poll."""
        ended = []
        for run in self._rows():
            if not has_ended(run):
                continue
            self._waiting.discard(run.pk)
            later = get_superseding_run(run)
            if later is None:
                ended.append(run)
            else:
                self._waiting.add(later.pk)
        return ended

    def still_queued(self) -> list[UUID]:
        return [run.pk for run in self._rows() if run.state == RefreshRun.State.QUEUED]

    def is_nobody_working(self) -> bool:
        """Return whether no run is running at all; then perhaps no worker runs."""
        return not RefreshRun.objects.filter(state=RefreshRun.State.RUNNING).exists()

    def _rows(self) -> list[RefreshRun]:
        return list(RefreshRun.objects.defer("held_keys").filter(pk__in=self._waiting).order_by("requested_at"))
