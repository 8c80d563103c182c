"""
Fetch all course reviews once per interval, and rerender the items of courses whose review changed (META-19, DISC-21).

A job that fails leaves the old values and is repeated soon. It never fails a refresh.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from more_itertools import chunked

from enterprise_catalog.apps.catalog.models import CourseReview
from enterprise_catalog.apps.catalog.storage.content_store import rerender_contents
from enterprise_catalog.apps.core.db.batching import upsert
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.errors import DiscoveryError
from enterprise_catalog.apps.discovery.records import CourseReview as FetchedReview
from enterprise_catalog.apps.discovery.records import fetch_reviews
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.fetch_session import BudgetedSession, BudgetExhausted
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers
from enterprise_catalog.apps.refresh.scheduling.periodic_jobs import claim_job, reschedule_job

log = structlog.get_logger(__name__)

_JOB = "course_reviews"
_CONSUMERS = Consumers(background=request_budget.REVIEWS)
# So that each transaction is short.
_COURSES_PER_TRANSACTION = 200


def refresh_reviews_if_due() -> bool:
    """Refresh the reviews if the job is due and no other worker does it; return whether they were fetched."""
    # The whole interval begins only at the end, so a job whose worker dies is repeated soon.
    if not claim_job(_JOB, every=timedelta(minutes=settings.REVIEWS_JOB_MINUTES)):
        return False
    session = BudgetedSession(_JOB, _CONSUMERS, caches_all=request_budget.is_limited())
    try:
        reviews = fetch_reviews(client=DiscoveryClient(session=session))
    except BudgetExhausted:
        # The next one goes on with the answers that are cached.
        reschedule_job(_JOB, after=timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES))
        return False
    except DiscoveryError as error:
        session.clear()
        log.warning("review_sweep_failed", code=Reason.of(error), detail=error.detail)
        reschedule_job(_JOB, after=timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES))
        return False
    session.close(complete=True)
    store_reviews(reviews)
    reschedule_job(_JOB, after=timedelta(hours=settings.REVIEWS_INTERVAL_HOURS))
    return True


def store_reviews(reviews: list[FetchedReview]) -> None:
    """Store these reviews, delete all others, and rerender the courses whose review changed or disappeared."""
    stored = {row.course_key: (row.reviews_count, row.avg_course_rating) for row in CourseReview.objects.all()}
    received = {review.course_key: (review.reviews_count, review.avg_course_rating) for review in reviews}
    changed = sorted(key for key, values in received.items() if stored.get(key) != values)
    gone = sorted(stored.keys() - received.keys())
    for keys in chunked(changed, _COURSES_PER_TRANSACTION):
        _store({key: received[key] for key in keys}, gone=())
    for keys in chunked(gone, _COURSES_PER_TRANSACTION):
        _store({}, gone=keys)
    log.info("reviews_swept", changed=len(changed), removed=len(gone))


@retry_lost_locks
@transaction.atomic
def _store(changed: Mapping[str, tuple[int, float]], *, gone: Sequence[str]) -> None:
    """Write reviews together with their items, since the next job finds what is left to do by the reviews alone."""
    rows = [
        CourseReview(course_key=key, reviews_count=count, avg_course_rating=rating)
        for key, (count, rating) in changed.items()
    ]
    upsert(CourseReview, rows, update_fields=["reviews_count", "avg_course_rating"])
    CourseReview.objects.filter(pk__in=gone).delete()
    rerender_contents([*changed, *gone])
