"""
Publish a catalog and change its content, and check that a refresh with a fault ends like one without.

Most fault tests begin and end with these functions.
"""

from dataclasses import dataclass
from typing import Any

from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    NestedRun,
)
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.services.consistency import violations
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.runs import make_query, members, requested
from tests.faults.driver import empty_database

COURSES = {"content_type": "course"}
CUSTOMER = "6f1d7a52-3c0b-4d52-9d0e-6f2f1c6b7a01"
NEW = "edX+New"

_CONTENT = (
    "content_key", "content_uuid", "content_type", "parent_content_key", "active", "restricted", "listed_on_legacy",
    "search_digest", "variant_rank", "variant_digest", "record_digest",
)  # fmt: skip
_STANDINGS = ("content_id", "visibility_v1", "visibility_v2", "visibility_legacy")
_COUNTS = ("content_filter_hash", "member_count", "count_v1", "count_v2", "count_legacy")


@dataclass(frozen=True)
class Scene:
    """A query with a catalog: its published keys, and those after the next refresh."""

    query: CatalogQuery
    before: list[str]
    after: list[str]

    def shown(self) -> list[str]:
        return members(self.query)


def published_catalog(sandbox: Sandbox) -> Scene:
    """
    All courses, published; then one goes, one comes, and each third of the others says something else. Needs settings
    that lead to this sandbox.
    """
    query = make_query(COURSES)
    EnterpriseCustomer.objects.create(uuid=CUSTOMER, fetched_at=database_now(), attempted_at=database_now())
    EnterpriseCatalog.objects.create(
        title="All", enterprise_uuid=CUSTOMER, enterprise_name="Acme", catalog_query=query, modified=database_now()
    ).attachments.create(catalog_query=query, begins_after=0)
    run = requested(query)
    refresh(run.pk)
    run.refresh_from_db()
    assert run.state == RefreshRun.State.PUBLISHED
    before = members(query)
    template, record = sandbox.search_document("course", before[-1]), sandbox.course_record(before[-1])
    sandbox.remove(before[0])
    for key in before[1::3]:
        sandbox.touch(key)
    new_uuid = "0f0e0d0c-0b0a-4908-8706-050403020100"
    names = {"key": NEW, "uuid": new_uuid}
    sandbox.upsert_search(template | names | {"aggregation_key": f"course:{NEW}", "course_runs": []})
    sandbox.upsert_record(record | names | {"course_runs": []})
    sandbox.clear_calls()
    return Scene(query, before, sorted([*before[1:], NEW]))


def ends_like_a_clean_run(scene: Scene) -> None:
    """
    Check that nothing is lost or doubled (P5).

    The tables agree, and hold what an undisturbed refresh writes into an empty store.
    """
    assert list(violations(deep=True)) == []
    assert scene.shown() == scene.after
    found = _outcome()
    content_filter = scene.query.content_filter
    empty_database()
    query = make_query(content_filter)
    run = requested(query)
    refresh(run.pk)
    run.refresh_from_db()
    assert run.state == RefreshRun.State.PUBLISHED
    assert found == _outcome()


def state_of(run: RefreshRun) -> str:
    return RefreshRun.objects.values_list("state", flat=True).get(pk=run.pk)


def _outcome() -> dict[str, Any]:
    """Everything but moments and row ids. What left the query is still stored, and in no clean run."""
    held = CatalogContentKey.objects.values("content_id")
    return {
        "contents": list(ContentMetadata.objects.filter(pk__in=held).order_by("pk").values_list(*_CONTENT)),
        "members": list(CatalogContentKey.objects.order_by("content_id").values_list(*_STANDINGS)),
        "runs": list(
            NestedRun.objects.filter(course_id__in=held)
            .order_by("course_id", "run_key")
            .values_list("course_id", "run_key", "restricted")
        ),
        "counts": list(CatalogQuery.objects.values_list(*_COUNTS)),
    }
