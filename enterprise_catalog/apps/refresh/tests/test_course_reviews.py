"""Course reviews (META-19, DISC-21)."""

from datetime import timedelta

import orjson
import pytest

from enterprise_catalog.apps.catalog.content.items import build_item
from enterprise_catalog.apps.catalog.models import ContentMetadata, CourseReview, EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.pages import rendered_items
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller
from enterprise_catalog.apps.catalog.storage import content_store
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.discovery.records import CourseReview as Received
from enterprise_catalog.apps.refresh.models import Sweep
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.apps.refresh.scheduling import course_reviews
from enterprise_catalog.apps.refresh.scheduling.course_reviews import refresh_reviews_if_due, store_reviews
from enterprise_catalog.testing.runs import claimed, make_query, store_keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def query():
    store_keys(["edX+DemoX"])
    query = make_query()
    publish_or_hold(claim=claimed(query), content_keys=["edX+DemoX"], counts={})
    return query


def served(query):
    catalog = EnterpriseCatalog(catalog_query=query, enterprise_name="Acme", modified=database_now())
    catalog.enterprise_uuid = catalog.uuid
    (item,) = rendered_items(query_id=query.pk, content_keys=["edX+DemoX"])
    return orjson.loads(TemplateFiller(catalog=catalog, customer=None)(item))


def test_a_review_appears_in_its_course_and_nothing_counts_as_modified(query):  # META-19
    before = ContentMetadata.objects.get().modified
    store_reviews([Received("edX+DemoX", 120, 4.566667), Received("unknown", 1, 1.0)])
    assert (served(query)["reviews_count"], served(query)["avg_course_rating"]) == (120, 4.566667)
    assert ContentMetadata.objects.get().modified == before


def test_a_removed_review_disappears_from_its_course(query):
    store_reviews([Received("edX+DemoX", 120, 4.5)])
    store_reviews([])
    assert "reviews_count" not in served(query)
    assert not CourseReview.objects.exists()


def test_a_job_that_died_between_review_and_item_stored_neither(query, monkeypatch):
    """A review that is stored without its item would never be rendered (P5)."""

    def die(content_keys):
        raise KeyboardInterrupt

    monkeypatch.setattr(course_reviews, "rerender_contents", die)
    with pytest.raises(KeyboardInterrupt):
        store_reviews([Received("edX+DemoX", 120, 4.5)])
    monkeypatch.setattr(course_reviews, "rerender_contents", content_store.rerender_contents)
    store_reviews([Received("edX+DemoX", 120, 4.5)])
    assert served(query)["reviews_count"] == 120


def test_a_course_that_cannot_be_rendered_does_not_affect_others(query, monkeypatch):
    """Its item stays as it was, and the other courses get their reviews (P7)."""
    store_keys(["edX+Breaks"])

    def build_with_a_bug(**arguments):
        if arguments["content_key"] == "edX+Breaks":
            raise TypeError
        return build_item(**arguments)

    monkeypatch.setattr(content_store, "build_item", build_with_a_bug)
    before = ContentMetadata.objects.get(pk="edX+Breaks").rendered_digest
    store_reviews([Received("edX+Breaks", 7, 1.5), Received("edX+DemoX", 120, 4.5)])
    assert served(query)["reviews_count"] == 120
    assert ContentMetadata.objects.get(pk="edX+Breaks").rendered_digest == before


def test_reviews_are_fetched_once_per_interval(sandbox):  # DISC-21
    assert refresh_reviews_if_due()
    assert CourseReview.objects.exists()
    assert not refresh_reviews_if_due()
    Sweep.objects.update(due_at=database_now() - timedelta(seconds=1))
    assert refresh_reviews_if_due()


def test_a_job_that_dies_is_repeated_soon(sandbox, monkeypatch, settings):
    """It does not wait for the whole interval (P5)."""

    def die(rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(course_reviews, "store_reviews", die)
    with pytest.raises(KeyboardInterrupt):
        refresh_reviews_if_due()
    assert Sweep.objects.get().due_at <= database_now() + timedelta(minutes=settings.REVIEWS_JOB_MINUTES)
    Sweep.objects.update(due_at=database_now())
    monkeypatch.undo()
    assert refresh_reviews_if_due()
    assert Sweep.objects.get().due_at > database_now() + timedelta(hours=settings.REVIEWS_INTERVAL_HOURS - 1)


def test_a_failing_job_keeps_the_old_values_and_is_repeated_soon(sandbox, settings):  # DISC-21
    store_reviews([Received("edX+DemoX", 120, 4.5)])
    sandbox.add_fault(endpoint="course_review", status=400)
    assert not refresh_reviews_if_due()
    assert CourseReview.objects.get().reviews_count == 120
    pause = timedelta(minutes=settings.FAILED_REFRESH_PAUSE_MINUTES)
    assert Sweep.objects.get().due_at <= database_now() + pause
