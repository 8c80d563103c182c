"""The health pages of a process and its database."""

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
def test_an_unavailable_database_makes_it_unavailable(monkeypatch):  # SURF-3
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
def test_health_refuses_other_methods():
    assert Client().post("/health/").status_code == 405


@pytest.mark.parametrize("path", ["/health/live", "/health/live/"])
def test_liveness_ignores_the_database(path):  # ADD-7
    """Without the database mark, a statement would fail the test."""
    response = Client().get(path)
    assert (response.status_code, response.json()) == (200, {"overall_status": "OK"})


@pytest.mark.parametrize("path", ["/health/ready", "/health/ready/"])
@pytest.mark.django_db
def test_it_is_ready_while_the_database_answers(path, monkeypatch):  # ADD-7
    assert (Client().get(path).status_code, Client().get(path).json()) == (200, {"overall_status": "OK"})

    def away():
        raise OperationalError(2003, "Can't connect")

    monkeypatch.setattr(connection, "cursor", away)
    response = Client().get(path)
    assert (response.status_code, response.json()) == (503, {"overall_status": "UNAVAILABLE"})


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/"])
def test_liveness_and_readiness_refuse_other_methods(path):
    assert Client().post(path).status_code == 405
