"""The health of the process and its database."""

import pytest
from django.db import OperationalError, connection
from django.test import Client


@pytest.mark.parametrize("path", ["/health/", "/health"])
@pytest.mark.django_db
def test_health_says_ok(path):  # SURF-3
    response = Client().get(path)
    assert response.status_code == 200
    assert response.json() == {"overall_status": "OK", "detailed_status": {"database_status": "OK"}}


@pytest.mark.django_db
def test_a_database_that_is_away_makes_it_unavailable(monkeypatch):  # SURF-3
    def away():
        raise OperationalError(2003, "Can't connect")

    monkeypatch.setattr(connection, "cursor", away)
    response = Client().get("/health/")
    assert response.status_code == 503
    assert response.json() == {
        "overall_status": "UNAVAILABLE",
        "detailed_status": {"database_status": "UNAVAILABLE"},
    }


@pytest.mark.django_db
def test_health_only_reads():
    assert Client().post("/health/").status_code == 405
