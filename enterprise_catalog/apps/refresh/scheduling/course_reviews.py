"""
Course reviews: fetched once per sweep for all courses, and rendered into the items they speak of (META-19, DISC-21).

A failing sweep keeps the old values and is tried again soon; it never fails a refresh.
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
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.fetch_session import BudgetedSession, BudgetExhausted
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Payers
from enterprise_catalog.apps.refresh.scheduling.periodic_jobs import claim_job, reschedule_job

log = structlog.get_logger(__name__)

_SWEEP = "course_reviews"
_PAYERS = Payers(background=request_budget.REVIEWS)
# One transaction stays short.
_COURSES_PER_TRANSACTION = 200


def refresh_reviews_if_due() -> bool:
    """Sweep when the interval is over and nobody else does; returns whether reviews were fetched."""
    # Only its end moves the date by the whole interval: a sweep that dies is done again soon.
    if not claim_job(_SWEEP, every=timedelta(minutes=settings.REVIEWS_JOB_MINUTES)):
        return False
    session = BudgetedSession(_SWEEP, _PAYERS, keeps=request_budget.is_limited())
    try:
        reviews = fetch_reviews(client=DiscoveryClient(session=session))
    except BudgetExhausted:
        # It goes on with what it was answered so far.
        reschedule_job(_SWEEP, after=timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES))
        return False
    except DiscoveryError as error:
        session.clear()
        log.warning("review_sweep_failed", code=error.code, detail=error.detail)
        reschedule_job(_SWEEP, after=timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES))
        return False
    session.close(complete=True)
    store_reviews(reviews)
    reschedule_job(_SWEEP, after=timedelta(hours=settings.REVIEWS_INTERVAL_HOURS))
    return True


def store_reviews(reviews: list[FetchedReview]) -> None:
    """Make the stored reviews say what discovery says, and render the courses whose review changed or disappeared."""
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
    """Reviews with the items they speak of, or neither: a later sweep sees by the reviews what is left to do."""
    rows = [
        CourseReview(course_key=key, reviews_count=count, avg_course_rating=rating)
        for key, (count, rating) in changed.items()
    ]
    upsert(CourseReview, rows, update_fields=["reviews_count", "avg_course_rating"])
    CourseReview.objects.filter(pk__in=gone).delete()
    rerender_contents([*changed, *gone])
