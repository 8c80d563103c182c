"""Show the content, runs, changes and users of a query, on its own page and on those of its catalogs."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.html import format_html

from enterprise_catalog.apps.catalog.change_feed.feed import latest_changes
from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
)
from enterprise_catalog.apps.console.display.html import NOTHING, change_url, link, list_url, object_link, table
from enterprise_catalog.apps.console.display.sentences import plural, run_outcome, short_uuid
from enterprise_catalog.apps.refresh.models import RefreshRun

_CATALOGS_SHOWN = 50
_RUNS_SHOWN = 5
_CHANGES_SHOWN = 20


def items_of(query: CatalogQuery) -> str:
    hidden = query.member_count - query.count_v1
    return f"{query.count_v1} listed" + (f", {hidden} not listed" if hidden else "")


def freshness_of(query: CatalogQuery) -> str:
    state = freshness(query.refreshed_at)
    return f"{state}, published {query.refreshed_at:%Y-%m-%d %H:%M:%S} UTC" if query.refreshed_at else state.value


def last_runs(query: CatalogQuery) -> Any:
    """Show the newest runs with their outcomes."""
    runs = RefreshRun.objects.filter(catalog_query=query).defer("held_keys").order_by("-requested_at")[:_RUNS_SHOWN]
    rows = [(object_link(run, f"{run.requested_at:%Y-%m-%d %H:%M:%S}"), run.trigger, run_outcome(run)) for run in runs]
    return table(["requested (UTC)", "trigger", "outcome"], rows, note="" if rows else "No refresh yet.")


def changes_of_query(query: CatalogQuery) -> Any:
    """Show what joined and left all catalogs of the query, the newest first."""
    changes = CatalogContentChange.objects.filter(catalog_query=query, enterprise_catalog=None).order_by("-pk")
    return _changes(changes[:_CHANGES_SHOWN], query)


def changes_of_catalog(catalog: EnterpriseCatalog) -> Any:
    """Show what joined and left the catalog with any of its queries, the newest first (CHG-2)."""
    return _changes(latest_changes(catalog_uuid=catalog.pk, limit=_CHANGES_SHOWN), catalog.catalog_query)


def _changes(changes: Iterable[CatalogContentChange], query: CatalogQuery) -> Any:
    rows = [
        (
            f"{change.changed_at:%Y-%m-%d %H:%M:%S}",
            change.change,
            link(change_url(ContentMetadata, change.content_key), change.content_key),
            change.content_type,
            run_link(change.refresh_run_uuid),
        )
        for change in changes
    ]
    everything = link(list_url(CatalogContentChange, catalog_query__id__exact=query.pk), "All changes of its query")
    return table(
        ["when (UTC)", "", "key", "type", "run"], rows, note=everything if rows else "Nothing joined or left yet."
    )


def run_link(uuid: UUID | None) -> Any:
    return link(change_url(RefreshRun, uuid), short_uuid(uuid)) if uuid else NOTHING


def catalogs_of(query: CatalogQuery) -> Any:
    """Show the catalogs of a query and their customers."""
    catalogs = EnterpriseCatalog.objects.filter(catalog_query=query)
    count, customers = _count_catalogs(query)
    rows = [
        (object_link(catalog, catalog.title), catalog.enterprise_name, catalog.enterprise_uuid)
        for catalog in catalogs.order_by("enterprise_name", "uuid")[:_CATALOGS_SHOWN]
    ]
    if not rows:
        return "No catalog uses this query, so it is not refreshed."
    shared = f"Shared by {customers} customers: a change changes the catalogs of all of them." if customers > 1 else ""
    more = link(list_url(EnterpriseCatalog, catalog_query__id__exact=query.pk), f"All {count} catalogs")
    note = format_html("{} {}", shared, more if count > _CATALOGS_SHOWN else "")
    return format_html("<p>{}</p>{}", note, table(["catalog", "customer", "customer uuid"], rows))


def consequences_of(query: CatalogQuery) -> str:
    """Say how many catalogs change with the query's filter."""
    catalogs, customers = _count_catalogs(query)
    if not catalogs:
        return "Using it changes no catalog: none is on this query."
    return f"Using it changes {plural(catalogs, 'catalog')} of {plural(customers, 'customer')}, after one refresh."


def _count_catalogs(query: CatalogQuery) -> tuple[int, int]:
    """Return the numbers of catalogs and of customers."""
    catalogs = EnterpriseCatalog.objects.filter(catalog_query=query).order_by()
    return catalogs.count(), catalogs.values("enterprise_uuid").distinct().count()
