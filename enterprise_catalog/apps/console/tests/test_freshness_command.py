"""The command `freshness` lists late queries, and says why they are late (P3)."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.display.sentences import utc_minute
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import fail
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, requested

pytestmark = pytest.mark.django_db


@pytest.fixture
def query() -> CatalogQuery:
    """One that two catalogs use, published 30 hours ago."""
    then = database_now() - timedelta(hours=30)
    query = CatalogQueryFactory.create(title="All courses", refreshed_at=then)
    EnterpriseCatalogFactory.create_batch(2, catalog_query=query)
    return query


def told() -> str:
    """What it prints about something that is late."""
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("freshness", stdout=out)
    assert (str(refusal.value), refusal.value.returncode) == ("1 query is late.", 1)
    return out.getvalue()


def test_a_late_query_is_named(query):  # P3
    since = query.refreshed_at + timedelta(hours=24)
    text = told()
    assert f"All courses ({query.uuid}): late since {utc_minute(since)}, last published" in text
    assert "2 catalogs" in text
    assert "1 query in use, 0 held, the oldest published" in text


def test_one_that_never_published_says_so(query):
    CatalogQuery.objects.update(refreshed_at=None, created=database_now() - timedelta(hours=30))
    assert "never published" in told()


def test_all_is_fresh():
    EnterpriseCatalogFactory.create()
    out = StringIO()
    call_command("freshness", stdout=out)
    assert out.getvalue().splitlines() == ["1 query in use, 0 held.", "None is late."]


class TestReasons:
    """Each says what to look at (P3)."""

    def test_nobody_asked(self, query):
        assert "no refresh was ever asked for; does beat run?" in told()

    def test_nobody_asked_again(self, query):
        requested(query)
        RefreshRun.objects.update(state="published", queued_for=None, finished_at=query.refreshed_at)
        assert f"since the last publish at {utc_minute(query.refreshed_at)}; does beat run?" in told()

    def test_it_waits(self, query):
        run = requested(query)
        assert f"waits since {utc_minute(run.requested_at)}; does a worker run?" in told()

    def test_it_waits_because_discovery_asked_for_it(self, query):
        later = database_now() + timedelta(hours=1)
        requested(query)
        RefreshRun.objects.update(not_before=later)
        assert f"waits until {utc_minute(later)}, as discovery asked" in told()

    def test_it_waits_for_budget(self, query):
        later = database_now() + timedelta(minutes=5)
        requested(query)
        RefreshRun.objects.update(not_before=later, paused_for_budget=True)
        assert f"waits until {utc_minute(later)} for requests that the budget has to give" in told()

    def test_it_runs(self, query):
        run = RefreshRun.objects.get(pk=claimed(query).run_uuid)
        assert f"runs since {utc_minute(run.started_at)}" in told()

    def test_it_failed(self, query):
        fail(claimed(query), code="discovery_throttled", detail="429 on page 3")
        assert "failed, discovery_throttled: 429 on page 3" in told()

    def test_it_is_held(self, query):
        requested(query)
        RefreshRun.objects.update(
            state="held", queued_for=None, reason_code="guard_shrink", reason_detail="11 of 12 members would go."
        )
        assert "held, guard_shrink: 11 of 12 members would go." in told()
