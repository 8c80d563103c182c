"""Every kind of page of the admin for everybody: by axe-core, on a telephone, in the dark, and by keys alone."""

import pytest
from selenium.webdriver.common.keys import Keys

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.admin_clients import page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def at(desk, path: str, shown: str) -> list[str]:
    """What is wrong with a page."""
    desk.open(path)
    wide = ["it has to be moved sideways"] if shown == "narrow" and desk.overflows() else []
    return [f"{path}: {problem}" for problem in [*wide, *desk.obstacles(), *desk.complaints()]]


@pytest.mark.parametrize("shown", ["wide", "narrow", "dark"])
def test_everybody_can_use_every_page(desk, pages, shown):
    if shown != "wide":
        getattr(desk, shown)()
    problems = at(desk, "/admin/login/", shown)
    desk.sign_in()
    problems += [problem for path in pages for problem in at(desk, path, shown)]
    assert not problems, "\n".join(problems)


def test_a_held_result_is_approved_by_keys_alone(desk, pages):
    held = RefreshRun.objects.get(state="held")
    desk.sign_in()
    desk.open(page(RefreshRun, "change", held.pk))
    for _ in range(30):
        desk.key(Keys.TAB)
        if desk.focused().lower() == "approve: publish it":
            break
    desk.key(Keys.ENTER)
    assert desk.reads_soon("will show this result at once")
    for _ in range(30):
        desk.key(Keys.TAB)
        if desk.focused() == "Publish it":
            break
    desk.key(Keys.ENTER)
    assert desk.reads_soon("Approved: the held set is published.")
