"""List the catalog queries that are late, and why: `refresh.reports.late_queries`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from enterprise_catalog.apps.console.display.sentences import late_reason, plural, query_name, utc_minute
from enterprise_catalog.apps.refresh.reports.late_queries import freshness_overview, late_queries


class Command(BaseCommand):
    help = (
        f"Name each catalog query in use that was not published for {settings.FRESHNESS_HOURS} hours, since when it is "
        "late, and what its last refresh says about why. Exits with 1 when there is one. Reads only."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        late = late_queries()
        for found in late:
            query, catalogs = found.query, plural(found.catalogs, "catalog")
            published = f"last published {utc_minute(query.refreshed_at)}" if query.refreshed_at else "never published"
            self.stdout.write(
                f"query {query_name(query)}: late since {utc_minute(found.late_since)}, {published}, {catalogs}; "
                f"{late_reason(found.last_run)}"
            )
        total = freshness_overview()
        oldest = f", the oldest published {utc_minute(total.oldest_published_at)}" if total.oldest_published_at else ""
        self.stdout.write(f"{plural(total.in_use, 'query', 'queries')} in use, {total.held} held{oldest}.")
        if late:
            raise CommandError(f"{plural(len(late), 'query is', 'queries are')} late.", returncode=1)
        self.stdout.write("None is late.")
