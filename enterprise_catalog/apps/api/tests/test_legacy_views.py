"""Paths, tokens and throttles of the legacy API (LEG-1, SURF-2, AUTH-2, LEG-21)."""

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, client_for, learner, operator, token_for
from enterprise_catalog.testing.catalogs import CATALOGS, LEGACY, LEGACY_CATALOGS, legacy_path_of, make_catalog
from enterprise_catalog.testing.documents import course_document

pytestmark = pytest.mark.django_db

ROLE = f"enterprise_admin:{CUSTOMER_UUID}"


def with_bearer(token):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.mark.parametrize("slash", ["/", ""])
def test_every_path(slash):  # LEG-1, SURF-2, COM-1
    catalog = make_catalog("edX+A", records=[course_document("edX+A")])
    ids = "?course_run_ids=edX%2BA"
    for path in (
        "enterprise_catalogs{slash}",
        f"enterprise_catalogs/{catalog.uuid}{{slash}}",
        f"enterprise_catalogs/{catalog.uuid}/contains_content_items{{slash}}{ids}",
        f"enterprise_catalogs/{catalog.uuid}/courses/edX+A{{slash}}",
        f"enterprise_catalogs/{catalog.uuid}/course_runs/course-v1:edX+A+1T{{slash}}",
        f"enterprise-customer/{CUSTOMER_UUID}/contains_content_items{{slash}}{ids}",
        "enterprise_catalog_query{slash}",
        f"enterprise_catalog_query/{catalog.catalog_query_id}{{slash}}",
    ):
        assert operator().get(LEGACY + path.format(slash=slash)).status_code == 200, path
    body = {"uuid": str(catalog.uuid), "title": "x"}
    assert operator().patch(f"{LEGACY}enterprise_customer_catalog{slash}", body).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing/",
        "enterprise-catalogs/",
        "enterprise_catalogsXYZ/",
        f"enterprise_catalogs/{CUSTOMER_UUID}/contains_content_itemsXYZ/",
        f"enterprise_catalogs/{CUSTOMER_UUID}/courses/",
        f"enterprise_catalogs/{CUSTOMER_UUID}/get_content_metadata/",
    ],
)
def test_nothing_else(path):  # LEG-1, COM-2, COM-3
    for client in (APIClient(), operator()):
        response = client.get(LEGACY + path)
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_bearer_is_off_by_default():  # AUTH-2
    response = with_bearer(token_for("adam", ROLE)).get(LEGACY_CATALOGS)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'JWT realm="api"')
    assert response.json() == {"detail": "Authentication credentials were not provided."}


class TestBearer:
    """Bearer tokens, if they are switched on (AUTH-2)."""

    @pytest.fixture(autouse=True)
    def wanted(self, settings):
        settings.LEGACY_BEARER_TOKENS = True

    def test_the_same_token_as_a_bearer_token(self):
        make_catalog(title="own")
        answer = with_bearer(token_for("adam", ROLE)).get(LEGACY_CATALOGS).json()
        assert [catalog["title"] for catalog in answer["results"]] == ["own"]
        assert admin().get(LEGACY_CATALOGS).json() == answer

    @pytest.mark.parametrize("token", ["", "garbage", "a.b.c"])
    def test_no_token_of_another_kind(self, token):  # AUTH-3
        response = with_bearer(token).get(LEGACY_CATALOGS)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'JWT realm="api"')
        assert isinstance(response.json()["detail"], str)

    @pytest.mark.parametrize("claims", [{"exp": 1}, {"iss": "x"}, {"aud": "x"}, {"preferred_username": None}])
    def test_what_fails_as_jwt_fails_as_bearer(self, claims):  # AUTH-3, AUTH-4
        assert with_bearer(token_for("adam", ROLE, **claims)).get(LEGACY_CATALOGS).status_code == 401

    def test_elsewhere_it_counts_as_nothing(self):
        response = with_bearer(token_for("adam", ROLE)).get(CATALOGS)
        assert response.json() == {"detail": "Authentication credentials were not provided."}

    def test_the_documentation_still_can_be_made(self):  # SURF-4
        document = APIClient().get("/api/schema").json()
        assert document["components"]["securitySchemes"]["Bearer"]["scheme"] == "bearer"
        legacy, v1 = document["paths"][LEGACY_CATALOGS]["get"], document["paths"][CATALOGS]["get"]
        assert {"Bearer": []} in legacy["security"]
        assert {"Bearer": []} not in v1["security"]


@pytest.mark.parametrize(("username", "limit"), [("adam", 2), ("gateway", 4)])
def test_throttling(settings, username, limit):  # LEG-21, ERR-6
    """All API versions share one limit."""
    settings.API_THROTTLE = True
    settings.API_REQUESTS_PER_MINUTE, settings.API_SERVICE_REQUESTS_PER_MINUTE = 2, 4
    settings.API_SERVICE_USERNAMES = ["gateway"]
    cache.clear()
    path = legacy_path_of(make_catalog())
    client = client_for(username, ROLE)
    assert client.get(CATALOGS).status_code == 200
    assert [client.get(path).status_code for _ in range(limit)] == [200] * (limit - 1) + [429]
    response = client.get(path)
    wait = int(response["Retry-After"])
    assert response.json() == {"detail": f"Request was throttled. Expected available in {wait} seconds."}


def test_limits_as_promised(settings):  # LEG-21
    assert settings.API_THROTTLE is False
    assert (settings.API_REQUESTS_PER_MINUTE, settings.API_SERVICE_REQUESTS_PER_MINUTE) == (60, 800)


def test_old_ecommerce_asks_by_legacy_names():  # CLI-10, LEG-2
    catalog = make_catalog("edX+A")
    path = legacy_path_of(catalog, "contains_content_items/")
    assert learner().get(path, {"course_run_ids": "course-v1:edX+A+1T"}).json() == {"contains_content_items": True}
    customer = f"{LEGACY}enterprise-customer/{CUSTOMER_UUID}/contains_content_items/"
    assert admin().get(customer, {"course_run_ids": "course-v1:edX+A+1T"}).json() == {"contains_content_items": True}
