"""What a replica is asked, and that whatever is wrong with it costs no caller an answer (ADR 0018)."""

import json
import logging
import re
import threading
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.core.signals import request_finished, request_started
from django.db import Error, connections, router

from enterprise_catalog.apps.access.models import EnterpriseCatalogRoleAssignment
from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.db import replica
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.core.rest import streaming
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.callers import CUSTOMER_UUID, client_for, learner, operator
from enterprise_catalog.testing.catalogs import CATALOGS, legacy_path_of, make_catalog, path_of

KEY = "edX+A"
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "replica"])


@pytest.fixture(scope="module", autouse=True)
def same_database(django_db_setup):
    """Another connection to the tests' own database, by the name of a replica."""
    connections.databases["replica"] = dict(connections["default"].settings_dict)
    yield
    del connections["replica"], connections.databases["replica"]


@pytest.fixture(autouse=True)
def copy(settings, monkeypatch):
    monkeypatch.setattr(replica, "_failure", replica._Failure())
    settings.DATABASE_ROUTERS = ["enterprise_catalog.apps.core.db.replica.ReplicaRouter"]
    replica.reset_after_each_request()
    connections["replica"].ensure_connection()
    yield connections["replica"]
    for signal in (request_started, request_finished):
        signal.disconnect(replica.read_from_primary)
    replica.read_from_primary()


def broken(execute, sql, params, many, context):
    """What any statement comes to, but the one that ends a snapshot: this connection is used again."""
    if sql != "ROLLBACK":
        return execute("SELECT nothing FROM nowhere", (), many, context)
    return execute(sql, params, many, context)


def behind(execute, sql, params, many, context):
    """No value is known here yet."""
    return execute(sql, [None] * len(params or ()), many, context)


def events(caplog):
    """The warnings and errors of the service itself."""
    ours = (record for record in caplog.records if record.name.startswith("enterprise_catalog."))
    return [json.loads(record.getMessage())["event"] for record in ours if record.levelno >= logging.WARNING]


@contextmanager
def statements(alias):
    """What is asked of a database. Unlike Django's own capture it opens no connection."""
    texts = []

    def keep(execute, sql, params, many, context):
        texts.append(sql)
        return execute(sql, params, many, context)

    with connections[alias].execute_wrapper(keep):
        yield texts


def asked(client, path, body=None):
    """The answer, and the statements it took of the primary and of the replica."""
    with statements("default") as on_primary, statements("replica") as on_replica:
        response = client.get(path) if body is None else client.post(path, body)
        if response.streaming:
            b"".join(response.streaming_content)
    return response, on_primary, on_replica


@pytest.fixture
def path() -> str:
    return path_of(make_catalog(KEY), f"contains_content_items/?course_run_ids={KEY}")


@pytest.mark.parametrize("model", [EnterpriseCatalog, EnterpriseCustomer])
def test_content_is_read_where_the_thread_reads(model):
    assert router.db_for_read(model) == "default"
    replica.read_from_replica()
    assert (router.db_for_read(model), router.db_for_write(model)) == ("replica", "default")
    assert replica.read_connection() is connections["replica"]
    others = []
    thread = threading.Thread(target=lambda: others.append(router.db_for_read(model)))
    thread.start()
    thread.join()
    assert others == ["default"]


@pytest.mark.parametrize("model", [User, EnterpriseCatalogRoleAssignment, RefreshRun])
def test_who_may_do_what_and_all_else_is_the_primarys_word(model):
    replica.read_from_replica()
    assert router.db_for_read(model) == "default"


def test_the_replica_is_never_migrated():
    assert router.allow_migrate("default", "catalog")
    assert not router.allow_migrate("replica", "catalog")


def test_what_was_read_there_is_written_on_the_primary():
    make_catalog(KEY)
    replica.read_from_replica()
    catalog = EnterpriseCatalog.objects.get()
    assert catalog._state.db == "replica"
    with statements("replica") as on_replica:
        catalog.save()
    assert on_replica == []


READS = [
    ("{catalog}contains_content_items/?course_run_ids=edX%2BA", None),
    ("{catalog}contains_content_items/", {"course_run_ids": [KEY]}),
    ("{customer}contains_content_items/?course_run_ids=edX%2BA", None),
    ("{catalog}get_content_metadata/", None),
    ("{catalog}get_content_metadata/", {"content_keys": [KEY]}),
    ("{catalog}get_content_metadata/?traverse_pagination=1", None),
    ("{catalog}get_content_metadata/?traverse_pagination=1&content_keys=edX%2BA", None),
    ("{catalog}generate_diff/", {"content_keys": [KEY]}),
    ("{catalog}changes/", None),
    ("{catalog}export.csv/", None),
    ("{catalog}export.xlsx/", None),
    ("{customer}filter_content_items/", {"content_keys": [KEY]}),
    ("{customer}content-metadata/edX+A/", None),
    ("/api/v1/content-metadata/", None),
    ("/api/v1/content-metadata/edX+A/", None),
    ("{legacy}", None),
    ("{legacy}contains_content_items/?course_run_ids=edX%2BA", None),
    ("{legacy}courses/edX+A/", None),
]


@pytest.mark.parametrize(("path", "body"), READS)
def test_content_is_read_on_the_replica_and_the_caller_on_the_primary(path, body):
    catalog, client = make_catalog(KEY, records=[{"key": KEY}]), operator()
    path = path.format(
        catalog=path_of(catalog),
        customer=f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/",
        legacy=legacy_path_of(catalog),
    )
    client.get("/api/v1/enterprise-catalogs/")
    response, on_primary, on_replica = asked(client, path, body)
    assert response.status_code == 200
    assert [User._meta.db_table in statement for statement in on_primary] == [True]
    assert on_replica


def test_roles_are_read_on_the_primary(path):
    client = client_for("alice")
    client.get(CATALOGS)
    assign(User.objects.get(username="alice"), "enterprise_learner", CUSTOMER_UUID)
    response, on_primary, on_replica = asked(client, path)
    assert (response.status_code, len(on_primary), len(on_replica)) == (200, 2, 1)


@pytest.mark.parametrize("path", ["{catalog}", CATALOGS, "/health/", "/health/freshness/", "/api/v1/catalog-queries/"])
def test_catalogs_themselves_are_read_on_the_primary(path):
    path = path.format(catalog=path_of(make_catalog(KEY)))
    # In the same thread, after a request that chose otherwise.
    asked(operator(), "/api/v1/content-metadata/")
    response, on_primary, on_replica = asked(operator(), path)
    assert (response.status_code, on_replica) == (200, [])
    assert on_primary


def test_the_choice_ends_with_the_last_byte_of_a_stream(monkeypatch):
    monkeypatch.setattr(streaming, "_CHUNK_BYTES", 1)
    response = operator().get(path_of(make_catalog(KEY), "get_content_metadata/?traverse_pagination=1"))
    assert replica.is_reading_replica()
    with statements("default") as on_primary:
        b"".join(response.streaming_content)
    assert (replica.is_reading_replica(), on_primary) == (False, [])


def test_a_replica_that_fails_is_left_alone(copy, path, caplog):
    client = learner()
    with copy.execute_wrapper(broken):
        answers = [asked(client, path) for _ in range(3)]
    assert [response.json() for response, *_ in answers] == [{"contains_content_items": True}] * 3
    assert [bool(on_replica) for *_, on_replica in answers] == [True, False, False]
    assert events(caplog) == ["replica_failed"]
    assert re.search('"error":"(Operational|Programming)Error","code":', caplog.text)


def test_after_a_pause_one_asks_whether_it_is_back(copy, path, settings, caplog):
    client = learner()
    settings.REPLICA_PAUSE_SECONDS = 0
    with copy.execute_wrapper(broken):
        answers = [asked(client, path) for _ in range(2)]
    assert [response.status_code for response, *_ in answers] == [200, 200]
    assert all(on_replica for *_, on_replica in answers)
    assert events(caplog) == ["replica_failed"] * 2
    response, on_primary, on_replica = asked(client, path)
    assert (response.status_code, len(on_primary), on_replica.count("SELECT 1")) == (200, 1, 1)
    *_, on_replica = asked(client, path)
    assert (len(on_replica), on_replica.count("SELECT 1")) == (1, 0)


def test_what_the_replica_has_not_heard_of_is_asked_of_the_primary(copy, path, caplog):
    with copy.execute_wrapper(behind):
        response, _, on_replica = asked(learner(), path)
        assert (response.json(), len(on_replica)) == ({"contains_content_items": True}, 1)
        again, _, on_replica = asked(learner(), path)
        assert (again.status_code, len(on_replica)) == (200, 1)
    assert events(caplog) == []


def test_a_choice_of_catalogs_that_the_replica_has_not_heard_of_is_asked_of_the_primary(copy):
    body = {"content_keys": [KEY], "catalog_uuids": [str(make_catalog(KEY).uuid)]}
    with copy.execute_wrapper(behind):
        response, *_ = asked(learner(), f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/", body)
    assert response.json() == {"filtered_content_keys": [KEY]}


def test_what_nobody_has_heard_of_is_not_found():
    response, *_ = asked(learner(), f"{CATALOGS}{uuid4()}/get_content_metadata/")
    assert response.status_code == 404


def test_a_stream_that_cannot_begin_comes_from_the_primary(copy, caplog):
    path = path_of(make_catalog(KEY), "get_content_metadata/?traverse_pagination=1")
    with copy.execute_wrapper(broken):
        response, *_ = asked(operator(), path)
    assert response.status_code == 200
    assert events(caplog) == ["replica_failed"]


def test_a_stream_breaks_with_its_replica(copy, monkeypatch, caplog):
    """Its other half is never of the primary."""
    monkeypatch.setattr(streaming, "_CHUNK_BYTES", 1)
    client, path = operator(), path_of(make_catalog(KEY), "get_content_metadata/?traverse_pagination=1")
    response = client.get(path)
    with copy.execute_wrapper(broken), pytest.raises(Error):
        b"".join(response.streaming_content)
    assert events(caplog) == ["stream_broken", "replica_failed"]
    *_, on_replica = asked(client, path)
    assert on_replica == []
