"""Signing in to the admin through the LMS, in a real browser, at the sandbox."""

import pytest

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from tests.neighbours import lead_people_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def lms(sandbox, settings, live_server):
    User.objects.create_superuser("stan", "stan@example.org")
    lead_people_to(sandbox, settings, service=live_server.url)
    return sandbox


def sign_in_as(desk, username: str) -> None:
    """From the admin's page to the LMS, and back."""
    desk.press("Sign in with the LMS")
    assert desk.reads("Sandbox LMS")
    desk.type("username", username)
    desk.press("Sign in")


def test_a_superuser_comes_out_where_they_wanted_to_go(desk):
    catalog = EnterpriseCatalogFactory.create(title="Engineering")
    desk.open(page(EnterpriseCatalog, "change", catalog.pk))
    sign_in_as(desk, "stan")
    assert desk.reads("Change enterprise catalog")
    assert desk.reads("Engineering")
    assert desk.complaints() == []


def test_who_is_not_staff_reads_why_until_somebody_makes_them_staff(desk):
    desk.open("/admin/")
    sign_in_as(desk, "lena")
    assert desk.reads("Not signed in")
    assert desk.reads("lena, who is not staff in this service")
    User.objects.filter(username="lena").update(is_staff=True)
    desk.follow("Try again")
    sign_in_as(desk, "lena")
    assert desk.reads("WELCOME, LENA")


def test_who_cancels_at_the_lms_can_still_use_the_password(desk):
    desk.open("/admin/")
    desk.press("Sign in with the LMS")
    desk.press("Cancel")
    assert desk.reads("The LMS signed nobody in.")
    desk.sign_in()
    assert desk.reads("WELCOME, OLGA")


def test_signing_out_here_needs_another_sign_in(desk):
    desk.open("/admin/")
    sign_in_as(desk, "stan")
    desk.press("Log out")
    assert desk.reads("Logged out")
    desk.open("/admin/")
    sign_in_as(desk, "stan")
    assert desk.reads("WELCOME, STAN")
