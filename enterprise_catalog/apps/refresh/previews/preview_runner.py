"""
Run one preview from claim to result: what a refresh with this filter would publish.

It searches as a refresh does and is complete or fails by the same checks (P1, DISC-8). Of full records it fetches only
those of forced courses, to see whether discovery knows them. So the result has keys, types and titles, but does not say
which items are active or which restricted runs they show. Only the preview's own row is written.
"""

from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from structlog.contextvars import bound_contextvars

from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.client import DiscoveryClient, DiscoveryRequest
from enterprise_catalog.apps.discovery.errors import DiscoveryError
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.pipeline.fetching import PreviewResult, fetch_preview
from enterprise_catalog.apps.refresh.previews import preview_queue
from enterprise_catalog.apps.refresh.queue.leases import Heartbeat, LeaseLost
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.fetch_session import BudgetExhausted, CountingSession
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers

log = structlog.get_logger(__name__)

# Enough for a person to recognise the result.
_FIRST_ITEMS = 20
_TITLE_LENGTH = 255
# All previews together may use as much of the budget as one customer (RUN-7).
_CONSUMERS = Consumers(askers=frozenset({request_budget.PREVIEWS}))


class PreviewSession(CountingSession):
    """
    Counts each request, and stores in the row how many were answered.

    A preview that needs more requests than are left does not begin: half a result says nothing, and refreshes could
    have used the requests.
    """

    def __init__(self, claim: preview_queue.PreviewClaim) -> None:
        super().__init__(_CONSUMERS)
        self._claim = claim
        self._done = 0

    def announce(self, requests: int) -> None:
        if request_budget.last_hour().left_for(request_budget.PREVIEWS) < requests:
            raise BudgetExhausted
        preview_queue.renew(self._claim, requests_expected=self._done + requests)

    def cache(self, request: DiscoveryRequest, answer: dict[str, Any]) -> None:
        self._done += 1
        preview_queue.renew(self._claim, requests_done=self._done)

    def clear(self) -> None:
        """Begin to count again, since everything is requested again."""
        self._done = 0


def preview_next() -> list[UUID]:
    """Run the preview that waits longest. Return those that may run next, to be announced to workers."""
    claim = preview_queue.claim_next()
    if claim is None:
        return []
    try:
        with bound_contextvars(request_id=str(claim.preview_uuid)):
            _preview(claim)
    except (OperationalError, InterfaceError) as error:
        # The tick recovers it when its lease expires. The connection, or its transaction, may be broken.
        log.warning("preview_database_failed", preview=str(claim.preview_uuid), error=repr(error))
        connection.close()
        return []
    except LeaseLost:
        log.info("preview_given_up", preview=str(claim.preview_uuid))
    except BudgetExhausted:
        preview_queue.fail(claim, code=Reason.DISCOVERY_THROTTLED, detail=_budget_spent())
    except DiscoveryError as error:
        preview_queue.fail(claim, code=Reason.of(error), detail=error.detail)
    except Exception as error:
        log.exception("preview_crashed", preview=str(claim.preview_uuid))
        preview_queue.fail(claim, code=Reason.INTERNAL_ERROR, detail=type(error).__name__)
    return list(preview_queue.waiting_previews().values_list("pk", flat=True)[: settings.FILTER_PREVIEWS_AT_ONCE])


def _preview(claim: preview_queue.PreviewClaim) -> None:
    if not request_budget.last_hour().asker_may_begin(_CONSUMERS.askers):
        raise BudgetExhausted
    client = DiscoveryClient(on_wait=Heartbeat(partial(preview_queue.renew, claim)), session=PreviewSession(claim))
    result = fetch_preview(content_filter=claim.content_filter, client=client)
    preview_queue.finish(
        claim,
        found_keys=[content.content_key for content in result.contents],
        counts=_counts(result),
        first_items=[_item(content) for content in result.contents[:_FIRST_ITEMS]],
    )


def _counts(result: PreviewResult) -> dict[str, int]:
    """Return the counts by the names that a run has for them (RUN-1)."""
    return {
        "fetched": result.search.fetched,
        "skipped": result.search.skipped,
        "quarantined": len(result.quarantined),
        "total": len(result.contents),
    }


def _item(content: PreparedContent) -> list[str]:
    title = unpack(content.search_document).get("title")
    return [content.content_key, content.content_type, title[:_TITLE_LENGTH] if isinstance(title, str) else ""]


def _budget_spent() -> str:
    hour = request_budget.last_hour()
    return (
        f"The budget has no room for it: {hour.total} of {settings.DISCOVERY_REQUESTS_PER_HOUR} requests were made or "
        f"reserved within an hour (DISCOVERY_REQUESTS_PER_HOUR), and {hour.left_for(request_budget.PREVIEWS)} are left "
        "for previews. Try again later."
    )
