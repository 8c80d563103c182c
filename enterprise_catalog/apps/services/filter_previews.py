"""
Try a content filter before it is saved: a row first, and after commit a nudge that may get lost (P5, P6); then what the
result means for the rows that are there now.

Nothing here fetches, or saves a filter: that is `save_catalog`'s and `save_query`'s, once a person has seen the result.
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
    What was found, against what there is at this moment: the members of the query it was asked for (None: there is no
    such row), and the query that has this very filter already. The guard has a say (`guarded`) where that one published
    with it before (REFR-9), and may then object.
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
    Ask what this filter would return, for a catalog, for a query, or for neither. `typed` is what else stood in the
    form, kept to be shown again. A person has one preview at a time: another one that still waits or runs ends.
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
    """True when nothing will happen to it any more."""
    return preview.state in (FilterPreview.State.DONE, FilterPreview.State.FAILED)


def compare(preview: FilterPreview) -> Comparison:
    """Of a preview that is done. Reads all members of one query, or of two."""
    keys = unpack(preview.found_keys or b"")
    query_id = _compared_query_id(preview)
    difference = None if query_id is None else membership_difference(query_id=query_id, content_keys=keys)
    owner = CatalogQuery.objects.filter(content_filter_hash=content_filter_hash(preview.content_filter)).first()
    if owner is None or not is_guarded(owner):
        return Comparison(difference=difference, owner=owner, guarded=False, guard=None)
    against_owner = membership_difference(query_id=owner.pk, content_keys=keys)
    guard = guard_objection(query=owner, difference=against_owner)
    return Comparison(difference=difference, owner=owner, guarded=True, guard=guard)


def _compared_query_id(preview: FilterPreview) -> int | None:
    """A catalog's query is the one it is on by now."""
    if preview.catalog_uuid is None:
        return preview.catalog_query_id
    catalogs = EnterpriseCatalog.objects.filter(pk=preview.catalog_uuid)
    return catalogs.values_list("catalog_query_id", flat=True).first()
