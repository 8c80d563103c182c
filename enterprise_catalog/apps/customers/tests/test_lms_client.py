"""A customer is read from the LMS's list, or an error is raised (DISC-20)."""

from datetime import UTC, datetime

import pytest

from enterprise_catalog.apps.core.http_client.errors import ServiceError, ServiceMalformed, ServiceUnavailable
from enterprise_catalog.apps.customers.lms_client import LmsClient, LmsCustomer, TimeLimitReached
from enterprise_catalog.testing.lms_customers import ACME, BRIGHT, at_the_lms

SOMEBODY_ELSE = {"uuid": str(BRIGHT), "name": "Bright", "slug": "bright", "enable_learner_portal": True}


def fetch_customer() -> LmsCustomer | None:
    return LmsClient(seconds=30).customer(ACME)


def test_a_customer_is_read(lms):  # DISC-20
    at_the_lms(lms)
    assert fetch_customer() == LmsCustomer(
        name="Acme",
        slug="acme",
        enable_learner_portal=True,
        modified=datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC),
    )
    assert lms.calls("customers")[0].query == {"uuid": [str(ACME)]}


def test_a_customer_that_is_not_listed_is_none(lms):  # CUST-3
    assert fetch_customer() is None


def test_a_customer_that_is_listed_as_inactive_is_none(lms):
    at_the_lms(lms)
    lms.add_fault(endpoint="customers", merge={"results": [{"uuid": str(ACME), "active": False}]})
    assert fetch_customer() is None


def test_the_customer_is_found_among_others(lms):  # DISC-20
    at_the_lms(lms)
    lms.add_fault(
        endpoint="customers", merge={"results": [SOMEBODY_ELSE, {**SOMEBODY_ELSE, "uuid": ACME.hex, "slug": "own"}]}
    )
    assert fetch_customer().slug == "own"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"results": [SOMEBODY_ELSE]}, id="an LMS that ignores the filter"),
        pytest.param({"results": [], "count": 1}, id="counted and not listed"),
        pytest.param({"results": [], "next": "https://lms.example.org/?page=2"}, id="more pages"),
        pytest.param({"results": None}, id="no list"),
        pytest.param({"results": {"uuid": str(ACME)}}, id="an object for a list"),
        pytest.param({"results": ["acme", None, 7, [], {"uuid": None}]}, id="no objects in the list"),
        pytest.param({"results": [{**SOMEBODY_ELSE, "uuid": str(ACME), "slug": 7}]}, id="a number for a slug"),
        pytest.param({"results": [{**SOMEBODY_ELSE, "uuid": str(ACME), "slug": "x" * 256}]}, id="a slug too long"),
        pytest.param({"results": [{**SOMEBODY_ELSE, "uuid": str(ACME), "name": ["Acme"]}]}, id="a list for a name"),
    ],
)
def test_an_inconclusive_answer_is_an_error(lms, answer):
    """It never means "inactive", which would close the customer's portal (CUST-3)."""
    lms.add_fault(endpoint="customers", merge=answer)
    with pytest.raises(ServiceMalformed):
        fetch_customer()


def test_a_long_name_is_cut(lms):
    at_the_lms(lms, name="é" * 300)
    assert fetch_customer().name == "é" * 255


@pytest.mark.parametrize("name", ["name", "slug"])
def test_missing_text_is_empty(lms, name):
    at_the_lms(lms, **{name: None})
    assert getattr(fetch_customer(), name) == ""


@pytest.mark.parametrize("flag", [False, None, "true", 1])
def test_only_true_enables_the_portal(lms, flag):
    at_the_lms(lms, enable_learner_portal=flag)
    assert fetch_customer().enable_learner_portal is False


@pytest.mark.parametrize("modified", [None, "", "yesterday", 1767225600, {}, "0001-01-01T00:00:00+14:00"])
def test_an_unreadable_date_is_none(lms, modified):
    at_the_lms(lms, modified=modified)
    assert fetch_customer().modified is None


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503},
        {"status": 429},
        {"status": 403},
        {"status": 404},
        {"raw": "<html>Sign in</html>"},
        {"raw": "[]"},
        {"malformed": True},
        {"truncate": True},
        {"drop": True},
    ],
    ids=str,
)
def test_a_failure_is_an_error(lms, fault):
    at_the_lms(lms)
    lms.add_fault(endpoint="customers", **fault)
    with pytest.raises(ServiceError):
        fetch_customer()


def test_an_lms_that_is_down_is_an_error(lms):
    lms.stop()
    with pytest.raises(ServiceUnavailable):
        fetch_customer()


def test_an_lms_without_a_token_is_an_error(lms):
    lms.add_fault(endpoint="token", status=500)
    with pytest.raises(ServiceUnavailable):
        fetch_customer()


def test_a_temporary_failure_is_retried(lms):  # DISC-7
    at_the_lms(lms)
    lms.add_fault(endpoint="customers", status=503, times=2)
    assert fetch_customer().slug == "acme"


def test_an_lms_that_hangs_times_out(lms, settings):
    settings.SERVICE_READ_TIMEOUT_SECONDS = 0.2
    settings.SERVICE_ATTEMPTS = 1000
    lms.add_fault(endpoint="customers", delay=30)
    with pytest.raises(TimeLimitReached):
        LmsClient(seconds=0.5).customer(ACME)


def test_nothing_is_requested_when_the_time_is_up(lms):
    with pytest.raises(TimeLimitReached):
        LmsClient(seconds=0).customer(ACME)
    assert not lms.calls()
