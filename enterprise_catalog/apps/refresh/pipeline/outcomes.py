"""
End a run that fetched a complete result: publish it, or hold it until somebody decides (REFR-6, REFR-10).

At most one run of a query is held. A newer run supersedes it when it is held or published. A change that a run still
finds GUARD_REPEAT_HOURS after it was first held is real, so it is published without a decision.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.core.db.batching import escaped_length
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.packed_json import pack, unpack
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.publishing import (
    FilterChanged,
    MembershipDifference,
    apply_difference,
    guard_objection,
    lock_for_publishing,
    membership_difference,
)
from enterprise_catalog.apps.refresh.queue.claims import Claim, end_runs, fail, owned, supersede
from enterprise_catalog.apps.refresh.queue.leases import LeaseLost

log = structlog.get_logger(__name__)

_ROWS_PER_STATEMENT = 1000
_NEWER_RESULT = "A newer run came to a result."


class NoLongerHeld(Exception):
    """The run cannot be approved or rejected; the message says why."""


@retry_lost_locks
@transaction.atomic
def publish_or_hold(
    *,
    claim: Claim,
    content_keys: Collection[str],
    counts: dict[str, int],
    overrides: Sequence[WantedOverride] = (),
) -> str:
    """
    End a run with its complete result; return the state it ended in.

    Raises LeaseLost if the claim does not own the run any more, FilterChanged if the query has another filter now, and
    QueryGone if the query was deleted. Nothing is written then.
    """
    if not owned(claim).select_for_update().values_list("pk").first():
        raise LeaseLost(str(claim.run_uuid))
    difference = membership_difference(query_id=claim.query_id, content_keys=content_keys)
    query = lock_for_publishing(query_id=claim.query_id, filter_hash=claim.filter_hash, difference=difference)
    outcome = counts | _membership_counts(difference)
    held = RefreshRun.objects.filter(catalog_query=query, state=RefreshRun.State.HELD)
    problem = guard_objection(query=query, difference=difference)
    if problem:
        now = database_now()
        key_set = sorted(content_keys)
        since = _held_since(held.first(), key_set) or now
        if now - since < timedelta(hours=settings.GUARD_REPEAT_HOURS):
            supersede(held, _NEWER_RESULT)
            held_keys = pack(key_set)
            if escaped_length(held_keys) > settings.DATABASE_STATEMENT_BYTES:
                # It cannot be stored, so nobody could approve it.
                detail = f"{problem.detail} Its keys are too large to be held for a decision."
                fail(claim, code=problem.code, detail=detail)
                return RefreshRun.State.FAILED
            end_runs(
                owned(claim),
                state=RefreshRun.State.HELD,
                code=problem.code,
                detail=problem.detail,
                counts=outcome,
                held_keys=held_keys,
                held_since=since,
            )
            log.warning("refresh_held", run=str(claim.run_uuid), query=query.pk, code=problem.code)
            return RefreshRun.State.HELD
    supersede(held, _NEWER_RESULT)
    failed = _publish(query, difference, claim.run_uuid, overrides)
    outcome["quarantined"] = outcome.get("quarantined", 0) + _quarantine(claim.run_uuid, failed)
    end_runs(owned(claim), state=RefreshRun.State.PUBLISHED, counts=outcome)
    return RefreshRun.State.PUBLISHED


@retry_lost_locks
@transaction.atomic
def approve_held(run_uuid: UUID) -> None:
    """Publish exactly the held set. Raises NoLongerHeld if the run is not held, or its query has another filter now."""
    run = _lock_held_run(run_uuid)
    if run.catalog_query_id is None or run.held_keys is None:
        raise NoLongerHeld("The catalog query of this run no longer exists.")
    difference = membership_difference(query_id=run.catalog_query_id, content_keys=unpack(run.held_keys))
    try:
        query = lock_for_publishing(query_id=run.catalog_query_id, filter_hash=run.filter_hash, difference=difference)
    except FilterChanged as error:
        raise NoLongerHeld("The content filter changed since this run fetched.") from error
    except QueryGone as error:
        raise NoLongerHeld("The catalog query of this run no longer exists.") from error
    # The overrides were not held. They come with the next run of the query.
    _publish(query, difference, run.pk, None)
    counts = (run.counts or {}) | _membership_counts(difference)
    end_runs(RefreshRun.objects.filter(pk=run.pk), state=RefreshRun.State.PUBLISHED, counts=counts)


@retry_lost_locks
@transaction.atomic
def reject_held(run_uuid: UUID) -> None:
    """Drop the held set; readers keep what they have. Raises NoLongerHeld if the run is not held."""
    end_runs(
        RefreshRun.objects.filter(pk=_lock_held_run(run_uuid).pk),
        state=RefreshRun.State.FAILED,
        code=Reason.REJECTED,
        detail="An operator rejected the result.",
    )


def _publish(
    query: CatalogQuery, difference: MembershipDifference, run_uuid: UUID, overrides: Sequence[WantedOverride] | None
) -> dict[str, str]:
    unusable = apply_difference(query=query, difference=difference, run_uuid=run_uuid, overrides=overrides)
    log.info(
        "catalog_query_published",
        run=str(run_uuid),
        query=query.pk,
        added=len(difference.added),
        removed=len(difference.removed),
        total=difference.found,
    )
    return unusable


def _quarantine(run_uuid: UUID, failed: Mapping[str, str]) -> int:
    """Report overrides that could not be built, beside what the run reported before (P7)."""
    QuarantinedDocument.objects.bulk_create(
        (QuarantinedDocument(refresh_run_id=run_uuid, content_key=key, reason=failed[key]) for key in failed),
        batch_size=_ROWS_PER_STATEMENT,
    )
    return len(failed)


def _membership_counts(difference: MembershipDifference) -> dict[str, int]:
    return {"added": len(difference.added), "removed": len(difference.removed), "total": difference.found}


def _held_since(held: RefreshRun | None, key_set: list[str]) -> datetime | None:
    if held is None or held.held_keys is None or unpack(held.held_keys) != key_set:
        return None
    return held.held_since


def _lock_held_run(run_uuid: UUID) -> RefreshRun:
    run = RefreshRun.objects.select_for_update().filter(pk=run_uuid).first()
    if run is None or run.state != RefreshRun.State.HELD:
        raise NoLongerHeld("Only a held run can be approved or rejected.")
    return run
