"""Create queries and refresh runs in the state that a test needs, and store what they found."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from enterprise_catalog.apps.catalog.content.prepared_content import prepare_content
from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.models import DiscoveryBudget, RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import Claim, claim_runs
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.factories import CatalogQueryFactory


def make_query(content_filter: dict | None = None) -> CatalogQuery:
    return CatalogQueryFactory.create(
        content_filter={"content_type": "course"} if content_filter is None else content_filter
    )


def requested(query: CatalogQuery, *, trigger: str = RefreshRun.Trigger.REQUEST) -> RefreshRun:
    """Enqueue a run of a query."""
    return enqueue_run(query=query, trigger=trigger)


def claimed(query: CatalogQuery) -> Claim:
    """Enqueue a run of a query and claim it."""
    (claim,) = claim_runs(requested(query).pk)
    return claim


def store_courses(*documents: dict, assert_lease=lambda: None) -> int:
    """Store search documents of courses as a refresh would. Return how many changed."""
    prepared = [
        prepare_content(
            pack(document),
            content_key=document["key"],
            content_type="course",
            parent_content_key=None,
            content_uuid=None,
            now=timezone.now(),
        )
        for document in documents
    ]
    return store_contents(contents=prepared, records={}, assert_lease=assert_lease).changed


def members(query: CatalogQuery) -> list[str]:
    """Return the content keys of a query's members, sorted."""
    rows = CatalogContentKey.objects.filter(catalog_query=query)
    return list(rows.order_by("content_id").values_list("content_id", flat=True))


def keys(count: int, prefix: str = "edX+") -> list[str]:
    return [f"{prefix}{number:03d}" for number in range(count)]


def store_keys(content_keys: Iterable[str]) -> None:
    store_courses(*(course_document(key) for key in content_keys))


def expire(claim: Claim) -> None:
    """Let a lease expire, as if its worker had died."""
    RefreshRun.objects.filter(pk=claim.run_uuid).update(lease_until=database_now() - timedelta(seconds=1))


def let_budget_age(minutes: int) -> None:
    """Pretend that all requests to discovery were made so many minutes earlier."""

    def older(spent: dict) -> dict:
        return {str(int(minute) - minutes): requests for minute, requests in spent.items()}

    for row in DiscoveryBudget.objects.all():
        row.spent, by_consumer = older(row.spent), row.spent_by or {}
        row.spent_by = {consumer: older(spent) for consumer, spent in by_consumer.items()}
        row.save()
