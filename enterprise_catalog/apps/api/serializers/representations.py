"""What v1 answers look like, field by field in the contract's order. Pure: rows in, values out."""

import json
from typing import Any

from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.rest.renderers import RawJson
from enterprise_catalog.apps.core.text import shortened
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.content_explanations.facts import ContentFacts
from enterprise_catalog.apps.services.content_explanations.reasons import Explanation

# RUN-1; MySQL keeps the keys of JSON in an order of its own (COM-14).
_COUNTS = ("fetched", "skipped", "quarantined", "added", "removed", "total")


def catalog_representation(catalog: EnterpriseCatalog, *, shows_title: bool) -> dict[str, Any]:
    """CRUD-1; its query's title may be another customer's."""
    query = catalog.catalog_query
    return {
        "uuid": catalog.uuid,
        "title": catalog.title,
        "enterprise_customer": catalog.enterprise_uuid,
        "catalog_query_uuid": query.uuid,
        "content_last_modified": query.content_modified if query.member_count else None,
        "catalog_modified": catalog.modified,
        "query_title": query.title if shows_title else None,
        "content_refreshed_at": query.refreshed_at,
        "content_freshness": freshness(query.refreshed_at),
    }


def query_representation(query: CatalogQuery, *, shows_title: bool) -> dict[str, Any]:
    """CQ-1; its title may be another customer's (CRUD-1)."""
    return {
        "uuid": query.uuid,
        # Python's JSON, as the hash was made from: orjson knows no numbers beyond 64 bits.
        "content_filter": RawJson(json.dumps(query.content_filter).encode()),
        "content_filter_hash": query.content_filter_hash,
        "title": query.title if shows_title else None,
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


def content_representation(content: ContentFacts) -> dict[str, Any]:
    """ADD-5."""
    return {
        # As asked, unless that could be no key.
        "content_key": shortened(content.content_key, CONTENT_KEY_MAX_LENGTH),
        "content_type": content.content_type,
        "title": content.title,
        "parent_content_key": content.parent_content_key,
        "active": content.active,
        "inactive_because": content.inactive_because,
        "restricted": content.restricted,
        "queries": content.queries,
        "catalogs": content.catalogs,
        "last_seen": content.last_seen,
        "left_at": content.left_at,
        "hint": content.hint,
        "quarantined": [
            {
                "refresh_run": document.refresh_run.uuid,
                "catalog_query_uuid": document.refresh_run.catalog_query_uuid,
                "at": document.refresh_run.finished_at,
                "reason": document.reason,
            }
            for document in content.quarantined
        ],
    }


def explanation_representation(explanation: Explanation) -> dict[str, Any]:
    """ADD-5."""
    catalog = explanation.catalog
    return {
        "enterprise_catalog": catalog.uuid,
        "title": catalog.title,
        "enterprise_customer": catalog.enterprise_uuid,
        "catalog_query_uuid": catalog.catalog_query.uuid,
        "contains": explanation.contains,
        "contains_in_v2": explanation.contains_in_v2,
        "listed": explanation.listed,
        "rule": explanation.rule,
        "member": explanation.member,
        "since": explanation.since,
        "since_run": explanation.since_run,
        "last_seen": explanation.last_seen,
        "reasons": [
            {"code": reason.code, "detail": reason.detail, "at": reason.at, "refresh_run": reason.run_uuid}
            for reason in explanation.reasons
        ],
    }
