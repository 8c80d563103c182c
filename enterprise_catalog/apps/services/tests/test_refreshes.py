"""Requesting a refresh (REFR-1, REFR-3)."""

import pytest

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services import worker_notifications
from enterprise_catalog.apps.services.refreshes import request_refresh
from enterprise_catalog.testing.factories import CatalogQueryFactory

pytestmark = pytest.mark.django_db


def test_requests_join_the_waiting_run():  # REFR-1, REFR-3
    query = CatalogQueryFactory.create()
    first = request_refresh(query=query, trigger=RefreshRun.Trigger.REQUEST)
    assert request_refresh(query=query, trigger=RefreshRun.Trigger.REQUEST) == first


def test_workers_are_told_after_the_commit(monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr(worker_notifications, "notify_worker", lambda task, argument: told.append(argument))
    with django_capture_on_commit_callbacks(execute=True):
        run = request_refresh(query=CatalogQueryFactory.create(), trigger=RefreshRun.Trigger.REQUEST)
        assert told == []
    assert told == [str(run.pk)]
