"""The page Catalog health in a real browser: wide, narrow, dark, and for users who may not see it."""

import pytest

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.queue.claims import fail
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, requested

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def health(chrome, sandbox):
    """The home page with content, after the sign-in."""
    fresh = EnterpriseCatalogFactory.create(catalog_query__title="All courses").catalog_query
    refresh(requested(fresh).pk)
    other = EnterpriseCatalogFactory.create(catalog_query__content_filter={"content_type": "program"}).catalog_query
    fail(claimed(other), code="discovery_unavailable", detail="search v2: status 503")
    tick()
    chrome.sign_in()
    return chrome


def test_it_is_what_one_sees_first(health):
    assert health.reads("All queries in use are fresh (2).")
    assert health.reads("The last refresh of 1 query failed.")
    health.follow("failed runs")
    assert health.reads("discovery_unavailable")
    assert health.complaints() == []


def test_it_leads_to_what_is_broken(health):
    run = RefreshRun.objects.get(state="failed")
    health.follow(f"{run.finished_at:%Y-%m-%d %H:%M} UTC")
    assert health.reads("search v2: status 503")


@pytest.mark.parametrize("shown", ["as it is", "narrow", "dark"])
def test_everybody_can_read_it(health, shown):
    if shown != "as it is":
        getattr(health, shown)()
        health.open("/admin/")
    health.look(shown)
    assert health.obstacles() == []
    assert not health.overflows()


def test_nothing_comes_from_elsewhere(health, live_server):
    assert [address for address in health.loaded() if not address.startswith(live_server.url)] == []
