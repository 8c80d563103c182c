"""
Request, claim, end and recover filter previews by lease (`refresh.queue.leases`).

A preview is never postponed: somebody waits for it now, and reads at once why it failed.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.refresh.queue import leases
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
    """Write a waiting preview. It supersedes a preview that the same person still waits for."""
    if requested_by is not None:
        end_previews(
            FilterPreview.objects.filter(
                requested_by=requested_by, state__in=[FilterPreview.State.QUEUED, FilterPreview.State.RUNNING]
            ),
            state=FilterPreview.State.FAILED,
            code=Reason.SUPERSEDED,
            detail="The same person asked for another preview before this one was done.",
        )
        _delete_surplus(requested_by)
    return FilterPreview.objects.create(
        content_filter=content_filter,
        catalog_uuid=catalog_uuid,
        catalog_query_id=catalog_query_id,
        requested_by=requested_by,
        typed=typed,
        requested_at=database_now(),
    )


def _delete_surplus(requested_by: int) -> None:
    """Delete this person's oldest previews, so that FILTER_PREVIEWS_KEPT remain with the next one."""
    own = FilterPreview.objects.filter(requested_by=requested_by).order_by("-requested_at", "-pk")
    surplus = list(own.values_list("pk", flat=True)[settings.FILTER_PREVIEWS_KEPT - 1 :])
    FilterPreview.objects.filter(pk__in=surplus).delete()


def waiting_previews() -> QuerySet[FilterPreview]:
    """Select the waiting previews, the longest waiting first."""
    return FilterPreview.objects.filter(state=FilterPreview.State.QUEUED).order_by("requested_at", "pk")


def claim_next() -> PreviewClaim | None:
    """Claim the preview that waits longest. None if none waits, or FILTER_PREVIEWS_AT_ONCE are running."""
    taken = set(FilterPreview.objects.filter(place__isnull=False).values_list("place", flat=True))
    for place in sorted(set(range(settings.FILTER_PREVIEWS_AT_ONCE)) - taken):
        for preview_uuid in list(waiting_previews().values_list("pk", flat=True)[: settings.FILTER_PREVIEWS_AT_ONCE]):
            claim = _claim(preview_uuid, place)
            if claim is not None:
                return claim
    return None


def owned(claim: PreviewClaim) -> QuerySet[FilterPreview]:
    """Select the preview while this claim owns it."""
    return leases.owned(FilterPreview.objects.all(), claim.preview_uuid, claim.fence)


def renew(claim: PreviewClaim, **progress: Any) -> None:
    """Extend the lease and store the progress. Raises LeaseLost if the preview is not owned any more."""
    leases.renew(owned(claim), claim.preview_uuid, **progress)


def finish(
    claim: PreviewClaim, *, found_keys: Sequence[str], counts: dict[str, int], first_items: Sequence[Sequence[str]]
) -> None:
    """End the preview with what was found. Raises LeaseLost."""
    result: dict[str, Any] = {"found_keys": pack(list(found_keys)), "counts": counts, "first_items": list(first_items)}
    if not end_previews(owned(claim), state=FilterPreview.State.DONE, **result):
        raise leases.LeaseLost(str(claim.preview_uuid))
    log.info("preview_done", preview=str(claim.preview_uuid), **counts)


def fail(claim: PreviewClaim, *, code: Reason, detail: str) -> None:
    """End the preview without a result, for this reason (RUN-4)."""
    ended = end_previews(owned(claim), state=FilterPreview.State.FAILED, code=code, detail=detail)
    log.warning("preview_failed", preview=str(claim.preview_uuid), code=code, detail=detail, ended=ended)


@retry_lost_locks
def end_previews(
    previews: QuerySet[FilterPreview], *, state: str, code: Reason | None = None, detail: str = "", **columns: Any
) -> int:
    """Move previews to an end state; return how many there were."""
    return leases.end(previews, state=state, place=None, reason_code=code or "", reason_detail=detail, **columns)


def tick_previews() -> list[uuid.UUID]:
    """Recover previews of dead workers, and return the waiting ones whose notification is to be repeated."""
    leases.recover_expired(FilterPreview.objects.all(), _recover)
    waiting = waiting_previews().filter(due_for_renotification()).values_list("pk", flat=True)
    return stamp_notified(FilterPreview, list(waiting[: settings.NOTIFICATIONS_PER_TICK]))


def _recover(preview: FilterPreview) -> bool:
    log.warning("preview_lease_expired", preview=str(preview.pk), attempts=preview.attempts)
    row = FilterPreview.objects.filter(pk=preview.pk)
    if preview.attempts < settings.FILTER_PREVIEW_ATTEMPTS:
        return leases.release(row, place=None)
    detail = "Its workers died repeatedly."
    end_previews(row, state=FilterPreview.State.FAILED, code=Reason.INTERNAL_ERROR, detail=detail)
    return False


@retry_lost_locks
@transaction.atomic
def _claim(preview_uuid: uuid.UUID, place: int) -> PreviewClaim | None:
    row = FilterPreview.objects.filter(pk=preview_uuid)
    if not leases.claim(row, place=place, requests_done=0, requests_expected=None):
        return None
    preview = row.get()
    return PreviewClaim(preview.pk, preview.fence, preview.content_filter)
