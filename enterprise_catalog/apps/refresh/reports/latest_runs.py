"""
Read the newest run of some queries, what it quarantined of some keys, and whether a held run has them.

Four statements for any number of queries.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun


@dataclass
class LatestWork:
    """The latest runs of one query."""

    # The newest run in any state; None if there is none.
    newest: RefreshRun | None = None
    # What the newest run with a complete result quarantined (P7).
    quarantined: QuarantinedDocument | None = None
    held: RefreshRun | None = None
    # Those of the given keys that would be members after the held run is approved.
    held_keys: frozenset[str] = frozenset()


def latest_work(*, query_ids: Collection[int], content_keys: Collection[str]) -> dict[int, LatestWork]:
    """Return the latest work by query id, as far as it concerns these keys."""
    rows = CatalogQuery.objects.filter(pk__in=query_ids).annotate(
        newest=Subquery(_newest()),
        complete=Subquery(_newest(state__in=[RefreshRun.State.PUBLISHED, RefreshRun.State.HELD])),
    )
    found = list(rows.values_list("pk", "newest", "complete"))
    runs = RefreshRun.objects.defer("held_keys").in_bulk([newest for _, newest, _ in found if newest])
    documents = QuarantinedDocument.objects.filter(
        refresh_run__in=[complete for _, _, complete in found if complete], content_key__in=content_keys
    )
    documents = documents.select_related("refresh_run").defer("refresh_run__held_keys").order_by("-pk")
    quarantined = {document.refresh_run_id: document for document in documents}
    work = {
        query_id: LatestWork(newest=runs.get(newest), quarantined=quarantined.get(complete))
        for query_id, newest, complete in found
    }
    for run in RefreshRun.objects.filter(state=RefreshRun.State.HELD, catalog_query__in=query_ids):
        if run.held_keys is not None and run.catalog_query_id in work:
            # The keys of a whole catalog, so only one run is in memory at a time.
            work[run.catalog_query_id].held_keys = frozenset(unpack(run.held_keys)).intersection(content_keys)
            work[run.catalog_query_id].held = run
    return work


def _newest(**of: Any) -> QuerySet[Any]:
    runs = RefreshRun.objects.filter(catalog_query=OuterRef("pk"), **of)
    return runs.order_by("-requested_at").values("pk")[:1]
