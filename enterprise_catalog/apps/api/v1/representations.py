"""What v1 answers look like, field by field in the contract's order. Pure: rows in, values out."""

from typing import Any

from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun


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
        "counts": run.counts,
        "reason": {"code": run.reason_code, "detail": run.reason_detail} if run.reason_code else None,
        "attempts": run.attempts,
    }
