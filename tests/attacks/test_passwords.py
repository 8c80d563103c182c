"""Guessing passwords fails, and sign-ins that nobody finishes leave nothing behind (SEC-2)."""

import re
from collections.abc import Iterator

import pytest

from tests.attacks.conftest import PASSWORD, SUPERUSER, Target
from tests.outcome_lines import Saw

pytestmark = pytest.mark.attack

GUESSES = 10
# Where a header says that there is a proxy, and no setting how many, the peer is nobody's address.
BEHIND_A_PROXY = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(autouse=True)
def unlocked(target: Target) -> Iterator[None]:
    yield
    target.manage("axes_reset")


def told(text: str) -> str:
    """A page without what differs between any two of them."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)


def test_guessing_the_superusers_password(target: Target, saw: Saw) -> None:
    """After ten failures the right one opens nothing either, and the page does not tell who exists (SEC-2)."""
    pages = set()
    for name in (SUPERUSER, "nobody-has-this-name"):
        for number in range(GUESSES):
            target.sign_in(name, f"guess {number}", **BEHIND_A_PROXY)
        locked = target.sign_in(name, PASSWORD, **BEHIND_A_PROXY)
        assert (locked.status_code, "Retry-After" in locked.headers) == (429, True)
        pages.add(told(locked.text).replace(name, ""))
    assert len(pages) == 1
    saw("429 for both names, the same page")


def test_guessing_at_many_names_from_one_address(target: Target, saw: Saw) -> None:
    """The address is locked (SEC-2)."""
    for number in range(GUESSES):
        target.sign_in(f"name-{number}", "guess")
    locked = target.sign_in(SUPERUSER, PASSWORD)
    assert locked.status_code == 429
    saw("429")


def test_sign_ins_that_are_begun_and_left(target: Target, saw: Saw) -> None:
    """They leave no row behind (SEC-2)."""
    before = target.rows("SELECT COUNT(*) FROM django_session")
    for _ in range(20):
        token = target.get("/admin/login/").cookies["csrftoken"]
        begun = target.post_form("/login/edx-oauth2/", token)
        assert begun.status_code == 200
        assert "/oauth2/authorize" in begun.text
    assert target.rows("SELECT COUNT(*) FROM django_session") == before
    saw("20 begun, no row")


def test_short_and_common_passwords(target: Target, saw: Saw) -> None:
    """They are refused when an account is made (SEC-2)."""
    for password in ("short", "123456789012", "password1234", "second@example.org"):
        assert target.create_superuser("second", password) != 0
    assert target.rows("SELECT id FROM core_user WHERE username = 'second'") == []
    saw("4 of 4 refused")
