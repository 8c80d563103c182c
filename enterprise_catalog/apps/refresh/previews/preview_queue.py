"""
Previews as rows: asked for, claimed, ended, and found again when a nudge or a worker was lost.

The row is the work, as with runs (`refresh.queue.claims`), and a claim is the same conditional UPDATE with lease and
fence.
But nothing is postponed or kept for later here: somebody looks at it now, and is told at once why there is nothing to
see. Nothing here asks discovery; nothing that readers see depends on these rows.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from enterprise_catalog.apps.core.db.clock import DatabaseNow, database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.refresh.queue.leases import LeaseLost, lease_end
from enterprise_catalog.apps.refresh.queue.renotify import due_for_renotification, stamp_notified

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PreviewClaim:
    """A preview this worker owns, and the filter it asks for."""

    preview_uuid: uuid.UUID
    fence: int
    content_filter: dict[str, Any]


def request_preview(
    *,
    content_filter: dict[str, Any],
    catalog_uuid: uuid.UUID | None,
    catalog_query_id: int | None,
    requested_by: int | None,
    typed: dict[str, Any],
) -> FilterPreview:
    """Write the wish. It takes the place of any that the same person still waits for."""
    if requested_by is not None:
        end_previews(
            FilterPreview.objects.filter(
                requested_by=requested_by, state__in=[FilterPreview.State.QUEUED, FilterPreview.State.RUNNING]
            ),
            state=FilterPreview.State.FAILED,
            reason_code="superseded",
            reason_detail="The same person asked for another preview before this one was done.",
        )
        _keep_latest(requested_by)
    return FilterPreview.objects.create(
        content_filter=content_filter,
        catalog_uuid=catalog_uuid,
        catalog_query_id=catalog_query_id,
        requested_by=requested_by,
        typed=typed,
        requested_at=database_now(),
    )


def _keep_latest(requested_by: int) -> None:
    """Make room for one more of this person."""
    own = FilterPreview.objects.filter(requested_by=requested_by).order_by("-requested_at", "-pk")
    surplus = list(own.values_list("pk", flat=True)[settings.FILTER_PREVIEWS_KEPT - 1 :])
    FilterPreview.objects.filter(pk__in=surplus).delete()


def waiting_previews() -> QuerySet[FilterPreview]:
    """The longest waiting first."""
    return FilterPreview.objects.filter(state=FilterPreview.State.QUEUED).order_by("requested_at", "pk")


def claim_next() -> PreviewClaim | None:
    """The preview that waits for longest; None when there is none, or no place to do it now."""
    taken = set(FilterPreview.objects.filter(place__isnull=False).values_list("place", flat=True))
    for place in sorted(set(range(settings.FILTER_PREVIEWS_AT_ONCE)) - taken):
        for preview_uuid in list(waiting_previews().values_list("pk", flat=True)[: settings.FILTER_PREVIEWS_AT_ONCE]):
            claim = _claim(preview_uuid, place)
            if claim is not None:
                return claim
    return None


def owned(claim: PreviewClaim) -> QuerySet[FilterPreview]:
    """The preview's row, while it is still ours; updating it must change one row."""
    return FilterPreview.objects.filter(pk=claim.preview_uuid, fence=claim.fence, state=FilterPreview.State.RUNNING)


@retry_lost_locks
def renew(claim: PreviewClaim, **progress: Any) -> None:
    """Extend the lease, and say how far it got. Raises LeaseLost when it is no longer ours."""
    if not owned(claim).update(lease_until=lease_end(), **progress):
        raise LeaseLost(str(claim.preview_uuid))


def finish(
    claim: PreviewClaim, *, found_keys: Sequence[str], counts: dict[str, int], first_items: Sequence[Sequence[str]]
) -> None:
    """End it with what was found. Raises LeaseLost."""
    result = {"found_keys": pack(list(found_keys)), "counts": counts, "first_items": list(first_items)}
    if not end_previews(owned(claim), state=FilterPreview.State.DONE, **result):
        raise LeaseLost(str(claim.preview_uuid))
    log.info("preview_done", preview=str(claim.preview_uuid), **counts)


def fail(claim: PreviewClaim, *, code: str, detail: str) -> None:
    """End it without a result, for this reason (RUN-4)."""
    ended = end_previews(owned(claim), state=FilterPreview.State.FAILED, reason_code=code, reason_detail=detail)
    log.warning("preview_failed", preview=str(claim.preview_uuid), code=code, detail=detail, ended=ended)


@retry_lost_locks
def end_previews(previews: QuerySet[FilterPreview], *, state: str, **fields: Any) -> int:
    """Move previews to an end state; returns how many were."""
    return previews.update(state=state, place=None, lease_until=None, finished_at=DatabaseNow(), **fields)


def tick_previews() -> list[uuid.UUID]:
    """Put previews of dead workers back to wait, and return the waiting ones that nobody was told of lately."""
    for preview in FilterPreview.objects.filter(_expired()).only("pk", "fence", "attempts"):
        _recover(preview)
    unknown = waiting_previews().filter(due_for_renotification()).values_list("pk", flat=True)
    return stamp_notified(FilterPreview, list(unknown[: settings.NOTIFICATIONS_PER_TICK]))


def _expired() -> Q:
    return Q(state=FilterPreview.State.RUNNING, lease_until__lt=DatabaseNow())


@retry_lost_locks
def _recover(preview: FilterPreview) -> None:
    expired = FilterPreview.objects.filter(_expired(), pk=preview.pk, fence=preview.fence)
    if preview.attempts < settings.FILTER_PREVIEW_ATTEMPTS:
        changed = expired.update(state=FilterPreview.State.QUEUED, place=None, lease_until=None, nudged_at=None)
    else:
        reason = {"reason_code": "internal_error", "reason_detail": "Its workers died repeatedly."}
        changed = end_previews(expired, state=FilterPreview.State.FAILED, **reason)
    if changed:
        log.warning("preview_lease_expired", preview=str(preview.pk), attempts=preview.attempts)


@retry_lost_locks
@transaction.atomic
def _claim(preview_uuid: uuid.UUID, place: int) -> PreviewClaim | None:
    try:
        with transaction.atomic():
            claimed = FilterPreview.objects.filter(pk=preview_uuid, state=FilterPreview.State.QUEUED).update(
                state=FilterPreview.State.RUNNING,
                place=place,
                lease_until=lease_end(),
                fence=F("fence") + 1,
                attempts=F("attempts") + 1,
                started_at=DatabaseNow(),
                requests_done=0,
                requests_expected=None,
            )
    except IntegrityError:
        # Another worker took the place.
        return None
    if not claimed:
        return None
    preview = FilterPreview.objects.get(pk=preview_uuid)
    return PreviewClaim(preview.pk, preview.fence, preview.content_filter)
