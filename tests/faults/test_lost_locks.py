"""Deadlocks and lock timeouts on a real server: the transaction is repeated, and its result is there once (P5)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    FullRecordRequest,
)
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.apps.services.catalogs import save_catalog
from enterprise_catalog.testing.callers import OPERATOR, PROGRAMS, complete_values
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, keys, make_query, members, store_courses, store_keys
from tests.faults.conftest import PATIENCE_SECONDS, eventually

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

# InnoDB rolls back whoever changed fewer rows.
HEAVY = 500


def waits_for_a_lock(connection_id: int) -> bool:
    # The server renews what it says here only when nobody has looked for a tenth of a second.
    time.sleep(0.2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = %s AND trx_state = 'LOCK WAIT'",
            [connection_id],
        )
        return cursor.fetchone() is not None


class Rival(Thread):
    """
    Another transaction. It holds a row until our transaction waits for it. Then it wants a row that is ours, which is
    a deadlock that we lose; or it waits until our patience is over.
    """

    def __init__(self, holds: QuerySet[Any], wants: QuerySet[Any] | None) -> None:
        super().__init__()
        self._holds, self._wants = holds, wants
        self._ours = own_connection_id()
        self.ready = Event()
        self.refused = Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with transaction.atomic():
                now = database_now()
                FullRecordRequest.objects.bulk_create(
                    FullRecordRequest(content_key=f"weight {number}", requested_at=now) for number in range(HEAVY)
                )
                lock(self._holds)
                self.ready.set()
                eventually(lambda: waits_for_a_lock(self._ours))
                if self._wants is not None:
                    # Held by us: we get it only when the server has rolled the other one back.
                    lock(self._wants)
                else:
                    assert self.refused.wait(PATIENCE_SECONDS)
                transaction.set_rollback(True)
        except Exception as error:
            self.error = error
        finally:
            self.ready.set()
            connection.close()


def lock(rows: QuerySet[Any]) -> None:
    assert list(rows.select_for_update().values_list("pk"))


def own_connection_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        (number,) = cursor.fetchone()
    return int(number)


@contextmanager
def short_patience() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
    try:
        yield
    finally:
        connection.close()


class Failures:
    """Records the errors of our statements, and notifies the rival of them."""

    def __init__(self, refused: Event) -> None:
        self.codes: list[int] = []
        self._refused = refused

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return execute(*arguments)
        except OperationalError as error:
            self.codes.append(error.args[0])
            self._refused.set()
            raise


def against_a_rival(
    work: Callable[[], Any], *, holds: QuerySet[Any], wants: QuerySet[Any] | None
) -> tuple[Any, list[int]]:
    """Call a function beside the rival, and return its result and the server's errors."""
    rival = Rival(holds, wants)
    failures = Failures(rival.refused)
    rival.start()
    rival.ready.wait()
    try:
        with connection.execute_wrapper(failures):
            result = work()
    finally:
        rival.join()
    assert rival.error is None
    return result, failures.codes


@pytest.fixture(params=["deadlock", "timeout"])
def quarrel(request) -> Callable[..., Any]:
    """Return a function that makes work lose a lock, by error 1213 or 1205."""

    def run(work: Callable[[], Any], *, holds: QuerySet[Any], wants: QuerySet[Any]) -> Any:
        if request.param == "deadlock":
            result, codes = against_a_rival(work, holds=holds, wants=wants)
            assert codes == [1213]
        else:
            with short_patience():
                result, codes = against_a_rival(work, holds=holds, wants=None)
            # Once more for each second in which the rival got nothing done.
            assert set(codes) == {1205}
        return result

    return run


def test_a_batch_of_documents_is_stored_again(quarrel):
    """Storing locks contents, then the queries that hold them."""
    query = make_query()
    store_keys(keys(2))
    publish_or_hold(claim=claimed(query), content_keys=keys(2), counts={})
    attempts: list[int] = []
    changed = quarrel(
        lambda: store_courses(
            *(course_document(key, title="new") for key in keys(2)), assert_lease=lambda: attempts.append(1)
        ),
        holds=CatalogQuery.objects.filter(pk=query.pk),
        wants=ContentMetadata.objects.filter(pk=keys(2)[0]),
    )
    assert changed == 2
    assert len(attempts) > 1
    before = query.items_version
    query.refresh_from_db()
    assert query.items_version == before + 1


def test_a_publish_is_done_again(quarrel):
    """Publishing locks the run and the contents that join, then the query."""
    query = make_query()
    store_keys(keys(3))
    claim = claimed(query)
    state = quarrel(
        lambda: publish_or_hold(claim=claim, content_keys=keys(3), counts={}),
        holds=CatalogQuery.objects.filter(pk=query.pk),
        wants=ContentMetadata.objects.filter(pk=keys(3)[0]),
    )
    query.refresh_from_db()
    assert (state, query.generation, query.member_count) == (RefreshRun.State.PUBLISHED, 1, 3)
    assert members(query) == keys(3)
    assert list(CatalogContentChange.objects.values_list("content_key", flat=True)) == keys(3)


def test_a_catalog_is_saved_again(quarrel):
    """Saving locks the catalog, then queries; history, attachment and run are there once."""
    catalog = EnterpriseCatalogFactory.create()
    wanted = CatalogQueryFactory.create(content_filter=PROGRAMS)
    versions = catalog.history.count()
    saved = quarrel(
        lambda: save_catalog(catalog=catalog, values=complete_values(content_filter=PROGRAMS), grants=OPERATOR),
        holds=CatalogQuery.objects.filter(pk=wanted.pk),
        wants=EnterpriseCatalog.objects.filter(pk=catalog.pk),
    )
    assert saved.catalog.catalog_query_id == EnterpriseCatalog.objects.get().catalog_query_id == wanted.pk
    assert catalog.history.count() == versions + 1
    assert RefreshRun.objects.get() == saved.refresh_run
    assert RefreshRun.objects.get().requests == 1
