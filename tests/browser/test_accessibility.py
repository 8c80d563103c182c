"""Every kind of page of the admin is accessible: by axe-core, on a telephone, in the dark, and with keys only."""

import pytest
from selenium.webdriver.common.keys import Keys

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.admin_clients import page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def at(admin_browser, path: str, shown: str) -> list[str]:
    """Return the problems of a page."""
    admin_browser.open(path)
    wide = ["it has to be moved sideways"] if shown == "narrow" and admin_browser.overflows() else []
    return [f"{path}: {problem}" for problem in [*wide, *admin_browser.obstacles(), *admin_browser.complaints()]]


@pytest.mark.parametrize("shown", ["wide", "narrow", "dark"])
def test_everybody_can_use_every_page(admin_browser, pages, shown):
    if shown != "wide":
        getattr(admin_browser, shown)()
    problems = at(admin_browser, "/admin/login/", shown)
    admin_browser.sign_in()
    problems += [problem for path in pages for problem in at(admin_browser, path, shown)]
    assert not problems, "\n".join(problems)


def test_a_held_result_is_approved_by_keys_alone(admin_browser, pages):
    held = RefreshRun.objects.get(state="held")
    admin_browser.sign_in()
    admin_browser.open(page(RefreshRun, "change", held.pk))
    for _ in range(30):
        admin_browser.key(Keys.TAB)
        if admin_browser.focused().lower() == "approve: publish it":
            break
    admin_browser.key(Keys.ENTER)
    assert admin_browser.reads_soon("will show this result at once")
    for _ in range(30):
        admin_browser.key(Keys.TAB)
        if admin_browser.focused() == "Publish it":
            break
    admin_browser.key(Keys.ENTER)
    assert admin_browser.reads_soon("Approved: the held set is published.")
