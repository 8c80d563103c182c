"""Delete old rows now, as beat has it done hourly: `refresh.scheduling.pruning`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from enterprise_catalog.apps.console.display.sentences import plural
from enterprise_catalog.apps.refresh.scheduling.pruning import Pruned, prunable, prune


class Command(BaseCommand):
    help = (
        f"Delete refresh runs that ended more than {settings.RUNS_RETENTION_DAYS} days ago, with the documents they "
        f"set aside, and changes, which are kept for {settings.CHANGES_RETENTION_DAYS} days, once no reader can ask "
        "for them. Beat has it done hourly; where no beat runs, call it daily. It may be interrupted at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self.stdout.write(f"{_rows(prunable())} would be deleted. Nothing was written.")
            return
        pruned = prune()
        self.stdout.write(f"{_rows(pruned)} deleted.")
        while pruned.more:
            pruned = prune()
            self.stdout.write(f"{_rows(pruned)} deleted.")


def _rows(pruned: Pruned) -> str:
    runs, changes = plural(pruned.runs, "run"), plural(pruned.changes, "change")
    return f"{runs}, {plural(pruned.documents, 'document')} they had set aside and {changes}"
