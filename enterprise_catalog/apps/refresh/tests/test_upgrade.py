"""Contents stored before the legacy API existed are listed there after the next refresh (LEG-5, LEG-6)."""

from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from enterprise_catalog.apps.catalog.api_versions import LEGACY
from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    ContentOverride,
    Visibility,
)
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_of_listed
from enterprise_catalog.apps.catalog.storage.consistency import violations
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.scheduling.course_reviews import refresh_reviews_if_due
from enterprise_catalog.testing.runs import make_query, members, requested

pytestmark = pytest.mark.django_db

migration = import_module("enterprise_catalog.apps.catalog.migrations.0002_legacy_surface")


def refreshed(query):
    refresh(requested(query).pk)
    query.refresh_from_db()
    return query


@pytest.fixture
def query(sandbox):
    """A query of everything with one forced course, in the state that the migration finds."""
    key = next(iter(sandbox.dataset.courses))
    everything = {"content_type": ["course", "courserun", "program"]}
    query = refreshed(make_query(everything | {"enterprise_force_include_aggregation_keys": [key]}))
    before = legacy_state(query)
    ContentMetadata.objects.update(listed_on_legacy=False, rendering_version=3)
    CatalogContentKey.objects.update(visibility_legacy=Visibility.CONTAINED)
    CatalogQuery.objects.update(count_legacy=0)
    ContentOverride.objects.update(search_document=None)
    query.refresh_from_db()
    assert before[0] > 12
    assert legacy_state(query) == (0, {})
    return query, before


def legacy_state(query):
    items = page_of_listed(query=query, cut=PageSlice(0, 1000), api_version=LEGACY)
    return query.count_legacy, dict.fromkeys(items)


def test_the_next_refresh_lists_them(query):  # LEG-5, LEG-6, REFR-19, REFR-20
    """Discovery has nothing new, and no modified date moves."""
    query, before = query
    modified = dict(ContentMetadata.objects.values_list("pk", "modified"))
    assert legacy_state(refreshed(query)) == before
    assert dict(ContentMetadata.objects.values_list("pk", "modified")) == modified
    assert list(violations(deep=True)) == []


def test_reviews_that_come_first_leave_nothing_behind(query):  # LEG-5, META-19
    """They rerender their courses, which the refresh could then take for up to date."""
    query, before = query
    assert refresh_reviews_if_due()
    assert legacy_state(refreshed(query)) == before


def test_restricted_runs_are_hidden_at_once(query):  # V2-2, V2-3
    query, _ = query
    run = ContentMetadata.objects.filter(content_type="courserun")[0]
    ContentMetadata.objects.filter(pk=run.pk).update(restricted=True)
    # The models as this migration knows them: their fields have had other names since.
    state = MigrationLoader(connection).project_state(("catalog", "0002_legacy_surface"))
    migration.hide_restricted_runs(state.apps, None)
    hidden = CatalogContentKey.objects.filter(visibility_legacy=Visibility.HIDDEN)
    assert [member.content_id for member in hidden] == [run.pk]
    assert CatalogContentKey.objects.filter(visibility_legacy=Visibility.CONTAINED).count() == len(members(query)) - 1
