"""Signing in to the admin through the LMS, in a real browser, at the sandbox."""

import pytest

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from tests.sandbox_services import point_sign_in_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def lms(sandbox, settings, live_server):
    User.objects.create_superuser("stan", "stan@example.org")
    point_sign_in_at(sandbox, settings, service=live_server.url)
    return sandbox


def sign_in_as(chrome, username: str) -> None:
    """Sign in from the admin's page through the LMS."""
    chrome.press("Sign in with the LMS")
    assert chrome.reads("Sandbox LMS")
    chrome.type("username", username)
    chrome.press("Sign in")


def test_a_superuser_comes_out_where_they_wanted_to_go(chrome):
    catalog = EnterpriseCatalogFactory.create(title="Engineering")
    chrome.open(page(EnterpriseCatalog, "change", catalog.pk))
    sign_in_as(chrome, "stan")
    assert chrome.reads("Change enterprise catalog")
    assert chrome.reads("Engineering")
    assert chrome.complaints() == []


def test_who_is_not_staff_reads_why_until_somebody_makes_them_staff(chrome):
    chrome.open("/admin/")
    sign_in_as(chrome, "lena")
    assert chrome.reads("Not signed in")
    assert chrome.reads("lena, who is not staff in this service")
    User.objects.filter(username="lena").update(is_staff=True)
    chrome.follow("Try again")
    sign_in_as(chrome, "lena")
    assert chrome.reads("WELCOME, LENA")


def test_who_cancels_at_the_lms_can_still_use_the_password(chrome):
    chrome.open("/admin/")
    chrome.press("Sign in with the LMS")
    chrome.press("Cancel")
    assert chrome.reads("The LMS signed nobody in.")
    chrome.sign_in()
    assert chrome.reads("WELCOME, OLGA")


def test_signing_out_here_needs_another_sign_in(chrome):
    chrome.open("/admin/")
    sign_in_as(chrome, "stan")
    chrome.press("Log out")
    assert chrome.reads("Logged out")
    chrome.open("/admin/")
    sign_in_as(chrome, "stan")
    assert chrome.reads("WELCOME, STAN")
