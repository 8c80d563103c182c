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


def sign_in_as(admin_browser, username: str) -> None:
    """Sign in from the admin's page through the LMS."""
    admin_browser.press("Sign in with the LMS")
    assert admin_browser.reads("Sandbox LMS")
    admin_browser.type("username", username)
    admin_browser.press("Sign in")


def test_a_superuser_comes_out_where_they_wanted_to_go(admin_browser):
    catalog = EnterpriseCatalogFactory.create(title="Engineering")
    admin_browser.open(page(EnterpriseCatalog, "change", catalog.pk))
    sign_in_as(admin_browser, "stan")
    assert admin_browser.reads("Change enterprise catalog")
    assert admin_browser.reads("Engineering")
    assert admin_browser.complaints() == []


def test_who_is_not_staff_reads_why_until_somebody_makes_them_staff(admin_browser):
    admin_browser.open("/admin/")
    sign_in_as(admin_browser, "lena")
    assert admin_browser.reads("Not signed in")
    assert admin_browser.reads("lena, who is not staff in this service")
    User.objects.filter(username="lena").update(is_staff=True)
    admin_browser.follow("Try again")
    sign_in_as(admin_browser, "lena")
    assert admin_browser.reads("WELCOME, LENA")


def test_who_cancels_at_the_lms_can_still_use_the_password(admin_browser):
    admin_browser.open("/admin/")
    admin_browser.press("Sign in with the LMS")
    admin_browser.press("Cancel")
    assert admin_browser.reads("The LMS signed nobody in.")
    admin_browser.sign_in()
    assert admin_browser.reads("WELCOME, OLGA")


def test_signing_out_here_needs_another_sign_in(admin_browser):
    admin_browser.open("/admin/")
    sign_in_as(admin_browser, "stan")
    admin_browser.press("Log out")
    assert admin_browser.reads("Logged out")
    admin_browser.open("/admin/")
    sign_in_as(admin_browser, "stan")
    assert admin_browser.reads("WELCOME, STAN")
