"""
Follow refresh runs to their ends by looking at their rows, whoever does the work and wherever.

It never changes a run and never waits itself: how often to look, and for how long, is the caller's.
"""

from collections.abc import Iterable
from uuid import UUID

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.refresh_runs import get_superseding_run, has_ended


class RunWatcher:
    """Runs that have not ended yet. One that was superseded is replaced by the run that does its work (RUN-2)."""

    def __init__(self, runs: Iterable[RefreshRun]) -> None:
        self._waiting: set[UUID] = {run.pk for run in runs}

    def __len__(self) -> int:
        return len(self._waiting)

    def newly_ended(self) -> list[RefreshRun]:
        """Look once."""
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

    def nobody_works(self) -> bool:
        """True when nothing at all is being refreshed: perhaps there is no worker."""
        return not RefreshRun.objects.filter(state=RefreshRun.State.RUNNING).exists()

    def _rows(self) -> list[RefreshRun]:
        return list(RefreshRun.objects.defer("held_keys").filter(pk__in=self._waiting).order_by("requested_at"))
