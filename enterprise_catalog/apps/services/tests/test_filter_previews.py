"""Requesting a preview: a row, and a notification of the workers after the commit (P6)."""

import pytest

from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.refresh.previews.preview_queue import tick_previews
from enterprise_catalog.apps.services.filter_previews import preview_filter
from enterprise_catalog.testing.factories import CatalogQueryFactory

pytestmark = pytest.mark.django_db


def test_workers_are_told_after_the_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        preview_filter(content_filter={}, query=CatalogQueryFactory.create())
        assert callbacks == []
    assert len(callbacks) == 1


def test_a_broker_that_is_away_loses_nothing(django_capture_on_commit_callbacks, settings, monkeypatch):  # P5, P6
    """The tick tells the workers then."""
    monkeypatch.setattr(
        "enterprise_catalog.apps.services.worker_notifications.notify_worker", lambda task, argument: False
    )
    with django_capture_on_commit_callbacks(execute=True):
        preview = preview_filter(content_filter={})
    assert FilterPreview.objects.get(pk=preview.pk).state == "queued"
    assert tick_previews() == [preview.pk]
