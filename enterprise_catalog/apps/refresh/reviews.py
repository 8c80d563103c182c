"""
Course reviews: fetched once per sweep for all courses, and rendered into the items they speak of (META-19, DISC-21).

A failing sweep keeps the old values and is tried again soon; it never fails a refresh.
"""

from datetime import timedelta

import structlog
from django.conf import settings

from enterprise_catalog.apps.catalog.models import CourseReview
from enterprise_catalog.apps.catalog.store import render_again
from enterprise_catalog.apps.core.db import database_now, in_chunks, upsert
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.discovery.errors import DiscoveryError
from enterprise_catalog.apps.discovery.records import CourseReview as FetchedReview
from enterprise_catalog.apps.discovery.records import fetch_reviews
from enterprise_catalog.apps.refresh.models import Sweep

log = structlog.get_logger(__name__)

_SWEEP = "course_reviews"
_ROWS_PER_STATEMENT = 1000


def sweep_reviews_if_due() -> bool:
    """Sweep when the interval is over and nobody else does; returns whether reviews were fetched."""
    now = database_now()
    Sweep.objects.get_or_create(name=_SWEEP, defaults={"due_at": now})
    # One conditional UPDATE: whoever moves the date does the work.
    next_due = now + timedelta(hours=settings.REVIEWS_INTERVAL_HOURS)
    if not Sweep.objects.filter(name=_SWEEP, due_at__lte=now).update(due_at=next_due):
        return False
    try:
        reviews = fetch_reviews(client=DiscoveryClient())
    except DiscoveryError as error:
        log.warning("review_sweep_failed", code=error.code, detail=error.detail)
        Sweep.objects.filter(name=_SWEEP).update(due_at=now + timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES))
        return False
    store_reviews(reviews)
    return True


def store_reviews(reviews: list[FetchedReview]) -> None:
    """Make the stored reviews say what discovery says, and render the courses whose review changed or disappeared."""
    stored = {row.course_key: (row.reviews_count, row.avg_course_rating) for row in CourseReview.objects.all()}
    received = {review.course_key: (review.reviews_count, review.avg_course_rating) for review in reviews}
    changed = sorted(key for key, values in received.items() if stored.get(key) != values)
    gone = sorted(stored.keys() - received.keys())
    for keys in in_chunks(changed, _ROWS_PER_STATEMENT):
        rows = [
            CourseReview(course_key=key, reviews_count=received[key][0], avg_course_rating=received[key][1])
            for key in keys
        ]
        upsert(CourseReview, rows, update_fields=["reviews_count", "avg_course_rating"])
    for keys in in_chunks(gone, _ROWS_PER_STATEMENT):
        CourseReview.objects.filter(pk__in=keys).delete()
    render_again(changed + gone)
    log.info("reviews_swept", changed=len(changed), removed=len(gone))
