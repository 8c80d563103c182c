"""Limits on the requests of a user, if operators set one (ERR-6, ADR 0014)."""

import re

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.testing.callers import admin, client_for, learner, operator
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of
from enterprise_catalog.testing.runs import keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def limited(settings):
    settings.API_THROTTLE = True
    settings.API_REQUESTS_PER_MINUTE = 2
    settings.API_SERVICE_USERNAMES = ["lms_worker"]
    settings.API_SERVICE_REQUESTS_PER_MINUTE = 4
    cache.clear()
    return settings


def statuses(client: APIClient, times: int) -> list[int]:
    return [client.get(CATALOGS).status_code for _ in range(times)]


def test_it_is_off_by_default():  # ERR-6
    assert statuses(admin(), 70) == [200] * 70


def test_who_asks_too_often_learns_when_to_come_back(limited):  # ERR-6
    assert statuses(admin(), 2) == [200, 200]
    response = admin().get(CATALOGS)
    assert response.status_code == 429
    wait = int(response["Retry-After"])
    assert 0 < wait <= 60
    assert response.json() == {"detail": f"Request was throttled. Expected available in {wait} seconds."}


def test_each_user_has_a_limit_of_their_own(limited):  # ERR-6
    assert statuses(admin(), 3) == [200, 200, 429]
    assert statuses(operator(), 3) == [200, 200, 429]


def test_services_may_ask_more_often(limited):  # ERR-6, LEG-21
    assert statuses(client_for("lms_worker", "enterprise_openedx_operator:*"), 5) == [200] * 4 + [429]


def test_a_throttled_write_writes_nothing(limited):  # ERR-6, COM-21
    catalog = make_catalog()
    statuses(operator(), 2)
    assert operator().delete(path_of(catalog)).status_code == 429
    assert EnterpriseCatalog.objects.filter(pk=catalog.pk).exists()


def test_other_errors_come_before_the_throttle(limited):  # ERR-6, AUTH-9
    statuses(admin(), 2)
    assert APIClient().get(CATALOGS).status_code == 401
    assert admin().get(CATALOGS, headers={"Accept": "image/png"}).status_code == 406
    assert admin().delete(CATALOGS).status_code == 405


def walk(client: APIClient, path: str) -> int:
    """Follow `next` to the last page, and return the number of items."""
    url, items = path, 0
    while url:
        response = client.get(url)
        assert response.status_code == 200, (url, response.content)
        url, items = response.json()["next"], items + len(response.json()["results"])
    return items


def test_a_walk_by_50_passes_for_an_ordinary_user(settings):  # ERR-6, META-3
    """It has more pages than a user may otherwise ask for in a minute."""
    settings.API_THROTTLE = True
    cache.clear()
    items = 50 * settings.API_REQUESTS_PER_MINUTE + 1
    catalog = make_catalog(*keys(items))
    for version in ("v1", "v2"):
        assert (
            walk(learner(), f"/api/{version}/enterprise-catalogs/{catalog.pk}/get_content_metadata/?page_size=50")
            == items
        )


def test_the_limit_of_walks_suffices_for_the_largest_catalog(settings):  # ERR-6
    assert settings.API_WALK_PAGES_PER_MINUTE * settings.API_WALK_PAGE_SIZE >= settings.DISCOVERY_MAX_ITEMS


def test_walks_have_a_limit_of_their_own(limited):  # ERR-6
    limited.API_WALK_PAGES_PER_MINUTE = 3
    path = path_of(make_catalog(*keys(51)), "get_content_metadata/")

    def answers(times: int, **params: str | float) -> list[int]:
        return [learner().get(path, params).status_code for _ in range(times)]

    assert answers(4, page=2, page_size=50) == [200, 200, 200, 429]
    assert answers(2, page_size=50) == [200, 200]
    # The first page, small pages and malformed ones count as ordinary requests.
    assert answers(1, page_size=50) == answers(1, page=1, page_size=50) == [429]
    assert answers(1, page=2, page_size=49) == answers(1, page=2) == [429]
    for page, size in (("-2", "50"), ("2", "5e1"), ("x", "x"), ("2", "\u0665\u0660"), ("9" * 5000, "50")):
        assert answers(1, page=page, page_size=size) == [429]


def test_services_walk_with_their_larger_limit(limited):  # ERR-6, LEG-21
    limited.API_WALK_PAGES_PER_MINUTE = 1
    path = path_of(make_catalog(*keys(51)), "get_content_metadata/")
    service = client_for("lms_worker", "enterprise_openedx_operator:*")
    codes = [service.get(path, {"page": 2, "page_size": 50}).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 200, 429]


def test_while_the_cache_is_away_everybody_passes(limited, caplog):  # ERR-6, P6
    """Nobody listens on port 1."""
    limited.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert statuses(admin(), 4) == [200] * 4
    assert re.search("throttle_unavailable", caplog.text)
