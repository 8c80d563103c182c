"""Which queries are late, and why (P3, ADD-4)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun, Sweep
from enterprise_catalog.apps.refresh.queue.claims import fail
from enterprise_catalog.apps.refresh.reports.late_queries import freshness_overview, late_queries
from enterprise_catalog.apps.refresh.scheduling.late_query_report import report_if_due
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, requested

pytestmark = pytest.mark.django_db


def used_query(*, created=0, published=None):
    """Make a query with one catalog that was created and published this many hours ago."""
    query = EnterpriseCatalogFactory.create().catalog_query
    now = database_now()
    CatalogQuery.objects.filter(pk=query.pk).update(
        created=now - timedelta(hours=created),
        refreshed_at=None if published is None else now - timedelta(hours=published),
    )
    query.refresh_from_db()
    return query


def asked(query, *, hours_ago):
    run = requested(query)
    RefreshRun.objects.filter(pk=run.pk).update(requested_at=database_now() - timedelta(hours=hours_ago))
    return run


def late():
    return [found.query for found in late_queries()]


@pytest.mark.parametrize(("hours", "count"), [(23.99, 0), (24.01, 1)])
def test_a_query_is_late_a_day_after_its_publish(hours, count):  # P3, ADD-4
    used_query(created=100, published=hours)
    assert (len(late()), freshness_overview().late) == (count, count)


@pytest.mark.parametrize(("hours", "count"), [(23.99, 0), (24.01, 1)])
def test_a_query_that_never_published_is_late_a_day_after_it_was_first_attached(hours, count):
    """The row's age does not count, and newer runs do not restart the day (ADD-4)."""
    query = used_query(created=100)
    claim = claimed(query)
    fail(claim, code="discovery_unavailable", detail="down")
    RefreshRun.objects.update(requested_at=database_now() - timedelta(hours=hours))
    asked(query, hours_ago=1)
    assert (len(late()), freshness_overview().late) == (count, count)


@pytest.mark.parametrize(("hours", "count"), [(23.99, 0), (24.01, 1)])
def test_without_any_run_the_age_of_the_query_counts(hours, count):  # ADD-4
    used_query(created=hours)
    assert len(late()) == count


def test_a_query_without_catalogs_never_counts():
    """It is not counted as late, held or oldest (ADD-4)."""
    query = CatalogQueryFactory.create()
    CatalogQuery.objects.update(refreshed_at=database_now() - timedelta(hours=90))
    requested(query)
    RefreshRun.objects.update(state="held", queued_for=None)
    found = freshness_overview()
    assert (late(), found.in_use, found.late, found.held, found.oldest_published_at) == ([], 0, 0, 0, None)


def test_the_overview_counts_queries_and_not_catalogs():  # ADD-4
    old, _ = used_query(published=30), used_query(published=1)
    EnterpriseCatalogFactory.create_batch(2, catalog_query=old)
    requested(old)
    RefreshRun.objects.update(state="held", queued_for=None)
    found = freshness_overview()
    assert (found.in_use, found.late, found.held) == (2, 1, 1)
    assert found.oldest_published_at == old.refreshed_at


def test_a_late_query_comes_with_its_last_run_and_its_catalogs():  # P3
    query = used_query(published=30)
    EnterpriseCatalogFactory.create(catalog_query=query)
    asked(query, hours_ago=40)
    RefreshRun.objects.update(state="published", queued_for=None)
    newest = asked(query, hours_ago=2)
    (found,) = late_queries()
    assert (found.query, found.catalogs, found.last_run) == (query, 2, newest)
    assert found.late_since == query.refreshed_at + timedelta(hours=24)


def test_the_longest_late_query_comes_first():
    queries = [used_query(published=hours) for hours in (30, 50, 40)]
    assert late() == [queries[1], queries[2], queries[0]]


def test_the_number_of_statements_does_not_grow():
    """A monitor asks every minute, however many queries are late (P9)."""
    counts = []
    for _ in range(2):
        for _ in range(10):
            requested(used_query(published=30))
        for look in (freshness_overview, late_queries):
            with CaptureQueriesContext(connection) as statements:
                look()
            counts.append(len(statements))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 3


def test_late_queries_are_named_in_the_log_once_for_ten_beats(settings):  # P3
    settings.LATE_QUERIES_LOGGED = 2
    queries = [used_query(published=hours) for hours in (50, 40, 30)]
    with capture_logs() as lines:
        looked = [report_if_due() for _ in range(10)]
    assert looked == [True] + [False] * 9
    (line,) = lines
    assert (line["event"], line["log_level"], line["count"]) == ("catalog_queries_stale", "warning", 3)
    assert line["queries"] == [str(query.uuid) for query in queries[:2]]


def test_the_log_names_them_again_while_they_are_late():  # P3
    used_query(published=30)
    report_if_due()
    Sweep.objects.update(due_at=database_now())
    with capture_logs() as lines:
        report_if_due()
    assert [line["event"] for line in lines] == ["catalog_queries_stale"]


def test_without_late_queries_the_log_is_silent():
    used_query(published=1)
    with capture_logs() as lines:
        assert report_if_due()
    assert lines == []
