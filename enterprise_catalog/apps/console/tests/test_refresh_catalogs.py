"""The command `refresh_catalogs`, with refreshes run in this process."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogContentKey
from enterprise_catalog.apps.console.management.commands import refresh_catalogs
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.queue.claims import claim_runs
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import expire

pytestmark = pytest.mark.django_db

COURSES = {"content_type": "course"}


def run_command(*arguments: str, name: str = "refresh_catalogs") -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as refusal:
        run_command(*arguments)
    return refusal.value


def published(**fields):
    """A catalog whose query was published just now."""
    query = CatalogQueryFactory.create(refreshed_at=timezone.now(), **fields)
    return EnterpriseCatalogFactory.create(catalog_query=query)


def test_asks_for_queries_that_are_due_and_used():
    due = EnterpriseCatalogFactory.create()
    published()
    CatalogQueryFactory.create()
    assert str(due.catalog_query.uuid) in run_command()
    assert [run.catalog_query_id for run in RefreshRun.objects.all()] == [due.catalog_query_id]


def test_a_query_published_longer_ago_than_the_interval_is_due(settings):  # P3, RUN-3
    catalog = published()
    catalog.catalog_query.refreshed_at -= timedelta(hours=settings.REFRESH_INTERVAL_HOURS, minutes=1)
    catalog.catalog_query.save()
    run_command()
    assert RefreshRun.objects.get().trigger == "operator"


def test_force_asks_for_every_used_query_with_every_full_record():
    published(), published()
    run_command("--force")
    assert list(RefreshRun.objects.values_list("forced", flat=True)) == [True, True]


def test_nothing_is_due():
    published()
    assert "Nothing is due." in run_command()


def test_named_catalogs_and_queries_are_asked_for_once_though_fresh():
    catalog, unused = published(), CatalogQueryFactory.create()
    run_command(
        *("--catalog", str(catalog.uuid), "--query", catalog.catalog_query.uuid.hex.upper()),
        *("--query", str(unused.uuid)),
    )
    assert {run.catalog_query_id for run in RefreshRun.objects.all()} == {catalog.catalog_query_id, unused.pk}


def test_asking_twice_joins_the_waiting_run():  # P4
    catalog = published()
    run_command("--catalog", str(catalog.uuid))
    run_command("--catalog", str(catalog.uuid))
    assert RefreshRun.objects.get().requests == 2


def test_an_unknown_uuid_is_named_and_nothing_is_asked_for():
    catalog, stranger = published(), uuid4()
    error = refused("--catalog", str(catalog.uuid), "--query", str(stranger))
    assert (error.returncode, f"query {stranger}" in str(error)) == (2, True)
    assert not RefreshRun.objects.exists()


def test_what_is_no_uuid_is_refused():
    assert "'elephant' is not a uuid" in str(refused("--catalog", "elephant"))


def test_dry_run_prints_and_writes_nothing():
    catalog = EnterpriseCatalogFactory.create()
    told = run_command("--dry-run", "--force")
    assert str(catalog.catalog_query.uuid) in told
    assert "never published" in told
    assert not RefreshRun.objects.exists()


def test_here_refreshes_without_a_worker(sandbox):
    catalog = EnterpriseCatalogFactory.create(catalog_query__content_filter=COURSES)
    told = run_command("--here")
    assert "1 refresh published." in told
    assert CatalogContentKey.objects.filter(catalog_query=catalog.catalog_query).count() > 0


def test_here_does_equal_searches_with_one_fetch(sandbox):  # P4
    for content_filter in (COURSES, COURSES | {"content_type": ["course"]}):
        EnterpriseCatalogFactory.create(catalog_query__content_filter=content_filter)
    assert "2 refreshes published." in run_command("--here")
    assert len(sandbox.calls("search")) == 1


def test_here_takes_over_from_a_worker_that_died(sandbox):  # P5
    catalog = EnterpriseCatalogFactory.create(catalog_query__content_filter=COURSES)
    run_command()
    (claim,) = claim_runs(RefreshRun.objects.get().pk)
    expire(claim)
    assert "1 refresh published." in run_command("--here", "--timeout", "30", "--catalog", str(catalog.uuid))


def test_a_failed_refresh_exits_with_1_and_says_why(sandbox):
    EnterpriseCatalogFactory.create(catalog_query__content_filter=COURSES)
    sandbox.add_fault(status=403, endpoint="search")
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("refresh_catalogs", "--here", stdout=out, stderr=StringIO())
    assert refusal.value.returncode == 1
    assert "failed, discovery_rejected" in out.getvalue()


def test_waiting_ends_with_3_when_nobody_works(monkeypatch):
    monkeypatch.setattr(refresh_catalogs, "_NO_WORKER_SECONDS", 0)
    EnterpriseCatalogFactory.create()
    hints = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("refresh_catalogs", "--wait", "--timeout", "0.1", stdout=StringIO(), stderr=hints)
    assert refusal.value.returncode == 3
    assert "Is a worker running" in hints.getvalue()
    assert RefreshRun.objects.get().state == "queued"


def test_a_superseded_run_is_followed_to_its_successor():  # RUN-2
    catalog = EnterpriseCatalogFactory.create()
    run_command()
    first = RefreshRun.objects.get()
    watcher = refresh_catalogs.RunWatcher([first])
    RefreshRun.objects.filter(pk=first.pk).update(state="failed", reason_code="superseded", queued_for=None)
    run_command("--catalog", str(catalog.uuid))
    assert watcher.newly_ended() == []
    RefreshRun.objects.filter(state="queued").update(state="published", queued_for=None)
    assert [run.state for run in watcher.newly_ended()] == ["published"]


def test_the_old_name_works():
    EnterpriseCatalogFactory.create()
    assert "1 refresh asked for." in run_command(name="update_content_metadata")
