"""
Request a preview of a content filter, and compare its result with the rows of now.

A preview is a row that a worker fills; the notification after the commit may get lost (P5, P6). Nothing here saves a
filter: `save_catalog` and `save_query` do, after a person has seen the result.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.refresh.pipeline.publish_guard import Objection
from enterprise_catalog.apps.refresh.pipeline.publishing import (
    MembershipDifference,
    guard_objection,
    is_guarded,
    membership_difference,
)
from enterprise_catalog.apps.refresh.previews.preview_queue import request_preview
from enterprise_catalog.apps.services.worker_notifications import notify_workers_after_commit


@dataclass(frozen=True)
class Comparison:
    """
    A preview's result compared with the rows of now.

    `difference` compares with the members of the query it was requested for (None if that is gone or new). `owner` is
    the query that has this filter already. `guarded` is true if the guard would check a refresh with this filter
    (REFR-9), and `guard` is its objection.
    """

    difference: MembershipDifference | None
    owner: CatalogQuery | None
    guarded: bool
    guard: Objection | None


@retry_lost_locks
@transaction.atomic
def preview_filter(
    *,
    content_filter: dict[str, Any],
    catalog: EnterpriseCatalog | None = None,
    query: CatalogQuery | None = None,
    user_id: int | None = None,
    typed: dict[str, Any] | None = None,
) -> FilterPreview:
    """
    Request what this filter would return, for a catalog, a query, or neither.

    `typed` has the other values of the form, to be shown again. A person has one preview at a time: an earlier one that
    has not ended is ended.
    """
    preview = request_preview(
        content_filter=content_filter,
        catalog_uuid=catalog.pk if catalog else None,
        catalog_query_id=query.pk if query else None,
        requested_by=user_id,
        typed=typed or {},
    )
    notify_workers_after_commit(preview=preview)
    return preview


def has_ended(preview: FilterPreview) -> bool:
    """Return whether the preview is done or failed."""
    return preview.state in (FilterPreview.State.DONE, FilterPreview.State.FAILED)


def compare(preview: FilterPreview) -> Comparison:
    """Compare a preview that is done. Reads all members of one or two queries."""
    keys = unpack(preview.found_keys or b"")
    query_id = _compared_query_id(preview)
    difference = None if query_id is None else membership_difference(query_id=query_id, content_keys=keys)
    owner = CatalogQuery.objects.filter(content_filter_hash=content_filter_hash(preview.content_filter)).first()
    published_by = owner or CatalogQuery(content_filter=preview.content_filter)
    if not is_guarded(published_by):
        return Comparison(difference=difference, owner=owner, guarded=False, guard=None)
    # A query that gets this filter keeps its members until the publish. A catalog gets a new query, without members.
    replaced_id = owner.pk if owner else preview.catalog_query_id
    replaced = (
        MembershipDifference(added=keys, removed={}, before=0)
        if replaced_id is None
        else membership_difference(query_id=replaced_id, content_keys=keys)
    )
    guard = guard_objection(query=published_by, difference=replaced)
    return Comparison(difference=difference, owner=owner, guarded=True, guard=guard)


def _compared_query_id(preview: FilterPreview) -> int | None:
    """Return the id of the preview's query, or of the query that its catalog has now."""
    if preview.catalog_uuid is None:
        return preview.catalog_query_id
    catalogs = EnterpriseCatalog.objects.filter(pk=preview.catalog_uuid)
    return catalogs.values_list("catalog_query_id", flat=True).first()
