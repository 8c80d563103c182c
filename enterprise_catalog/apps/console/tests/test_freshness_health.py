"""The endpoint `/health/freshness/` returns counts for monitors (ADD-4)."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.datetimes import api_iso
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import requested

pytestmark = pytest.mark.django_db

PATH = "/health/freshness/"


def published_query(*, hours_ago):
    query = EnterpriseCatalogFactory.create(title="Secret", enterprise_name="Umbrella").catalog_query
    CatalogQuery.objects.filter(pk=query.pk).update(refreshed_at=database_now() - timedelta(hours=hours_ago))
    query.refresh_from_db()
    return query


@pytest.mark.parametrize("path", [PATH, "/health/freshness"])
def test_all_is_fresh(path):  # ADD-4, COM-1, COM-13
    query = published_query(hours_ago=23)
    response = Client().get(path)
    assert (response.status_code, response["Cache-Control"]) == (200, "private, no-store")
    assert response.json() == {
        "overall_status": "OK",
        "stale_queries": 0,
        "held_queries": 0,
        "oldest_published_at": api_iso(query.refreshed_at),
    }


def test_a_late_query_makes_it_unavailable_and_is_not_named():  # ADD-4, P3, P8
    query = published_query(hours_ago=25)
    requested(query)
    RefreshRun.objects.update(state="held", queued_for=None)
    response = Client().get(PATH)
    assert (response.status_code, response["Cache-Control"]) == (503, "private, no-store")
    assert response.json() == {
        "overall_status": "UNAVAILABLE",
        "stale_queries": 1,
        "held_queries": 1,
        "oldest_published_at": api_iso(query.refreshed_at),
    }


def test_a_held_query_alone_is_not_an_alarm():  # ADD-4
    requested(published_query(hours_ago=1))
    RefreshRun.objects.update(state="held", queued_for=None)
    response = Client().get(PATH)
    assert (response.status_code, response.json()["held_queries"]) == (200, 1)


def test_a_service_without_catalogs_is_fine():  # ADD-4
    response = Client().get(PATH)
    assert response.status_code == 200
    assert response.json() == {
        "overall_status": "OK",
        "stale_queries": 0,
        "held_queries": 0,
        "oldest_published_at": None,
    }


def test_without_the_database_nothing_is_known(monkeypatch):  # ADD-4
    def away(*args, **kwargs):
        raise OperationalError(2003, "Can't connect")

    monkeypatch.setattr(connection, "cursor", away)
    response = Client().get(PATH)
    assert (response.status_code, response["Cache-Control"]) == (503, "private, no-store")
    assert response.json() == {
        "overall_status": "UNAVAILABLE",
        "stale_queries": None,
        "held_queries": None,
        "oldest_published_at": None,
    }


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_it_only_reads(method):  # ADD-4, AUTH-9
    response = getattr(Client(enforce_csrf_checks=True), method)(PATH)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response.json() == {"detail": f'Method "{method.upper()}" not allowed.'}


def test_its_head_is_the_get_without_a_body():  # ADD-4
    response = Client().head(PATH)
    assert (response.status_code, response.content) == (200, b"")
