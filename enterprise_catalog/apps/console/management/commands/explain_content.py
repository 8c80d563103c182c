"""Explain where a content is, and why it is not in a catalog: `services.content_explanations`."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_catalog.apps.console.display.explanation_sentences import (
    content_sentences,
    how_contained,
    quarantine_sentences,
    reason_sentence,
)
from enterprise_catalog.apps.console.display.sentences import plural, query_name
from enterprise_catalog.apps.console.management.commands._arguments import uuid_argument
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.services.content_explanations.facts import catalogs_containing, content_facts
from enterprise_catalog.apps.services.content_explanations.reasons import Explanation, explain_content

_NOT_CONTAINED, _USAGE = 1, 2


class Command(BaseCommand):
    help = (
        "Say what is known of a content key and which catalogs contain it, through what and since when; or, with "
        "--catalog, whether that one does, and why not. Exit codes: 0 some catalog, or that one, contains it, 1 none "
        "does, 2 wrong usage. Reads only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="of a course or a run, or the uuid of a program or a pathway")
        parser.add_argument("--catalog", type=uuid_argument, metavar="UUID", help="explain this catalog")

    def handle(self, *args: Any, **options: Any) -> None:
        uuid, limit = options["catalog"], settings.PAGE_SIZE_MAX
        with snapshot():
            content = content_facts(content_key=options["key"])
            uuids = [uuid] if uuid else [*catalogs_containing(content_key=content.content_key)[:limit]]
            explanations = explain_content(content=content, catalog_uuids=uuids)
        if uuid is not None and not explanations:
            raise CommandError(f"Unknown: catalog {uuid}.", returncode=_USAGE)
        self.stdout.write(content.content_key)
        for sentence in content_sentences(content):
            self.stdout.write(f"  {sentence}")
        for sentence, run in quarantine_sentences(content):
            self.stdout.write(f"  {sentence}, run {run}")
        for explanation in explanations:
            self.stdout.write("\n".join(_lines(explanation)))
        if uuid is None and content.catalogs > limit:
            self.stdout.write(f"Only the first {limit} of {content.catalogs} catalogs are shown.")
        if not any(explanation.contains for explanation in explanations):
            where = f"Catalog {uuid} does not contain it." if uuid else "No catalog contains it."
            raise CommandError(where, returncode=_NOT_CONTAINED)
        self.stdout.write(f"{plural(1 if uuid else content.catalogs, 'catalog contains', 'catalogs contain')} it.")


def _lines(explanation: Explanation) -> Iterator[str]:
    catalog = explanation.catalog
    yield f"catalog {catalog.uuid} ({catalog.title}, {catalog.enterprise_name})"
    yield f"  {'query:':<16}{query_name(catalog.catalog_query)}"
    yield f"  {'contained:':<16}{how_contained(explanation)}"
    for reason in explanation.reasons:
        run = f", run {reason.run_uuid}" if reason.run_uuid else ""
        yield f"  {reason.code + ':':<16}{reason_sentence(reason)}{run}"
