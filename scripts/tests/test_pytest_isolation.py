"""Parallel test processes get Redis databases of their own."""

import os

import pytest

from scripts.pytest_isolation import separate_redis_databases


@pytest.mark.parametrize(("worker", "broker", "cache"), [("", 0, 1), ("gw0", 0, 1), ("gw1", 2, 3)])
def test_every_process_has_its_own_databases(monkeypatch, worker, broker, cache):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0")
    monkeypatch.setenv("CACHE_URL", "redis://127.0.0.1:6379/1")
    separate_redis_databases(worker)
    assert os.environ["CELERY_BROKER_URL"] == f"redis://127.0.0.1:6379/{broker}"
    assert os.environ["CACHE_URL"] == f"redis://127.0.0.1:6379/{cache}"


def test_other_brokers_are_left_alone(monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "memory://")
    separate_redis_databases("gw1")
    assert os.environ["CELERY_BROKER_URL"] == "memory://"
