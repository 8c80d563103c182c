"""The command `held_runs` lists what the guard holds, and decides (REFR-9, REFR-10)."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.display.sentences import utc_minute
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, keys, make_query, members, store_keys

pytestmark = pytest.mark.django_db

NEW = ["edX+000", "edX+new"]


def found(query: CatalogQuery, content_keys: list[str]) -> RefreshRun:
    store_keys(content_keys)
    claim = claimed(query)
    publish_or_hold(claim=claim, content_keys=content_keys, counts={})
    return RefreshRun.objects.get(pk=claim.run_uuid)


@pytest.fixture
def query() -> CatalogQuery:
    """Twelve courses are published; a run that found one of them and a new one is held."""
    query = make_query()
    EnterpriseCatalogFactory.create(catalog_query=query)
    found(query, keys(12))
    assert found(query, NEW).state == "held"
    return query


@pytest.fixture
def held(query) -> RefreshRun:
    return RefreshRun.objects.get(state="held")


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("held_runs", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[CommandError, str]:
    errors = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("held_runs", *arguments, stdout=StringIO(), stderr=errors)
    return refusal.value, errors.getvalue()


def test_a_held_run_is_listed_with_what_it_would_change(query, held):  # REFR-10
    text = told()
    assert f"run {held.pk}, held since {utc_minute(held.held_since)}" in text
    assert f"{query.uuid}, 1 catalog\n" in text
    assert "12 -> 2 (1 would join, 11 would leave)" in text
    assert "guard_shrink: 11 of 12 members" in text
    assert f"by a refresh from {utc_minute(held.held_since + timedelta(hours=20))} on" in text
    assert "1 run is held." in text


def test_one_that_cannot_be_approved_any_more_says_so(query, held):  # REFR-10
    CatalogQuery.objects.update(content_filter_hash="0" * 32)
    assert "the filter changed; approving is refused" in told()


def test_nothing_is_held():
    assert told() == "0 runs are held.\n"


def test_approving_publishes_exactly_the_held_set(query, held):  # REFR-10
    text = told("--approve", str(held.pk))
    assert f"run {held.pk}: published, 2 items (+1 -11)" in text
    assert members(query) == NEW


def test_rejecting_keeps_the_old_set(query, held):  # REFR-10
    text = told("--reject", str(held.pk))
    assert f"run {held.pk}: failed" in text
    assert "rejected" in text
    assert members(query) == keys(12)


def test_several_are_decided_at_once(query, held):  # REFR-10
    other = make_query({"key": ["other"]})
    found(other, keys(12))
    second = found(other, NEW)
    told("--approve", str(held.pk), "--approve", str(held.pk), "--reject", str(second.pk))
    assert (members(query), members(other)) == (NEW, keys(12))


def test_runs_that_cannot_be_decided_are_reported_and_others_decided(query, held):  # REFR-10
    unknown = uuid4()
    error, lines = refused("--approve", str(unknown), "--approve", str(held.pk))
    assert (str(error), error.returncode) == ("1 of 2 runs not decided.", 1)
    assert f"run {unknown}: Only a held run can be approved or rejected." in lines
    assert members(query) == NEW


def test_a_run_is_decided_once(query, held):  # REFR-10
    told("--reject", str(held.pk))
    error, _ = refused("--approve", str(held.pk))
    assert error.returncode == 1
    assert members(query) == keys(12)


def test_one_cannot_be_both(query, held):
    error, _ = refused("--approve", str(held.pk), "--reject", str(held.pk))
    assert error.returncode == 2
    assert RefreshRun.objects.get(pk=held.pk).state == "held"


def test_what_is_no_uuid_is_wrong_usage():
    error, _ = refused("--approve", "x")
    assert "'x' is not a uuid" in str(error)
