"""
Request refreshes, and wait for them if wanted: `services.refreshes`.

Workers do the refreshes; only with `--here` does this process do their work.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.display.sentences import query_name, refreshes, run_outcome
from enterprise_catalog.apps.console.management.commands._arguments import uuid_argument as _uuid
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.queue.claims import recover_expired_leases
from enterprise_catalog.apps.services.refresh_runs import get_superseding_run, has_ended
from enterprise_catalog.apps.services.refreshes import (
    UnknownUuids,
    named_queries,
    queries_to_keep_fresh,
    request_refresh,
)

_SOME_FAILED, _USAGE, _TIMEOUT, _INTERRUPTED = 1, 2, 3, 130

_POLL_SECONDS = 0.5
# An idle worker claims a run within a second.
_NO_WORKER_SECONDS = 15
_NO_WORKER = (
    "Nothing is being refreshed. Is a worker running (celery -A enterprise_catalog worker)? With --here this command "
    "does the work itself."
)
_TIMEOUT_SECONDS = 3600


class RunWatcher:
    """
    Follow refresh runs to their end by polling their rows. It never changes a run, and never waits.

    A superseded run is replaced by the run that does its work (RUN-2).
    """

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


class Command(BaseCommand):
    help = (
        "Ask for refreshes of catalog queries. Without --catalog or --query: of all that are used by a catalog and "
        "were published longer ago than REFRESH_INTERVAL_HOURS, or with --force of all that are used. Workers do the "
        "refreshes in the background; a query that already waits for one is not asked for twice. Exit codes: 0 asked "
        "for (with --wait: all published), 1 some failed or are held, 2 wrong usage or unknown uuid, 3 timeout."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--catalog", action="append", default=[], type=_uuid, metavar="UUID", help="the query of this catalog")
        add("--query", action="append", default=[], type=_uuid, metavar="UUID", help="this query")
        add("--force", action="store_true", help="fetch every full record again, also those that are fresh")
        add("--dry-run", action="store_true", help="say what would be refreshed, and write nothing")
        add("--wait", action="store_true", help="wait until every refresh has ended, and tell how")
        add("--here", action="store_true", help="do the refreshes in this process instead of a worker; implies --wait")
        add(
            "--timeout",
            type=float,
            default=_TIMEOUT_SECONDS,
            metavar="SECONDS",
            help="stop waiting after this long; the refreshes go on (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        force = options["force"]
        queries = self._chosen(catalogs=options["catalog"], queries=options["query"], force=force)
        if options["dry_run"]:
            self._print_plan(queries, force=force)
            return
        if not queries:
            self.stdout.write("Nothing is due.")
            return
        asked = [(query, self._ask(query, force=force)) for query in queries]
        if options["wait"] or options["here"]:
            self._wait([run for _, run in asked], timeout=options["timeout"], here=options["here"])
        else:
            for query, run in asked:
                self.stdout.write(f"run {run.pk} for query {query_name(query)}")
            self.stdout.write(f"{refreshes(len(asked))} asked for.")

    def _chosen(self, *, catalogs: list[UUID], queries: list[UUID], force: bool) -> list[CatalogQuery]:
        if not (catalogs or queries):
            return queries_to_keep_fresh(due_only=not force)
        try:
            return named_queries(catalogs=catalogs, queries=queries)
        except UnknownUuids as error:
            raise CommandError(str(error), returncode=_USAGE) from error

    def _ask(self, query: CatalogQuery, *, force: bool) -> RefreshRun:
        return request_refresh(query=query, trigger=RefreshRun.Trigger.OPERATOR, forced=force)

    def _print_plan(self, queries: list[CatalogQuery], *, force: bool) -> None:
        waiting = set(RefreshRun.objects.filter(queued_for__isnull=False).values_list("queued_for", flat=True))
        for query in queries:
            since = f"published {query.refreshed_at:%Y-%m-%d %H:%M} UTC" if query.refreshed_at else "never published"
            joins = ", joins the run that waits" if query.pk in waiting else ""
            self.stdout.write(f"query {query_name(query)}: {since}, {query.member_count} items{joins}")
        records = ", with every full record" if force else ""
        self.stdout.write(f"{refreshes(len(queries))} would be asked for{records}. Nothing was written.")

    def _wait(self, runs: list[RefreshRun], *, timeout: float, here: bool) -> None:
        watcher = RunWatcher(runs)
        ended: list[RefreshRun] = []
        with tqdm(total=len(runs), desc="Refreshing", unit="query", disable=not self.stderr.isatty()) as bar:
            try:
                for run in self._ended_runs(watcher, bar, timeout=timeout, here=here):
                    ended.append(run)
                    with bar.external_write_mode():
                        self.stdout.write(f"query {run.catalog_query_uuid}: {run_outcome(run)}")
                    bar.update()
            except KeyboardInterrupt:
                self._stop_watching("Interrupted", watcher, returncode=_INTERRUPTED)
        unpublished = [run for run in ended if run.state != RefreshRun.State.PUBLISHED]
        if unpublished:
            raise CommandError(f"{len(unpublished)} of {refreshes(len(runs))} not published.", returncode=_SOME_FAILED)
        self.stdout.write(f"{refreshes(len(runs))} published.")

    def _ended_runs(self, watcher: RunWatcher, bar: "tqdm[Any]", *, timeout: float, here: bool) -> Iterator[RefreshRun]:
        """Yield each run when it ends."""
        started = time.monotonic()
        hinted = here
        while True:
            yield from watcher.newly_ended()
            passed = time.monotonic() - started
            if not watcher:
                return
            if passed >= timeout:
                self._stop_watching(f"Waited {timeout:g} seconds", watcher, returncode=_TIMEOUT)
            if not hinted and passed >= _NO_WORKER_SECONDS and watcher.is_nobody_working():
                hinted = True
                with bar.external_write_mode():
                    self.stderr.write(_NO_WORKER)
            if not (here and self._work_on_one(watcher)):
                time.sleep(_POLL_SECONDS)

    def _work_on_one(self, watcher: RunWatcher) -> bool:
        """Refresh one queued run in this process. Return False if all others are claimed by workers."""
        recover_expired_leases()
        for run_uuid in watcher.still_queued():
            refresh(run_uuid)
            if not RefreshRun.objects.filter(pk=run_uuid, state=RefreshRun.State.QUEUED).exists():
                return True
        return False

    def _stop_watching(self, why: str, watcher: RunWatcher, *, returncode: int) -> NoReturn:
        left = refreshes(len(watcher))
        raise CommandError(f"{why}, and {left} did not end. The work goes on in the background.", returncode=returncode)
