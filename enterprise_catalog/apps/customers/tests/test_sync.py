"""Local copies of customers follow the LMS, and survive its failures (CUST-1 to CUST-3)."""

from collections.abc import Callable
from itertools import count
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connections, transaction

from enterprise_catalog.apps.core.datetimes import parse_datetime
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.customers import tasks
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.customers.sync import ensure_customer, sync_customer, sync_due_customers
from enterprise_catalog.testing.lms_customers import ACME, BRIGHT, MODIFIED, at_the_lms, wait

pytestmark = pytest.mark.django_db


def copied(lms, **fields: Any) -> EnterpriseCustomer:
    """Create a customer that was copied just now."""
    at_the_lms(lms, **fields)
    ensure_customer(ACME)
    assert sync_customer(ACME)
    return copy_of(ACME)


def copy_of(uuid: UUID) -> EnterpriseCustomer:
    return EnterpriseCustomer.objects.get(pk=uuid)


def fields_of(customer: EnterpriseCustomer) -> tuple[object, ...]:
    return (customer.name, customer.slug, customer.enable_learner_portal, customer.active, customer.modified)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Start all functions at the same time, each with its own connection, and return their results."""
    results: list[Any] = []
    start = Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=30)
            results.append(work())
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def test_a_new_customer_is_not_copied_yet():  # CUST-1
    ensure_customer(ACME)
    assert fields_of(copy_of(ACME)) == ("", "", False, True, None)
    assert copy_of(ACME).fetched_at is None


def test_a_new_customer_is_copied(lms):
    assert fields_of(copied(lms)) == ("Acme", "acme", True, True, parse_datetime(MODIFIED))


def test_the_tasks_copy_customers(lms):
    at_the_lms(lms)
    at_the_lms(lms, BRIGHT, slug="bright")
    ensure_customer(ACME)
    ensure_customer(BRIGHT)
    tasks.sync_customer(str(ACME))
    tasks.sync_due_customers()
    assert (copy_of(ACME).slug, copy_of(BRIGHT).slug) == ("acme", "bright")


def test_four_byte_text_is_kept(lms):
    assert copied(lms, name="Ünïcorn 🦄 <b>&").name == "Ünïcorn 🦄 <b>&"


@pytest.mark.parametrize("modified", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-03-01"])
def test_extreme_dates_are_kept(lms, modified):
    assert copied(lms, modified=modified, name="𝄞" * 300).modified == parse_datetime(modified)


@pytest.mark.parametrize("unusable", [{"slug": "x" * 256}, {"slug": 7}, {"name": ["Bright"]}], ids=str)
def test_an_unusable_customer_does_not_affect_others(lms, unusable):
    """In whatever order they are copied (P7)."""
    at_the_lms(lms)
    at_the_lms(lms, BRIGHT, **unusable)
    ensure_customer(ACME)
    ensure_customer(BRIGHT)
    assert sync_due_customers() == 2
    assert copy_of(ACME).slug == "acme"
    assert copy_of(BRIGHT).fetched_at is None


def test_a_fresh_copy_is_not_due(lms):
    before = copied(lms)
    lms.clear_calls()
    assert not sync_customer(ACME)
    assert sync_due_customers() == 0
    assert not lms.calls()
    assert copy_of(ACME).attempted_at == before.attempted_at


def test_a_copy_is_renewed_within_the_hour(lms):  # CUST-2
    copied(lms)
    # A sync begins each minute, and the customer must be due in time.
    wait(minutes=58)
    at_the_lms(lms, name="Acme & Sons", slug="acme-sons", enable_learner_portal=False, modified="2026-04-01T00:00:00Z")
    assert sync_due_customers() == 1
    assert fields_of(copy_of(ACME)) == ("Acme & Sons", "acme-sons", False, True, parse_datetime("2026-04-01T00:00:00Z"))


def test_an_unchanged_answer_changes_only_the_times_of_the_copy(lms):
    before = copied(lms)
    wait(hours=2)
    asked_before = copy_of(ACME)
    sync_customer(ACME)
    after = copy_of(ACME)
    assert fields_of(after) == fields_of(before)
    assert after.fetched_at > asked_before.fetched_at
    assert after.attempted_at > asked_before.attempted_at


def test_a_date_that_the_lms_no_longer_sends_is_kept(lms):
    copied(lms)
    wait(hours=2)
    at_the_lms(lms, name="Acme & Sons", modified=None)
    sync_customer(ACME)
    assert (copy_of(ACME).name, copy_of(ACME).modified) == ("Acme & Sons", parse_datetime(MODIFIED))


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 403}, {"malformed": True}, {"merge": {"results": None}}])
def test_an_error_keeps_the_last_copy(lms, fault):  # CUST-2
    before = copied(lms)
    wait(hours=2)
    fetched_at = copy_of(ACME).fetched_at
    lms.add_fault(endpoint="customers", **fault)
    assert sync_customer(ACME)
    assert fields_of(copy_of(ACME)) == fields_of(before)
    assert copy_of(ACME).fetched_at == fetched_at


def test_an_error_is_logged_with_the_customer_and_the_answer(lms, caplog):
    ensure_customer(ACME)
    lms.add_fault(endpoint="customers", status=403)
    sync_customer(ACME)
    assert "customer_sync_failed" in caplog.text
    assert str(ACME) in caplog.text
    assert "status 403" in caplog.text


def test_a_customer_that_is_no_longer_listed_is_inactive_and_keeps_its_slug(lms):  # CUST-3
    copied(lms)
    wait(hours=2)
    lms.remove_customer(str(ACME))
    sync_customer(ACME)
    assert fields_of(copy_of(ACME)) == ("Acme", "acme", False, False, parse_datetime(MODIFIED))


def test_a_customer_that_is_listed_again_is_active_again(lms):  # CUST-3
    copied(lms)
    wait(hours=2)
    lms.remove_customer(str(ACME))
    sync_customer(ACME)
    wait(hours=2)
    at_the_lms(lms)
    sync_customer(ACME)
    assert (copy_of(ACME).active, copy_of(ACME).enable_learner_portal) == (True, True)


def test_without_a_first_copy_every_sync_tries_again(lms):  # CUST-2
    ensure_customer(ACME)
    lms.add_fault(endpoint="customers", status=403)
    sync_customer(ACME)
    # The next sync may begin a little less than a minute after this one.
    wait(seconds=django_settings.CELERY_BEAT_SCHEDULE["customers"]["schedule"] - 5)
    lms.clear_faults()
    at_the_lms(lms)
    assert sync_due_customers() == 1
    assert copy_of(ACME).slug == "acme"


def test_a_customer_is_requested_once_per_sync(lms):
    """It is not requested again at once after a failure, or because of a second notification."""
    ensure_customer(ACME)
    lms.add_fault(endpoint="customers", status=403)
    assert [sync_customer(ACME), sync_customer(ACME), bool(sync_due_customers())] == [True, False, False]


def test_an_old_copy_is_requested_by_every_sync_until_it_is_renewed(lms):
    copied(lms)
    wait(hours=2)
    lms.add_fault(endpoint="customers", status=403, times=1)
    sync_customer(ACME)
    wait(minutes=1)
    at_the_lms(lms, slug="new")
    assert sync_due_customers() == 1
    assert copy_of(ACME).slug == "new"


def test_one_customers_failure_does_not_stop_the_sync(lms):
    for uuid in (ACME, BRIGHT):
        at_the_lms(lms, uuid)
        ensure_customer(uuid)
    lms.add_fault(endpoint="customers", contains=str(ACME), status=500)
    assert sync_due_customers() == 2
    assert (copy_of(ACME).slug, copy_of(BRIGHT).slug) == ("", "acme")


def test_a_hanging_lms_ends_the_sync_and_the_next_one_begins_with_the_others(lms, settings):
    settings.SERVICE_READ_TIMEOUT_SECONDS = 0.4
    settings.CUSTOMER_SYNC_SECONDS = 1
    customers = [uuid4() for _ in range(5)]
    for uuid in customers:
        ensure_customer(uuid)
    hanging = lms.add_fault(endpoint="customers", delay=30)
    assert sync_due_customers() == 1
    asked_first = EnterpriseCustomer.objects.get(attempted_at__isnull=False)
    assert lms.fault_applied(hanging) < settings.SERVICE_ATTEMPTS

    lms.clear_faults()
    lms.clear_calls()
    wait(minutes=1)
    settings.CUSTOMER_SYNC_SECONDS = 30
    assert sync_due_customers() == 5
    assert lms.calls("customers")[-1].query == {"uuid": [str(asked_first.pk)]}


def test_a_customer_has_one_row():
    assert [ensure_customer(ACME), ensure_customer(ACME)] == [True, False]
    assert EnterpriseCustomer.objects.count() == 1


def test_an_existing_customer_takes_one_query(django_assert_num_queries):
    ensure_customer(ACME)
    with django_assert_num_queries(1):
        ensure_customer(ACME)


def test_another_catalog_does_not_change_a_copy(lms):
    before = copied(lms)
    ensure_customer(ACME)
    assert (fields_of(copy_of(ACME)), copy_of(ACME).fetched_at) == (fields_of(before), before.fetched_at)


def test_a_customer_without_a_row_is_not_requested(lms):
    assert not sync_customer(ACME)
    assert not lms.calls()


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_two_workers_request_a_customer_once(lms):
    at_the_lms(lms)
    ensure_customer(ACME)
    lms.add_fault(endpoint="customers", delay=0.2)
    assert sorted(together(*[lambda: sync_customer(ACME)] * 4)) == [False, False, False, True]
    assert len(lms.calls("customers")) == 1


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_two_syncs_share_the_customers(lms):
    for uuid in (customers := [uuid4() for _ in range(10)]):
        at_the_lms(lms, uuid)
        ensure_customer(uuid)
    assert sum(together(sync_due_customers, sync_due_customers)) == 10
    assert sorted(call.query["uuid"][0] for call in lms.calls("customers")) == sorted(map(str, customers))


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_two_requests_with_the_same_new_customer_create_one_row():
    """Each transaction has read before and goes on afterwards. Callers repeat it when it lost a lock."""
    both_have_read = Barrier(2)

    def save() -> bool:
        tries = count()

        @retry_lost_locks
        @transaction.atomic
        def save_once() -> bool:
            if next(tries) == 0:
                assert not EnterpriseCustomer.objects.exists()
                both_have_read.wait(timeout=30)
            created = ensure_customer(ACME)
            assert EnterpriseCustomer.objects.filter(pk=ACME).exists()
            return created

        return save_once()

    assert sorted(together(save, save)) == [False, True]
    assert EnterpriseCustomer.objects.count() == 1
