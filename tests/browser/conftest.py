"""
Fixtures of a headless Chromium, signed in to the admin of a live server on the test's database.

Discovery is a sandbox of the test's own.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.previews.preview_runner import preview_next
from enterprise_catalog.apps.services.filter_previews import preview_filter
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import requested
from scripts.debian import find_program
from tests.browser.admin_browser import PASSWORD, AdminBrowser

OPTIONS = (
    "--headless=new",
    # Chromium refuses to run as root with its sandbox; it sees pages of this machine only.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1280,1000",
    # Chromium must request nothing but the pages under test.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
# The timeout of one command. Without it a browser that stops answering would stop the tests.
COMMAND_SECONDS = 120


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium_with(profile=tmp_path / "profile") as started:
        yield started


@contextmanager
def chromium_with(
    *more: str, profile: Path, preferences: Mapping[str, object] | None = None
) -> Iterator[webdriver.Chrome]:
    """Run Chromium with a new profile, with these options and preferences besides."""
    chromium, driver = find_program("chromium"), find_program("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OPTIONS, *more, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.add_experimental_option("prefs", dict(preferences or {}))
    started = start(options, Service(executable_path=driver))
    try:
        yield started
    finally:
        started.quit()


def start(options: webdriver.ChromeOptions, service: Service) -> webdriver.Chrome:
    """Start Chromium. Its commands use the default timeout that sockets have at this time."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(COMMAND_SECONDS)
    try:
        return webdriver.Chrome(options=options, service=service)
    finally:
        socket.setdefaulttimeout(before)


@pytest.fixture
def chrome(browser: webdriver.Chrome, live_server, tmp_path: Path) -> AdminBrowser:
    """An operator's browser, before the sign-in."""
    User.objects.create_superuser("olga", "olga@example.org", PASSWORD)
    return AdminBrowser(browser, live_server.url, screenshots=tmp_path / "screenshots")


@pytest.fixture
def pages(chrome, sandbox) -> list[str]:
    """Paths of pages with content. One result is held, since all courses left."""
    query = CatalogQueryFactory.create(content_filter={"content_type": "course"}, title="All courses", named=True)
    catalog = EnterpriseCatalogFactory.create(title="Engineering", catalog_query=query)
    published = requested(query)
    refresh(published.pk)
    sandbox.add_fault(endpoint="search", merge={"count": 0, "results": [], "next": None})
    held = requested(query)
    refresh(held.pk)
    sandbox.clear_faults()
    content = ContentMetadata.objects.filter(content_type="course").earliest("content_key")
    preview = preview_filter(content_filter={"content_type": "program"}, catalog=catalog, user_id=User.objects.get().pk)
    preview_next()
    return [
        "/admin/",
        "/admin/catalog/enterprisecatalog/",
        "/admin/catalog/enterprisecatalog/add/",
        page(EnterpriseCatalog, "change", catalog.pk),
        page(EnterpriseCatalog, "history", catalog.pk),
        f"/admin/catalog/enterprisecatalog/preview/{preview.pk}/",
        page(CatalogQuery, "change", query.pk),
        page(ContentMetadata, "change", content.pk.replace("+", "_2B")),
        page(EnterpriseCatalog, "delete", catalog.pk),
        "/admin/catalog/catalogquery/",
        "/admin/catalog/contentmetadata/",
        "/admin/catalog/catalogcontentchange/",
        "/admin/customers/enterprisecustomer/",
        "/admin/core/user/",
        "/admin/refresh/refreshrun/",
        page(RefreshRun, "change", held.pk),
        f"/admin/where-is-this-content/?content_key={content.pk.replace('+', '%2B')}",
    ]
