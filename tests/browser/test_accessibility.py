"""Every kind of page of the admin is accessible: by axe-core, on a telephone, in the dark, and with keys only."""

import pytest
from selenium.webdriver.common.keys import Keys

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.admin_clients import page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def at(chrome, path: str, shown: str) -> list[str]:
    """Return the problems of a page."""
    chrome.open(path)
    wide = ["it has to be moved sideways"] if shown == "narrow" and chrome.overflows() else []
    return [f"{path}: {problem}" for problem in [*wide, *chrome.obstacles(), *chrome.complaints()]]


@pytest.mark.parametrize("shown", ["wide", "narrow", "dark"])
def test_everybody_can_use_every_page(chrome, pages, shown):
    if shown != "wide":
        getattr(chrome, shown)()
    problems = at(chrome, "/admin/login/", shown)
    chrome.sign_in()
    problems += [problem for path in pages for problem in at(chrome, path, shown)]
    assert not problems, "\n".join(problems)


def test_a_held_result_is_approved_by_keys_alone(chrome, pages):
    held = RefreshRun.objects.get(state="held")
    chrome.sign_in()
    chrome.open(page(RefreshRun, "change", held.pk))
    for _ in range(30):
        chrome.key(Keys.TAB)
        if chrome.focused().lower() == "approve: publish it":
            break
    chrome.key(Keys.ENTER)
    assert chrome.reads_soon("will show this result at once")
    for _ in range(30):
        chrome.key(Keys.TAB)
        if chrome.focused() == "Publish it":
            break
    chrome.key(Keys.ENTER)
    assert chrome.reads_soon("Approved: the held set is published.")
