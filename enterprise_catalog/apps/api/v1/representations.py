"""What v1 answers look like, field by field in the contract's order. Pure: rows in, values out."""

import json
from typing import Any

from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.renderers import Rendered
from enterprise_catalog.apps.refresh.models import RefreshRun

# RUN-1; MySQL keeps the keys of JSON in an order of its own (COM-14).
_COUNTS = ("fetched", "skipped", "quarantined", "added", "removed", "total")


def catalog_representation(catalog: EnterpriseCatalog) -> dict[str, Any]:
    """CRUD-1."""
    query = catalog.catalog_query
    return {
        "uuid": catalog.uuid,
        "title": catalog.title,
        "enterprise_customer": catalog.enterprise_uuid,
        "catalog_query_uuid": query.uuid,
        "content_last_modified": query.content_modified if query.member_count else None,
        "catalog_modified": catalog.modified,
        "query_title": query.title,
        "content_refreshed_at": query.refreshed_at,
        "content_freshness": freshness(query.refreshed_at),
    }


def query_representation(query: CatalogQuery) -> dict[str, Any]:
    """CQ-1."""
    return {
        "uuid": query.uuid,
        # Python's JSON, as the hash was made from: orjson knows no numbers beyond 64 bits.
        "content_filter": Rendered(json.dumps(query.content_filter).encode()),
        "content_filter_hash": query.content_filter_hash,
        "title": query.title,
    }


def run_representation(run: RefreshRun) -> dict[str, Any]:
    """RUN-1."""
    return {
        "id": run.uuid,
        "catalog_query_uuid": run.catalog_query_uuid,
        "state": run.state,
        "trigger": run.trigger,
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "counts": {name: run.counts[name] for name in _COUNTS if name in run.counts} if run.counts else None,
        "reason": {"code": run.reason_code, "detail": run.reason_detail} if run.reason_code else None,
        "attempts": run.attempts,
    }
