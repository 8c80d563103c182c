"""Contents stored before the legacy surface existed are listed there after the next refresh (LEG-5, LEG-6)."""

from importlib import import_module

import pytest
from django.apps import apps

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
    """Of everything, one course forced in; as the version before left it, and the migration finds it."""
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
    """Although discovery has nothing new, and without a modified time that moves."""
    query, before = query
    modified = dict(ContentMetadata.objects.values_list("pk", "modified"))
    assert legacy_state(refreshed(query)) == before
    assert dict(ContentMetadata.objects.values_list("pk", "modified")) == modified
    assert list(violations(deep=True)) == []


def test_reviews_that_come_first_leave_nothing_behind(query):  # LEG-5, META-19
    """They render their courses anew, which the refresh then takes for done."""
    query, before = query
    assert refresh_reviews_if_due()
    assert legacy_state(refreshed(query)) == before


def test_restricted_runs_are_hidden_at_once(query):  # V2-2, V2-3
    query, _ = query
    run = ContentMetadata.objects.filter(content_type="courserun")[0]
    ContentMetadata.objects.filter(pk=run.pk).update(restricted=True)
    migration.hide_restricted_runs(apps, None)
    hidden = CatalogContentKey.objects.filter(visibility_legacy=Visibility.HIDDEN)
    assert [member.content_id for member in hidden] == [run.pk]
    assert CatalogContentKey.objects.filter(visibility_legacy=Visibility.CONTAINED).count() == len(members(query)) - 1
