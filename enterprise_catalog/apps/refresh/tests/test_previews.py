"""
Filter previews are recovered when a notification or a worker is lost. They end with the result that a refresh would
publish, or with a reason, but never with half a result (P1, P5, P10, DISC-8).
"""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import FilterPreview, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.previews.preview_queue import (
    claim_next,
    finish,
    renew,
    request_preview,
    tick_previews,
)
from enterprise_catalog.apps.refresh.previews.preview_runner import preview_next
from enterprise_catalog.apps.refresh.queue.leases import LeaseLost
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers
from enterprise_catalog.apps.refresh.scheduling.pruning import prune
from enterprise_catalog.apps.refresh.tasks import run_preview
from enterprise_catalog.testing.runs import make_query, members, requested

pytestmark = pytest.mark.django_db

COURSES = {"content_type": "course"}
EVERYTHING = {"content_type": ["course", "courserun", "program", "learnerpathway"]}


def request(content_filter=None, *, by=None) -> FilterPreview:
    return request_preview(
        content_filter=COURSES if content_filter is None else content_filter,
        catalog_uuid=None,
        catalog_query_id=None,
        requested_by=by,
        typed={},
    )


def previewed(content_filter=None) -> FilterPreview:
    preview = request(content_filter)
    preview_next()
    preview.refresh_from_db()
    return preview


def refreshed(content_filter) -> list[str]:
    query = make_query(content_filter)
    requested(query)
    refresh_next()
    return members(query)


def expire_lease(claim) -> None:
    """Expire the lease, as if its worker had died."""
    FilterPreview.objects.filter(pk=claim.preview_uuid).update(lease_until=database_now() - timedelta(seconds=1))


def test_the_newest_previews_of_a_person_are_kept(settings):  # COM-16
    settings.FILTER_PREVIEWS_KEPT = 3
    other = request(by=8)
    previews = [request(by=7) for _ in range(6)]
    kept = set(FilterPreview.objects.values_list("pk", flat=True))
    assert len(kept) == 4
    assert {other.pk, previews[-1].pk} <= kept


# --- The result -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_filter", [COURSES, EVERYTHING, {"content_type": "program"}, {}, {"key": ["nobody+has+it"]}]
)
def test_a_preview_finds_what_a_refresh_then_publishes(sandbox, content_filter):  # REFR-8, REFR-11
    preview = previewed(content_filter)
    assert preview.state == "done"
    assert unpack(preview.found_keys) == refreshed(content_filter)
    assert preview.counts == {name: RefreshRun.objects.get().counts[name] for name in preview.counts}


def test_skipped_and_quarantined_documents_are_not_in_the_total(sandbox):  # REFR-11, DISC-17, P7
    keys = sandbox.dataset.course_keys()
    sandbox.upsert_search(sandbox.search_document("course", keys[0]) | {"product_source": "elsewhere"})
    sandbox.upsert_search(sandbox.search_document("course", keys[1]) | {"aggregation_key": "podcast:7"})
    preview = previewed()
    assert (preview.counts["skipped"], preview.counts["quarantined"], preview.counts["total"]) == (1, 1, len(keys) - 2)
    assert unpack(preview.found_keys) == refreshed(COURSES)


def test_forced_courses_count_where_discovery_knows_them(sandbox):  # REFR-19
    key = sandbox.dataset.course_keys()[0]
    forcing = {"content_type": "program", "enterprise_force_include_aggregation_keys": [f"course:{key}", "no+such"]}
    preview = previewed(forcing)
    assert key in unpack(preview.found_keys)
    assert preview.counts["quarantined"] == 1
    assert unpack(preview.found_keys) == refreshed(forcing)


def test_the_first_items_have_types_and_titles(sandbox):
    preview = previewed(EVERYTHING)
    first = [key for key, _, _ in preview.first_items]
    assert first == unpack(preview.found_keys)[:20]
    assert all(kind and title for _, kind, title in preview.first_items)


def test_requests_to_discovery_have_the_uuid_of_the_preview(sandbox):  # COM-20
    preview = previewed()
    assert {call.request_id for call in sandbox.calls("search")} == {str(preview.pk)}


def test_a_preview_fetches_no_full_records_and_writes_no_content(sandbox):  # DISC-16
    previewed(EVERYTHING)
    assert sandbox.calls("courses") == sandbox.calls("programs") == []
    assert not ContentMetadata.objects.exists()
    assert not RefreshRun.objects.exists()


def test_the_row_has_the_progress(sandbox, settings):
    settings.DISCOVERY_PAGE_SIZE = 5
    preview = previewed()
    # Search v2 ends with an empty page where the last one is full, and that is not known before.
    assert (preview.requests_done, preview.requests_expected) == (3, 3)
    assert len(sandbox.calls("search")) == 3


# --- Failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"count_delta": 1}, "discovery_incomplete"),
        ({"page": 2, "no_next": True}, "discovery_incomplete"),
        ({"page": 2, "status": 501}, "discovery_unavailable"),
        ({"page": 2, "merge": {"results": "none"}}, "discovery_malformed"),
        ({"page": 2, "status": 400}, "discovery_rejected"),
        ({"page": 2, "status": 429, "retry_after": 1800}, "discovery_throttled"),
    ],
)
def test_an_incomplete_preview_fails_and_has_no_counts(sandbox, settings, fault, code):  # P1, DISC-8
    settings.DISCOVERY_PAGE_SIZE = 5
    sandbox.add_fault(endpoint="search", **fault)
    preview = previewed()
    assert (preview.state, preview.reason_code, preview.counts) == ("failed", code, None)
    assert preview.reason_detail
    assert (preview.found_keys, preview.first_items, preview.place) == (None, None, None)


def test_a_price_that_is_not_a_number_is_rejected_as_in_a_refresh(sandbox):  # RUN-4
    preview = previewed({"first_enrollable_paid_seat_price__lte": "cheap"})
    assert (preview.state, preview.reason_code) == ("failed", "discovery_rejected")


def test_a_bug_ends_the_preview_as_an_internal_error(sandbox, monkeypatch):  # P10
    def broken(**_):
        raise KeyError("x")

    monkeypatch.setattr("enterprise_catalog.apps.refresh.previews.preview_runner.fetch_preview", broken)
    preview = previewed()
    assert (preview.state, preview.reason_code, preview.reason_detail) == ("failed", "internal_error", "KeyError")


# --- The budget -------------------------------------------------------------------------------------------------------


def test_requests_of_a_preview_count(sandbox, settings):  # DISC-16
    settings.DISCOVERY_PAGE_SIZE = 5
    previewed()
    assert request_budget.requests_last_hour() == len(sandbox.calls("search")) == 3


def test_without_budget_a_preview_fails_before_its_first_request(sandbox, settings):  # DISC-16
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    settings.DISCOVERY_ASKED_SHARE = 0
    request_budget.count_requests(5, Consumers(background=request_budget.DUE))
    preview = previewed()
    assert (preview.state, preview.reason_code) == ("failed", "discovery_throttled")
    assert "5 of 5 requests" in preview.reason_detail
    assert sandbox.calls("search") == []


def test_a_preview_that_needs_more_than_is_left_fails_after_its_first_request(sandbox, settings):  # DISC-16
    settings.DISCOVERY_PAGE_SIZE = 2
    settings.DISCOVERY_REQUESTS_PER_HOUR = (
        20  # 10 of them are people's part, and 4 of those left for the second page on
    )
    preview = previewed()
    assert (preview.state, preview.reason_code) == ("failed", "discovery_throttled")
    assert "1 of 20 requests" in preview.reason_detail
    assert "4 are left for previews" in preview.reason_detail
    assert len(sandbox.calls("search")) == request_budget.requests_last_hour() == 1


# --- Lost notifications, dead workers ---------------------------------------------------------------------------------


def test_the_tick_finds_a_preview_whose_notification_was_lost(sandbox):  # P5
    preview = request()
    assert tick_previews() == [preview.pk]
    assert tick_previews() == []
    FilterPreview.objects.update(nudged_at=database_now() - timedelta(minutes=2))
    assert tick_previews() == [preview.pk]


def test_a_worker_ignores_which_preview_a_message_names(sandbox):  # P5
    preview = request()
    run_preview("what a version before us calls it")
    preview.refresh_from_db()
    assert preview.state == "done"


def test_the_preview_of_a_dead_worker_is_repeated(sandbox):  # P5
    request()
    expire_lease(claim_next())
    (uuid,) = tick_previews()
    preview_next()
    assert (FilterPreview.objects.get(pk=uuid).state, FilterPreview.objects.get().attempts) == ("done", 2)


def test_a_preview_that_kills_its_workers_fails(sandbox):  # P10
    preview = request()
    for _ in range(2):
        expire_lease(claim_next())
        tick_previews()
    preview.refresh_from_db()
    assert (preview.state, preview.reason_code, preview.place) == ("failed", "internal_error", None)


def test_a_worker_that_lost_its_lease_writes_nothing_more():  # P5
    request()
    lost_claim = claim_next()
    expire_lease(lost_claim)
    tick_previews()
    claim_next()
    with pytest.raises(LeaseLost):
        renew(lost_claim, requests_done=7)
    with pytest.raises(LeaseLost):
        finish(lost_claim, found_keys=[], counts={}, first_items=[])
    assert (FilterPreview.objects.get().requests_done, FilterPreview.objects.get().state) == (0, "running")


def test_one_preview_runs_at_a_time():
    first, second = request(), request()
    assert claim_next().preview_uuid == first.pk
    assert claim_next() is None
    assert tick_previews() == [second.pk]


def test_the_database_itself_refuses_a_second_preview_in_the_same_place():
    request()
    claim_next()
    with pytest.raises(IntegrityError), transaction.atomic():
        FilterPreview.objects.filter(pk=request().pk).update(place=0)


def test_a_finished_preview_announces_the_next_one(sandbox):
    request()
    second = request()
    assert preview_next() == [second.pk]


def test_another_preview_of_the_same_person_ends_the_first(sandbox):
    request(by=7)
    claim = claim_next()
    others, latest = request(by=8), request(by=7)
    with pytest.raises(LeaseLost):
        renew(claim)
    assert FilterPreview.objects.get(pk=claim.preview_uuid).reason_code == "superseded"
    assert [preview_next(), preview_next()] == [[latest.pk], []]
    assert {preview.state for preview in FilterPreview.objects.filter(pk__in=[others.pk, latest.pk])} == {"done"}


# --- Afterwards -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", FilterPreview.State.values)
def test_a_preview_is_deleted_after_a_day(state):
    request()
    FilterPreview.objects.update(state=state, requested_at=database_now() - timedelta(hours=25))
    kept = request()
    prune()
    assert FilterPreview.objects.get() == kept
