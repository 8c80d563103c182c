"""Being staff gives access to the admin only, and each of Django's permissions to its part of the API (PERM-17)."""

import pytest
from django.contrib.auth import get_user_model

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, client_for
from enterprise_catalog.testing.catalogs import CATALOGS, LEGACY, path_of
from tests.security.callers import permit
from tests.security.world import CATALOG, make_world
from tests.security.writes import rolled_back

pytestmark = pytest.mark.django_db

LEGACY_CATALOG, LEGACY_QUERIES = f"{LEGACY}enterprise_customer_catalog/", f"{LEGACY}enterprise_catalog_query/"
QUERIES = "/api/v1/catalog-queries/"

OPENS = {
    ("view", "enterprisecatalog"): {"list", "legacy list", "retrieve"},
    ("add", "enterprisecatalog"): {"create", "legacy create"},
    ("change", "enterprisecatalog"): {"change", "replace", "move", "legacy change"},
    ("delete", "enterprisecatalog"): set(),
    ("view", "catalogquery"): {
        "queries",
        "query",
        "query by hash",
        "hash",
        "distinct",
        "legacy queries",
        "legacy query",
    },
    ("add", "catalogquery"): set(),
    ("change", "catalogquery"): set(),
    ("delete", "catalogquery"): set(),
    ("refresh", "catalogquery"): set(),
}


def requests(world):
    own, query = world.own, world.own.catalog_query
    new = {"title": "New", "enterprise_customer": str(CUSTOMER_UUID)}
    return {
        "list": ("get", CATALOGS, None),
        "legacy list": ("get", f"{LEGACY}enterprise_catalogs/", None),
        "retrieve": ("get", path_of(own), None),
        "create": ("post", CATALOGS, CATALOG),
        "legacy create": ("post", LEGACY_CATALOG, new),
        "change": ("patch", path_of(own), {"title": "New"}),
        "replace": ("put", path_of(own), CATALOG),
        "move": ("patch", path_of(own), {"enterprise_customer": str(OTHER_CUSTOMER_UUID)}),
        "legacy change": ("patch", LEGACY_CATALOG, {"uuid": str(own.uuid), "title": "New"}),
        "delete": ("delete", path_of(own), None),
        "refresh": ("post", path_of(own, "refresh_metadata/"), None),
        "content": ("get", path_of(own, "get_content_metadata/"), None),
        "legacy content": ("get", f"{LEGACY}enterprise_catalogs/{own.uuid}/", None),
        "queries": ("get", QUERIES, None),
        "query": ("get", f"{QUERIES}{query.uuid}/", None),
        "query by hash": ("get", f"{QUERIES}get_query_by_hash/?hash={query.content_filter_hash}", None),
        "hash": ("post", f"{QUERIES}get_content_filter_hash/", {}),
        "distinct": ("post", "/api/v1/distinct-catalog-queries/", {}),
        "legacy queries": ("get", LEGACY_QUERIES, None),
        "legacy query": ("get", f"{LEGACY_QUERIES}{query.pk}/", None),
    }


def opened(client, world):
    statuses = {}
    for name, (method, path, body) in requests(world).items():
        with rolled_back():
            statuses[name] = getattr(client, method)(path, body).status_code
    assert set(statuses.values()) <= {200, 201, 403}, statuses
    return {name for name, status in statuses.items() if status != 403}


@pytest.mark.parametrize(("action", "model"), OPENS)
@pytest.mark.parametrize("is_staff", [True, False])
def test_each_permission_opens_what_it_opens_in_the_admin(action, model, is_staff):
    """Without being staff there is no admin, and so no permission counts."""
    world = make_world()
    sam = get_user_model().objects.create(username="sam", is_staff=is_staff)
    permit(sam, action, models=[model])
    assert opened(client_for("sam"), world) == (OPENS[action, model] if is_staff else set())


def test_being_staff_opens_nothing():
    world = make_world()
    get_user_model().objects.create(username="sam", is_staff=True)
    assert opened(client_for("sam"), world) == set()


def test_who_may_not_change_queries_changes_no_query():  # QRY-7
    """Another filter is for this catalog alone, as for an admin of somebody."""
    world = make_world()
    sam = get_user_model().objects.create(username="sam", is_staff=True)
    permit(sam, "view", "change", models=["enterprisecatalog"])
    sent = {"content_filter": {"partner": "new"}, "catalog_query_uuid": str(world.shared.catalog_query.uuid)}
    assert client_for("sam").patch(path_of(world.shared), sent).status_code == 200
    moved, stayed = (EnterpriseCatalog.objects.get(pk=it.pk) for it in (world.shared, world.sharing))
    assert moved.catalog_query_id != stayed.catalog_query_id == world.sharing.catalog_query_id
    permit(sam, "change", models=["catalogquery"])
    sent = {"content_filter": {"partner": "newer"}, "catalog_query_uuid": str(stayed.catalog_query.uuid)}
    assert client_for("sam").patch(path_of(stayed), sent).status_code == 200
    stayed.refresh_from_db()
    assert (stayed.catalog_query_id, stayed.catalog_query.content_filter) == (
        world.sharing.catalog_query_id,
        {"partner": "newer"},
    )
