"""Whole refreshes against a discovery that really speaks HTTP (P1, P4, P7)."""

from datetime import timedelta

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.apps.catalog.content.items import build_item
from enterprise_catalog.apps.catalog.models import CatalogContentKey, ContentDocuments, ContentMetadata
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_of_listed
from enterprise_catalog.apps.catalog.storage import content_store
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline import runner
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.runs import make_query, members, requested

pytestmark = pytest.mark.django_db

COURSES = {"content_type": "course"}


def refreshed(query, *, forced=False, trigger=RefreshRun.Trigger.SCHEDULE):
    run = requested(query, trigger=trigger)
    RefreshRun.objects.filter(pk=run.pk).update(forced=forced)
    refresh(run.pk)
    run.refresh_from_db()
    query.refresh_from_db()
    return run


def test_requests_to_discovery_have_the_uuid_of_the_run(sandbox):  # COM-20
    run = refreshed(make_query(COURSES))
    assert {call.request_id for call in sandbox.calls() if call.endpoint != "token"} == {str(run.pk)}


def first_course(query):
    return ContentMetadata.objects.get(pk=members(query)[0])


def test_a_query_is_fetched_stored_and_published(sandbox):
    query = make_query(COURSES)
    run = refreshed(query)
    assert run.state == RefreshRun.State.PUBLISHED
    assert run.counts["total"] == len(members(query)) == run.counts["fetched"] - run.counts["skipped"]
    query.refresh_from_db()
    page = page_of_listed(query=query, cut=PageSlice(0, 100))
    types = [orjson.loads(item.split(b"\x00")[0])["type"] for item in page]
    assert query.count_v1 == len(types) > 0
    assert set(types) == {"course"}


def test_full_records_arrive_in_the_same_run(sandbox):  # REFR-18
    query = make_query(COURSES)
    refreshed(query)
    assert not ContentDocuments.objects.filter(full_record=None).exists()


def test_nothing_new_writes_nothing(sandbox):
    """REFR-20; zero content and membership rows, and no record is fetched again."""
    query = make_query(COURSES)
    refreshed(query)
    before = list(ContentMetadata.objects.order_by("pk").values())
    sandbox.clear_calls()
    with CaptureQueriesContext(connection) as statements:
        refreshed(query)
    written = [entry["sql"] for entry in statements if not entry["sql"].startswith("SELECT")]
    assert not [sql for sql in written if "catalog_content" in sql or "catalogcontentkey" in sql]
    assert sandbox.calls("courses") == []
    assert list(ContentMetadata.objects.order_by("pk").values()) == before


def test_a_real_change_is_stored_and_nothing_else(sandbox):  # REFR-4, META-21
    query = make_query(COURSES)
    refreshed(query)
    before = dict(ContentMetadata.objects.values_list("pk", "modified"))
    touched = members(query)[0]
    sandbox.touch(touched)
    refreshed(query)
    after = dict(ContentMetadata.objects.values_list("pk", "modified"))
    assert {key for key in after if after[key] != before[key]} == {touched}
    assert query.content_modified == after[touched]


def test_a_change_moves_the_date_of_every_query_that_holds_the_item(sandbox):
    """Pages and ETags of other customers must not be stale."""
    query, other = make_query(COURSES), make_query({"content_type": ["course"], "partner": "edx"})
    refreshed(query)
    refreshed(other)
    sandbox.touch(members(query)[0])
    refreshed(query)
    other.refresh_from_db()
    assert other.content_modified == query.content_modified


def test_a_removed_course_leaves_the_query(sandbox):
    query = make_query(COURSES)
    refreshed(query)
    gone = members(query)[0]
    sandbox.remove(gone)
    run = refreshed(query)
    assert run.counts["removed"] == 1
    assert gone not in members(query)


@pytest.mark.parametrize("trigger", ["request", "operator"])
def test_a_requested_run_fetches_edits_that_only_full_records_show(sandbox, settings, trigger):
    """REFR-4, where it takes a bounded number of calls."""
    query = make_query(COURSES)
    refreshed(query)
    edited = members(query)[0]
    sandbox.upsert_record(sandbox.course_record(edited) | {"title": "Edited"})
    settings.FULL_RECORDS_ON_REQUEST = len(members(query)) - 1
    before = ContentMetadata.objects.get(pk=edited).modified
    refreshed(query, trigger=trigger)
    assert ContentMetadata.objects.get(pk=edited).modified == before
    settings.FULL_RECORDS_ON_REQUEST += 1
    refreshed(query, trigger=trigger)
    assert ContentMetadata.objects.get(pk=edited).modified > before
    assert ContentMetadata.objects.filter(modified__gt=before).count() == 1


def test_joining_a_scheduled_run_makes_it_fetch_full_records(sandbox):  # REFR-3, REFR-4
    query = make_query(COURSES)
    refreshed(query)
    sandbox.clear_calls()
    run = requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    assert requested(query) == run
    refresh(run.pk)
    assert sandbox.calls("courses")


def test_a_forced_run_fetches_every_record_again(sandbox):
    query = make_query(COURSES)
    refreshed(query)
    sandbox.clear_calls()
    refreshed(query, forced=True)
    assert sandbox.calls("courses")


def test_a_record_is_fetched_once_however_many_queries_hold_it(sandbox):  # P4
    refreshed(make_query(COURSES))
    sandbox.clear_calls()
    refreshed(make_query({"partner": "edx", "content_type": "course"}))
    assert sandbox.calls("courses") == []


def test_equal_searches_publish_from_one_fetch(sandbox):  # P4, HASH-2
    one, other = make_query(COURSES), make_query({"content_type": ["course"]})
    runs = [requested(one), requested(other)]
    refresh(runs[0].pk)
    assert set(RefreshRun.objects.values_list("state", flat=True)) == {RefreshRun.State.PUBLISHED}
    assert members(one) == members(other) != []
    assert len(sandbox.calls("search")) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"endpoint": "search", "status": 400}, "discovery_rejected"),
        ({"endpoint": "search", "count_delta": 1}, "discovery_incomplete"),
        ({"endpoint": "search", "malformed": True}, "discovery_malformed"),
        ({"endpoint": "courses", "status": 403}, "discovery_rejected"),
    ],
)
def test_a_failing_discovery_changes_nothing(sandbox, fault, code):  # P1, REFR-7
    query = make_query(COURSES)
    refreshed(query)
    before = members(query), list(ContentMetadata.objects.order_by("pk").values()), query.refreshed_at
    sandbox.touch(members(query)[0])
    sandbox.add_fault(**fault)
    run = refreshed(query)
    assert (run.state, run.reason_code) == (RefreshRun.State.FAILED, code)
    assert (members(query), list(ContentMetadata.objects.order_by("pk").values()), query.refreshed_at) == before


def test_one_quarantined_document_does_not_affect_others(sandbox):  # P7, DISC-17
    sandbox.upsert_search({"aggregation_key": "course:", "content_type": "course", "key": None, "title": None})
    query = make_query(COURSES)
    run = refreshed(query)
    assert run.state == RefreshRun.State.PUBLISHED
    assert run.counts["quarantined"] == 1
    assert QuarantinedDocument.objects.get().refresh_run_id == run.pk
    assert members(query)


def test_a_run_that_ended_is_not_refreshed_again(sandbox):
    query = make_query(COURSES)
    run = refreshed(query)
    sandbox.clear_calls()
    assert refresh(run.pk) == []
    assert sandbox.calls() == []


def test_a_run_that_was_asked_for_meanwhile_is_returned(sandbox, monkeypatch):
    """The new run begins without waiting for a tick (REFR-3)."""
    query = make_query(COURSES)
    run = requested(query)
    meanwhile = []

    def store_and_ask_again(**arguments):
        meanwhile.append(requested(query).pk)
        return store_contents(**arguments)

    monkeypatch.setattr(runner, "store_contents", store_and_ask_again)
    assert runner.refresh(run.pk) == meanwhile


def test_ended_runs_are_not_stored(sandbox):
    """A filter by status makes discovery send ended runs too (REFR-13)."""
    query = make_query({"content_type": "course", "status": "published"})
    refreshed(query)
    documents = [unpack(row.search_document) for row in ContentDocuments.objects.all()]
    ends = [run["end"] for document in documents for run in document["course_runs"] if run["end"]]
    assert ends
    assert min(ends) > str(query.refreshed_at)[:10]


def test_members_have_a_visibility(sandbox):
    query = make_query({})
    refreshed(query)
    listed = CatalogContentKey.objects.filter(catalog_query=query, visibility_v1=2).count()
    assert query.count_v1 == listed
    assert query.member_count == len(members(query))


def test_a_run_whose_query_was_replaced_meanwhile_ends_as_superseded(sandbox, monkeypatch):  # RUN-5, QRY-3
    query = make_query(COURSES)
    run = requested(query)

    def store_and_delete(**arguments):
        query.delete()
        return store_contents(**arguments)

    monkeypatch.setattr(runner, "store_contents", store_and_delete)
    assert runner.refresh(run.pk) == []
    run.refresh_from_db()
    assert (run.state, run.reason_code) == (RefreshRun.State.FAILED, "superseded")


def test_a_document_that_raises_in_our_code_affects_its_course_only(sandbox, monkeypatch):
    """A stored course keeps its documents, a new one is left out; both are reported by key (P7)."""
    query = make_query(COURSES)
    refreshed(query)
    known, other = members(query)[:2]
    before = ContentDocuments.objects.get(pk=known).rendered
    new = {"key": "edX+New", "aggregation_key": "course:edX+New", "title": "breaks"}
    sandbox.upsert_search(sandbox.search_document("course", other) | new)
    sandbox.edit(known, title="breaks")

    def build_with_a_bug(**arguments):
        if arguments["search_document"]["title"] == "breaks":
            raise TypeError
        return build_item(**arguments)

    monkeypatch.setattr(content_store, "build_item", build_with_a_bug)
    run = refreshed(query)
    assert run.state == RefreshRun.State.PUBLISHED
    reported = dict(QuarantinedDocument.objects.filter(refresh_run=run).values_list("content_key", "reason"))
    assert reported == {known: "cannot be built: TypeError", "edX+New": "cannot be built: TypeError"}
    assert known in members(query)
    assert "edX+New" not in members(query)
    assert ContentDocuments.objects.get(pk=known).rendered == before


def test_filters_that_find_variants_of_a_course_do_not_rewrite_it_in_turn(sandbox):
    """A filter by status defeats discovery's trimming of ended runs (DISC-14)."""
    plain, by_status = make_query(COURSES), make_query({"content_type": "course", "status": "published"})
    for query in (plain, by_status, plain):
        refreshed(query)
    before = list(ContentMetadata.objects.order_by("pk").values())
    for query in (by_status, plain, by_status):
        refreshed(query)
    assert list(ContentMetadata.objects.order_by("pk").values()) == before


def test_a_long_pause_is_a_date_in_the_row(sandbox):
    """The worker is free, and nobody claims the run before its time (RUN-2, DISC-7)."""
    query = make_query(COURSES)
    fault = sandbox.add_fault(endpoint="search", status=429, retry_after=1800)
    run = refreshed(query)
    assert (run.state, run.reason_code) == (RefreshRun.State.QUEUED, "")
    assert run.not_before > database_now() + timedelta(minutes=29)
    assert runner.refresh(run.pk) == []
    assert sandbox.fault_applied(fault) == 1
    assert requested(query).pk == run.pk
    sandbox.clear_faults()
    RefreshRun.objects.update(not_before=database_now())
    assert refreshed(query).state == RefreshRun.State.PUBLISHED


def test_an_endless_pause_is_cut(sandbox, settings):
    sandbox.add_fault(endpoint="search", status=503, retry_after="1e300")
    run = refreshed(make_query(COURSES))
    assert run.not_before <= database_now() + timedelta(seconds=settings.REFRESH_MAX_PAUSE_SECONDS)
