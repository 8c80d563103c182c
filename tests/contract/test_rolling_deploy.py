"""
Two versions side by side on one database and one broker (docs/operations.rst, Upgrading).

Tasks keep their names and parameters, migrations only add, and rows of the version before are valid.
tests/faults/test_versions.py sends a worker the messages that versions can send each other.
"""

import inspect
import json

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.models import Model

from enterprise_catalog.apps.catalog.api_versions import LEGACY, V1
from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_of_listed
from enterprise_catalog.apps.catalog.rendering.item_template import RENDERING_VERSION
from enterprise_catalog.apps.refresh.models import DiscoveryBudget, FilterPreview, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.queue.priority import startable_runs
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.apps.services.consistency import violations
from enterprise_catalog.celery import app
from enterprise_catalog.testing.runs import make_query, members, requested
from tests.contract.expanding import (
    applied,
    columns_added,
    contractions,
    later_migrations,
    loader,
    steps_back,
    why_it_contracts,
)

# Names and parameters that versions at work side by side call each other by.
TASKS = {
    "refresh.run": ["run_uuid"],
    "refresh.tick": [],
    "refresh.preview": ["preview_uuid"],
    "refresh.sweep_reviews": [],
    "refresh.report_freshness": [],
    "refresh.prune": [],
    "customers.sync_customer": ["uuid"],
    "customers.sync_due_customers": [],
}

# (app, migration, operation as it describes itself): the release in which, and not before, it is safe.
CONTRACTIONS: dict[tuple[str, str, str], str] = {}

# Columns that the version before does not write. A new one belongs here, and its rows into the tests below.
NOT_WRITTEN_BEFORE = {
    "catalog.catalogcontentkey": {"standing_legacy"},
    "catalog.catalogquery": {"count_legacy"},
    "catalog.contentmetadata": {"listed_on_legacy"},
    "catalog.contentoverride": {"search_document"},
    "refresh.discoverybudget": {"spent_by"},
    "refresh.refreshrun": {"asked_at", "asked_by", "paused_for_budget"},
}


# --- Messages ---------------------------------------------------------------------------------------------------------


def test_tasks_keep_their_names_and_parameters():
    """
    Workers of either version understand the messages of the other (P10).

    If this fails: a release may add a task or parameter, but only a later release may send it. Before one is removed,
    a release must stop sending it.
    """
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if task.__module__.startswith("enterprise_catalog.")]
    found = {
        task.name: list(inspect.signature(task.run).parameters) for task in ours if ".tests." not in task.__module__
    }
    assert found == TASKS


# --- Migrations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "migration", later_migrations(), ids=lambda migration: f"{migration.app_label}-{migration.name}"
)
def test_migrations_only_expand(migration):
    """A contraction waits until no running version uses what it removes, and is listed in CONTRACTIONS (P10)."""
    found = {
        (migration.app_label, migration.name, what): why
        for what, why in contractions(migration)
        if (migration.app_label, migration.name, what) not in CONTRACTIONS
    }
    assert found == {}


@pytest.mark.parametrize(
    "operation",
    [
        migrations.DeleteModel("Sweep"),
        migrations.RenameField("sweep", "name", "title"),
        migrations.RemoveField("sweep", "name"),
        migrations.RemoveIndex("sweep", "index"),
        migrations.AddField("sweep", "more", models.IntegerField(default=1)),
        migrations.AddField("sweep", "more", models.IntegerField(db_default=1, unique=True)),
        migrations.AddField("sweep", "query", models.ForeignKey("catalog.CatalogQuery", models.CASCADE, null=True)),
        migrations.CreateModel("Note", [("query", models.ForeignKey("catalog.CatalogQuery", models.CASCADE))]),
        migrations.AddConstraint("sweep", models.UniqueConstraint(fields=["due_at"], name="once")),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunSQL("DELETE FROM refresh_sweep"),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_takes_away_or_asks_for_more_contracts(operation):
    assert why_it_contracts(operation, app="refresh", new_tables=[])


@pytest.mark.parametrize(
    ("field", "widens"),
    [
        (models.CharField(max_length=64), True),
        (models.CharField(max_length=32, null=True, help_text="New."), True),
        (models.CharField(max_length=16), False),
        (models.CharField(max_length=32, unique=True), False),
        (models.TextField(), False),
    ],
    ids=["longer", "nullable", "shorter", "unique", "another class"],
)
def test_a_field_that_is_altered_may_only_widen(field, widens):
    migration = migrations.Migration("altered", "refresh")
    migration.dependencies = [("refresh", "0001_initial")]
    migration.operations = [migrations.AlterField("refreshrun", "filter_hash", field)]
    assert (not list(contractions(migration))) == widens


# --- Rows of the version before ---------------------------------------------------------------------------------------


def rewrite_as_before(*models_: type[Model]) -> None:
    """Insert all rows of these tables again, by SQL without the columns that the version before does not have."""
    quote = connection.ops.quote_name
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for model in models_:
            table = quote(model._meta.db_table)
            columns = known_before(model)
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table}")
            rows = cursor.fetchall()
            cursor.execute(f"DELETE FROM {table}")
            values = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)


def known_before(model: type[Model]) -> list[str]:
    """Return the columns that the version before has, too."""
    names = NOT_WRITTEN_BEFORE[model._meta.label_lower]
    columns = [str(field.column) for field in model._meta.concrete_fields if field.column not in names]
    return [connection.ops.quote_name(column) for column in columns]


def listed(query: CatalogQuery, api_version) -> list[bytes]:
    query.refresh_from_db()
    return list(page_of_listed(query=query, cut=PageSlice(0, 1000), api_version=api_version))


@pytest.fixture
def query(sandbox) -> CatalogQuery:
    """A published query of everything, with a forced course."""
    key = next(iter(sandbox.dataset.courses))
    everything = {"content_type": ["course", "courserun", "program"]}
    query = make_query(everything | {"enterprise_force_include_aggregation_keys": [key]})
    requested(query)
    refresh_next()
    assert len(listed(query, LEGACY)) > 12
    return query


def test_all_columns_that_the_version_before_does_not_write_are_known():
    assert columns_added() == NOT_WRITTEN_BEFORE


@pytest.mark.django_db
def test_a_run_that_the_version_before_wrote_is_claimed_and_published(sandbox):
    """Found by the tick, done by the next worker (P4, RUN-1)."""
    query = make_query()
    run = requested(query)
    rewrite_as_before(RefreshRun)
    RefreshRun.objects.update(nudged_at=None)
    assert run.pk in list(tick())
    refresh_next()
    run.refresh_from_db()
    assert (run.state, run.asked_at, len(members(query)) > 10) == (RefreshRun.State.PUBLISHED, None, True)


@pytest.mark.django_db
def test_a_run_that_the_version_before_wrote_is_joined(sandbox):
    """A request now makes it one that somebody asked for (REFR-2)."""
    query = make_query()
    run = requested(query)
    rewrite_as_before(RefreshRun)
    assert requested(query).pk == run.pk
    run.refresh_from_db()
    assert (run.requests, run.asked_at is not None, run.asked_by) == (2, True, ["operators"])


@pytest.mark.django_db
def test_a_run_that_the_version_before_was_asked_for_comes_among_those_of_operators(sandbox):
    """It says when somebody asked, and not for whom (RUN-7)."""
    run = requested(make_query())
    RefreshRun.objects.update(asked_by=None)
    assert startable_runs(limit=9) == [run.pk]
    refresh_next()
    run.refresh_from_db()
    assert (run.state, request_budget.last_hour().used_by(request_budget.OPERATORS)) == (
        RefreshRun.State.PUBLISHED,
        request_budget.requests_last_hour(),
    )


@pytest.mark.django_db
def test_a_budget_that_the_version_before_counted_is_kept(sandbox, settings):
    """Together both versions ask no more than there is (DISC-16)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    requested(make_query())
    refresh_next()
    spent = request_budget.requests_last_hour()
    rewrite_as_before(DiscoveryBudget)
    hour = request_budget.last_hour()
    assert (hour.total, hour.used_by_people) == (spent, 0)


@pytest.mark.django_db
def test_content_that_the_version_before_wrote_is_served_and_completed(query):
    """Nothing that was shown is missing, nothing contradicts; the next refresh adds what is new (P1, LEG-5)."""
    shown, shown_on_legacy = listed(query, V1), listed(query, LEGACY)
    # It renders in its own way, and says so; a column that is made of documents comes with a new rendering.
    ContentMetadata.objects.update(rendering_version=RENDERING_VERSION - 1)
    rewrite_as_before(*(apps.get_model(label) for label in NOT_WRITTEN_BEFORE))
    query.refresh_from_db()
    assert listed(query, V1) == shown
    assert list(violations(deep=True)) == []
    requested(query)
    refresh_next()
    assert (listed(query, V1), listed(query, LEGACY)) == (shown, shown_on_legacy)
    assert list(violations(deep=True)) == []


FILTER_COLUMNS = [
    ("catalog", "0006_visibility", "CatalogQuery"),
    ("catalog", "0006_visibility", "HistoricalCatalogQuery"),
    ("refresh", "0006_fair_shares", "FilterPreview"),
]


@pytest.mark.parametrize(("app_label", "migration", "model"), FILTER_COLUMNS)
@pytest.mark.django_db
def test_a_filter_column_is_read_and_written_by_both_versions(app_label, migration, model):
    """The version before uses Django's JSONField on the column that is text now (QRY-10)."""
    before = loader().project_state((app_label, migration)).apps.get_model(app_label, model)
    assert isinstance(before._meta.get_field("content_filter"), models.JSONField)
    now = apps.get_model(app_label, model)
    query = make_query({"z": 1})
    FilterPreview.objects.create(content_filter={"z": 1}, requested_at=query.created)
    pk = now.objects.order_by("-pk").values_list("pk", flat=True)[0]
    odd = {"q": '\U0001f393 \x00 "', "b": [None, 10**30, 1.5], "a": {"z": {}, "y": []}}
    for writer, reader in ((now, before), (before, now)):
        writer.objects.filter(pk=pk).update(content_filter={})
        row = writer.objects.get(pk=pk)
        row.content_filter = odd
        models.Model.save_base(row, update_fields=["content_filter"])
        assert json.dumps(reader.objects.get(pk=pk).content_filter) == json.dumps(odd)


# --- Back and forth ---------------------------------------------------------------------------------------------------


def rows_of(model: type[Model]) -> list[tuple]:
    """Return the rows in the columns of both versions, without the version of the rendering."""
    quote = connection.ops.quote_name
    columns = ", ".join(column for column in known_before(model) if column != quote("rendering_version"))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {quote(model._meta.db_table)} ORDER BY 1")
        return list(cursor.fetchall())


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_migrations_go_back_and_forth_with_rows_in_the_tables(query):
    """One step of each app; what both versions know stays as it is, and the next refresh makes the rest whole (P10)."""
    kept = [apps.get_model(label) for label in NOT_WRITTEN_BEFORE]
    before, shown_on_legacy = [rows_of(model) for model in kept], listed(query, LEGACY)
    try:
        for app_label, last, earlier in steps_back():
            call_command("migrate", app_label, earlier, verbosity=0)
            assert last not in applied(app_label)
        assert [rows_of(model) for model in kept] == before
    finally:
        call_command("migrate", verbosity=0)
    assert [rows_of(model) for model in kept] == before
    assert list(violations(deep=True)) == []
    requested(query)
    refresh_next()
    assert listed(query, LEGACY) == shown_on_legacy
    assert list(violations(deep=True)) == []
