"""Keys, text, uuids, the clock, lost locks and snapshots behave alike on SQLite, MySQL and MariaDB."""

import socket
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.utils import ConnectionHandler

from enterprise_catalog.apps.catalog.models import CatalogQuery, FullRecordRequest
from enterprise_catalog.apps.core.db.batching import upsert
from enterprise_catalog.apps.core.db.clock import DatabaseNow, database_now
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.testing.factories import CatalogQueryFactory

pytestmark = pytest.mark.django_db

# In the order of their code points: capitals before small letters, accents and other scripts after both.
KEYS = ["Edx+a", "edX+A", "edX+a", "edx+a", "edé+a", "数学", "🎓"]


def store_keys(*keys):
    for key in keys:
        FullRecordRequest.objects.create(content_key=key, requested_at=database_now())


def test_keys_sort_by_code_point():  # COM-9
    store_keys(*reversed(KEYS))
    assert list(FullRecordRequest.objects.order_by("pk").values_list("pk", flat=True)) == sorted(KEYS) == KEYS


@pytest.mark.parametrize("other", ["edx+demox", "EDX+DEMOX", "edX+DémoX", "edX+DemoX+"])
def test_keys_compare_exactly(other):
    """Other databases' defaults ignore case and accents (COM-12)."""
    store_keys("edX+DemoX")
    assert not FullRecordRequest.objects.filter(pk=other).exists()
    store_keys(other)
    assert FullRecordRequest.objects.count() == 2


def test_titles_are_unique_as_written():
    CatalogQueryFactory(title="All courses")
    CatalogQueryFactory(title="all courses")
    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogQueryFactory(title="All courses")


def test_four_byte_text_survives():  # DISC-17
    title = "🎓 数学 Université"
    query = CatalogQueryFactory(title=title, content_filter={"q": title})
    query.refresh_from_db()
    assert (query.title, query.content_filter) == (title, {"q": title})


def test_uuids_are_32_characters_that_sort_as_python_sorts_them():
    uuids = sorted(uuid.uuid4() for _ in range(20))
    for own in reversed(uuids):
        CatalogQueryFactory(uuid=own)
    assert list(CatalogQuery.objects.order_by("uuid").values_list("uuid", flat=True)) == uuids
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT uuid FROM {CatalogQuery._meta.db_table} ORDER BY uuid")
        assert [row[0] for row in cursor.fetchall()] == [own.hex for own in uuids]


def test_the_databases_clock_is_in_utc():
    """Leases are measured by one clock, whatever the session's time zone is (P5)."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+05:00'")
    store_keys("edX+DemoX")
    FullRecordRequest.objects.update(requested_at=DatabaseNow())
    for time in (FullRecordRequest.objects.get().requested_at, database_now()):
        assert abs(time - datetime.now(tz=UTC)) < timedelta(minutes=5)


@pytest.fixture(autouse=True)
def the_sessions_time_zone():
    yield
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")


def test_an_upsert_inserts_and_updates():
    store_keys("a")
    later = database_now() + timedelta(hours=1)
    rows = [FullRecordRequest(content_key=key, requested_at=later) for key in ("a", "b")]
    upsert(FullRecordRequest, rows, update_fields=["requested_at"])
    assert dict(FullRecordRequest.objects.values_list("pk", "requested_at")) == {"a": later, "b": later}
    upsert(FullRecordRequest, [], update_fields=["requested_at"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("error", "attempts"),
    [(OperationalError(1213, "Deadlock"), 3), (OperationalError("database is locked"), 3), (OperationalError(2006), 1)],
)
def test_a_lost_lock_is_tried_again_and_nothing_else_is(error, attempts):
    calls = []

    @retry_lost_locks
    @transaction.atomic
    def work():
        calls.append(1)
        if len(calls) < 3:
            raise error
        return "done"

    if attempts == 1:
        with pytest.raises(OperationalError):
            work()
    else:
        assert work() == "done"
    assert len(calls) == attempts


def test_inside_an_outer_transaction_nothing_is_repeated():
    calls = []

    @retry_lost_locks
    def work():
        calls.append(1)
        raise OperationalError(1213, "Deadlock")

    with pytest.raises(OperationalError):
        work()
    assert len(calls) == 1


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_leaves_no_transaction_behind():
    """And writing goes on after it (P2)."""
    with snapshot():
        assert not FullRecordRequest.objects.exists()
    store_keys("a")
    with pytest.raises(ZeroDivisionError), snapshot():
        raise ZeroDivisionError
    store_keys("b")
    assert FullRecordRequest.objects.count() == 2


@pytest.mark.mariadb
def test_a_server_that_accepts_connections_and_stays_silent_is_unreachable():
    """Without a limit this test never ends (SURF-3, ERR-7)."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = settings.DATABASES["default"] | {"HOST": "127.0.0.1", "PORT": str(silent.getsockname()[1])}
        database = ConnectionHandler({"default": config})["default"]
        with pytest.raises(OperationalError):
            database.ensure_connection()
