"""The OpenAPI document, and the page that shows it without loading anything from other hosts (SURF-4)."""

import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from rest_framework.test import APIClient

from enterprise_catalog.apps.api.serializers.catalog_queries import (
    DistinctQueriesSerializer,
    QueriesSerializer,
    QuerySerializer,
)
from enterprise_catalog.apps.api.serializers.catalogs import CatalogSerializer, CatalogsSerializer, ChangesSerializer
from enterprise_catalog.apps.api.serializers.content import (
    ContentMetadataSerializer,
    ContentsSerializer,
    DiffSerializer,
    FilteredKeysSerializer,
)
from enterprise_catalog.apps.api.serializers.refresh_runs import RunSerializer
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, learner, operator
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of


def test_the_document_is_valid_and_complete():  # SURF-4
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def document() -> dict[str, Any]:
    return APIClient().get("/api/schema").json()


def operations() -> list[dict[str, Any]]:
    return [operation for path_item in document()["paths"].values() for operation in path_item.values()]


def test_each_operation_is_a_page_of_a_manual():
    tags = {tag["name"] for tag in document()["tags"]}
    for operation in operations():
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags, operation["operationId"]
    names = [operation["operationId"] for operation in operations()]
    assert len(names) == len(set(names)) > 30


def test_each_operation_says_how_it_may_be_refused():
    """`ApiSchema` adds these errors, not the views (AUTH-3, AUTH-9, COM-4)."""
    for operation in operations():
        answers = set(operation["responses"])
        if "service" in operation["tags"]:
            assert "security" not in operation
            assert "401" not in answers
        else:
            assert [set(scheme) for scheme in operation["security"]] == [
                {"JWT"}, {"JWT-cookie-payload", "JWT-cookie-signature"}, {"session"},
            ]  # fmt: skip
            assert answers >= {"400", "401", "404", "503"}
            # What is for everybody who is known (PERM-8), or does not exist for others (PERM-16).
            without_role = operation["tags"] == ["content-metadata"]
            without_role |= operation["operationId"] == "legacy_catalog_contains"
            assert ("403" in answers) != without_role
        assert ({"413", "415"} <= answers) or "requestBody" not in operation


@pytest.mark.parametrize("path", ["/api/schema", "/api/schema/"])
def test_everybody_may_read_it(path):  # SURF-4
    response = APIClient().get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json()["openapi"].startswith("3.")
    assert f"{CATALOGS}{{uuid}}/get_content_metadata/" in response.json()["paths"]


SCRIPT = "/api/docs/?script="


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/", "/api-docs/", "/api-docs"])
def test_everybody_may_read_the_page(path):  # SURF-4
    response = APIClient().get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200
    assert SCRIPT in response.content.decode()
    assert '"/api/schema/"' in APIClient().get(SCRIPT).content.decode()


def test_the_page_loads_nothing_from_elsewhere():
    page = APIClient().get("/api/docs").content.decode()
    sources = set(re.findall(r'(?:src|href)="([^"]+)"', page))
    assert SCRIPT in sources
    assert all(finders.find(source.removeprefix("/static/")) for source in sources - {SCRIPT})


@pytest.mark.django_db
def test_answers_have_the_fields_that_are_described():  # SURF-4, COM-14
    catalog = make_catalog("edX+A")
    run_id = admin().post(path_of(catalog, "refresh_metadata/")).json()["async_task_id"]
    answers = {
        CatalogsSerializer: admin().get(CATALOGS),
        CatalogSerializer: admin().get(path_of(catalog)),
        ContentMetadataSerializer: learner().get(path_of(catalog, "get_content_metadata/")),
        FilteredKeysSerializer: learner().post(
            f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/", {}
        ),
        DiffSerializer: learner().post(path_of(catalog, "generate_diff/"), {"content_keys": []}),
        QueriesSerializer: admin().get("/api/v1/catalog-queries/"),
        QuerySerializer: admin().get(f"/api/v1/catalog-queries/{catalog.catalog_query_id}/"),
        DistinctQueriesSerializer: operator().post("/api/v1/distinct-catalog-queries/", {}),
        ContentsSerializer: learner().get("/api/v1/content-metadata/"),
        ChangesSerializer: learner().get(path_of(catalog, "changes/")),
        RunSerializer: admin().get(f"/api/v1/refresh-runs/{run_id}/"),
    }
    for serializer, answer in answers.items():
        assert list(serializer().fields) == list(answer.json())
