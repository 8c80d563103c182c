"""What is deleted by age, and what stays (RUN-5, CHG-3). See also `api/tests/test_pruned_changes.py` for the feed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.apps.catalog.models import CatalogContentChange
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun, Sweep
from enterprise_catalog.apps.refresh.scheduling.pruning import Pruned, prunable, prune, prune_if_due
from enterprise_catalog.testing.factories import CatalogQueryFactory

pytestmark = pytest.mark.django_db


def run_of(query, *, days, state="failed", documents=0):
    """Make a run that ended, or was requested if it has not ended, this many days ago."""
    then = database_now() - timedelta(days=days)
    run = RefreshRun.objects.create(
        catalog_query=query,
        catalog_query_uuid=query.uuid if query else uuid4(),
        state=state,
        requested_at=then - timedelta(minutes=1),
        finished_at=None if state in ("queued", "running") else then,
    )
    QuarantinedDocument.objects.bulk_create(
        QuarantinedDocument(refresh_run=run, content_key=f"{number}", reason="no id") for number in range(documents)
    )
    return run


def changes_of(query, count, *, days):
    then = database_now() - timedelta(days=days)
    CatalogContentChange.objects.bulk_create(
        CatalogContentChange(
            catalog_query=query, content_key=f"{number}", content_type="course", change="added", changed_at=then
        )
        for number in range(count)
    )


def runs():
    return set(RefreshRun.objects.all())


@pytest.fixture
def query():
    return CatalogQueryFactory.create()


def test_runs_are_kept_for_ninety_days_after_they_ended(query):  # RUN-5
    kept = run_of(query, days=89.99)
    run_of(query, days=90.01)
    assert prune() == Pruned(runs=1, documents=0, changes=0)
    assert runs() == {kept}


def test_the_end_of_a_run_counts_for_its_age(query):
    """A run may wait for long before it ends, and a held one may be decided late (RUN-5)."""
    run = run_of(query, days=1)
    RefreshRun.objects.update(requested_at=database_now() - timedelta(days=200))
    prune()
    assert runs() == {run}


def test_the_last_published_run_of_a_query_is_kept_whatever_its_age(query):
    run_of(query, days=300, state="published")
    last = run_of(query, days=200, state="published")
    run_of(query, days=100)
    prune()
    assert runs() == {last}


def test_no_run_of_a_deleted_query_is_kept_longer():  # RUN-5
    run_of(None, days=100, state="published")
    prune()
    assert runs() == set()


@pytest.mark.parametrize("state", ["queued", "running", "held"])
def test_a_run_that_has_not_ended_is_never_deleted(query, state):  # P10, REFR-10
    run = run_of(query, days=300, state=state)
    run_of(query, days=1, state="published")
    prune()
    assert run in runs()


def test_documents_are_deleted_with_their_run(query):
    """They are kept as long as the run that quarantined them (DISC-17)."""
    run_of(query, days=100, documents=3)
    kept = run_of(query, days=1, documents=2)
    assert prune() == Pruned(runs=1, documents=3, changes=0)
    assert set(QuarantinedDocument.objects.values_list("refresh_run", flat=True)) == {kept.pk}


def test_changes_outlive_every_cursor_that_is_served(query):
    """90 days, one day for a caller to read on, and one hour for changes written out of order (CHG-3)."""
    changes_of(query, 1, days=90 + 1 + 1 / 25)
    changes_of(query, 1, days=90 + 1 + 1 / 23)
    assert prune() == Pruned(runs=0, documents=0, changes=1)
    assert CatalogContentChange.objects.count() == 1


def test_a_dry_run_counts_what_would_be_deleted(query):
    run_of(query, days=100, documents=2)
    changes_of(query, 3, days=100)
    assert prunable() == prune() == Pruned(runs=1, documents=2, changes=3)
    assert prunable() == Pruned(runs=0, documents=0, changes=0)


def test_no_statement_deletes_more_than_a_chunk(query, settings):
    settings.PRUNING_ROWS = 2
    for _ in range(3):
        run_of(query, days=100, documents=3)
    changes_of(query, 5, days=100)
    deleted = []

    def count_rows(execute, sql, parameters, many, context):
        result = execute(sql, parameters, many, context)
        if sql.startswith("DELETE"):
            deleted.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(count_rows):
        assert prune() == Pruned(runs=3, documents=9, changes=5)
    assert max(deleted) == 2
    assert sum(deleted) == 17


def test_a_job_is_limited_and_the_next_one_goes_on(query, settings):
    settings.PRUNING_ROWS, settings.PRUNING_CHUNKS = 2, 1
    changes_of(query, 5, days=100)
    pruned = [prune() for _ in range(3)]
    assert [(each.changes, each.more) for each in pruned] == [(2, True), (2, True), (1, False)]


def test_nothing_to_prune_costs_a_few_statements(query):
    run_of(query, days=1, state="published")
    with CaptureQueriesContext(connection) as statements:
        prune()
    assert len(statements) <= 11


def test_ten_beats_prune_once(query):
    run_of(query, days=100)
    assert [prune_if_due() for _ in range(10)] == [True] + [False] * 9
    Sweep.objects.update(due_at=database_now())
    assert prune_if_due()


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("job", [prune_if_due, prune])
def test_ten_at_once_delete_each_row_once_and_harm_nobody(settings, job):
    """Workers, and operators with the command, may prune at the same time (P5)."""
    settings.PRUNING_ROWS = 7
    query = CatalogQueryFactory.create()
    for _ in range(20):
        run_of(query, days=100, documents=2)
    changes_of(query, 50, days=100)
    kept = {run_of(query, days=1), run_of(query, days=95, state="published"), run_of(query, days=200, state="held")}
    start = Barrier(10)

    def work(_):
        try:
            start.wait()
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        done = list(threads.map(work, range(10)))
    assert runs() == kept
    assert (QuarantinedDocument.objects.count(), CatalogContentChange.objects.count()) == (0, 0)
    if job is prune_if_due:
        assert sorted(done) == [False] * 9 + [True]
    else:
        assert [sum(getattr(each, rows) for each in done) for rows in ("runs", "documents", "changes")] == [20, 40, 50]
