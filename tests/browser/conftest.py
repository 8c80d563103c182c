"""
Chromium of the distribution, without a window, for tests that look at pages as a person does: signed in to the admin of
a live server on the test's database, with a discovery of the test's own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from enterprise_catalog.apps.core.models import User
from scripts.debian import find_program
from tests.browser.desk import PASSWORD, Desk

OPTIONS = (
    "--headless=new",
    # Chromium refuses to run as root with its sandbox; it sees pages of this machine only.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1280,1000",
    # Nothing but the pages under test is asked for.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    chromium, driver = find_program("chromium"), find_program("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    started = webdriver.Chrome(options=options, service=Service(executable_path=driver))
    try:
        yield started
    finally:
        started.quit()


@pytest.fixture
def desk(browser: webdriver.Chrome, live_server, tmp_path: Path) -> Desk:
    """An operator's desk, before anything was done there."""
    User.objects.create_superuser("olga", "olga@example.org", PASSWORD)
    return Desk(browser, live_server.url, screenshots=tmp_path / "screenshots")
