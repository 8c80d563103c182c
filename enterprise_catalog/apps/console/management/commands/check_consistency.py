"""Check the invariants between the tables: `services.consistency`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_catalog.apps.services.consistency import violations


class Command(BaseCommand):
    help = (
        "Prove that hashes, counts, members, documents, nested runs and refresh runs agree with each other, as of one "
        "moment. Prints each contradiction and exits with 1 when there is one. Reads only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--deep", action="store_true", help="open the documents of every content, not only of a random sample"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for violation in violations(deep=options["deep"]):
            self.stdout.write(str(violation))
            found += 1
        if found:
            raise CommandError(f"{found} violation{'' if found == 1 else 's'} found.", returncode=1)
        self.stdout.write("No violation found.")
