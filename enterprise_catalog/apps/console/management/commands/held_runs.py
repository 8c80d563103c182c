"""List held refresh runs, and approve or reject them: `services.refresh_runs`."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_catalog.apps.console.display.sentences import plural, query_name, run_outcome, utc_minute
from enterprise_catalog.apps.console.management.commands._arguments import uuid_argument
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.refresh_runs import HeldRun, RunNotHeld, approve_run, held_runs, reject_run

_REFUSED, _USAGE = 1, 2


class Command(BaseCommand):
    help = (
        "List refreshes whose complete result is held because it would change a catalog too much, or decide about "
        "some. Each decision stands for itself. Exit codes: 0 listed or all decided, 1 some could not be decided, "
        "2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--approve", action="append", default=[], type=uuid_argument, metavar="UUID", help="publish what it holds")
        add("--reject", action="append", default=[], type=uuid_argument, metavar="UUID", help="keep the old set")

    def handle(self, *args: Any, **options: Any) -> None:
        # A run that is named twice is decided once.
        approved, rejected = dict.fromkeys(options["approve"]), dict.fromkeys(options["reject"])
        if both := approved.keys() & rejected.keys():
            named = ", ".join(sorted(map(str, both)))
            raise CommandError(f"To approve and to reject: {named}. Nothing was decided.", returncode=_USAGE)
        if not (approved or rejected):
            self._list()
            return
        decided = [self._decide(uuid, approve_run) for uuid in approved]
        decided += [self._decide(uuid, reject_run) for uuid in rejected]
        if refused := decided.count(False):
            raise CommandError(f"{refused} of {plural(len(decided), 'run')} not decided.", returncode=_REFUSED)

    def _decide(self, uuid: UUID, decision: Callable[..., RefreshRun]) -> bool:
        try:
            run = decision(run_uuid=uuid)
        except RunNotHeld as refusal:
            self.stderr.write(f"run {uuid}: {refusal}")
            return False
        self.stdout.write(f"run {uuid}: {run_outcome(run)}")
        return True

    def _list(self) -> None:
        found = 0
        for held in held_runs():
            self.stdout.write(_description(held))
            found += 1
        advice = " Decide with --approve UUID or --reject UUID." if found else ""
        self.stdout.write(f"{plural(found, 'run is', 'runs are')} held.{advice}")


def _description(held: HeldRun) -> str:
    run = held.run
    catalogs = plural(held.query.catalogs.count(), "catalog")
    change = f"{held.joining} would join, {held.leaving} would leave"
    itself = f"by a refresh from {utc_minute(held.repeats_from)} on that finds the same members"
    if held.outdated:
        itself = "never, since the filter changed; approving is refused, too"
    return "\n".join(
        [
            f"run {run.pk}, held since {utc_minute(run.held_since)}",
            f"  query:      {query_name(held.query)}, {catalogs}",
            f"  members:    {held.members} -> {held.members_after} ({change})",
            f"  reason:     {run.reason_code}: {run.reason_detail}",
            f"  by itself:  {itself}",
        ]
    )
