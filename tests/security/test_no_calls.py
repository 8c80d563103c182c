"""
Reads use the database and no other service.

Sockets are replaced, as if every other service and the broker had gone.
"""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, learner, operator
from enterprise_catalog.testing.catalogs import CATALOGS, LEGACY, LEGACY_CATALOGS, legacy_path_of, make_catalog, path_of
from enterprise_catalog.testing.documents import course_document, program_document

pytestmark = pytest.mark.django_db

PROGRAM = "2b1d3c5e-0000-4000-8000-00000000beef"
READS: dict[str, Callable[[EnterpriseCatalog], Any]] = {
    "list": lambda it: operator().get(CATALOGS),
    "retrieve": lambda it: admin().get(path_of(it)),
    "catalog contains": lambda it: learner().get(path_of(it, "contains_content_items/?course_run_ids=edX%2BA")),
    "catalog contains by post": lambda it: learner().post(
        path_of(it, "contains_content_items/"), {"course_run_ids": ["edX+A"]}
    ),
    "customer contains": lambda it: learner().get(
        f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/contains_content_items/?course_run_ids=edX%2BA&get_catalog_list=1"
    ),
    "content": lambda it: learner().get(path_of(it, "get_content_metadata/")),
    "content by keys": lambda it: learner().get(path_of(it, "get_content_metadata/?content_keys=edX%2BA")),
    "content by post": lambda it: learner().post(path_of(it, "get_content_metadata/"), {"content_keys": ["edX+A"]}),
    "whole catalog": lambda it: learner().get(path_of(it, "get_content_metadata/?traverse_pagination=1")),
    "whole catalog in XML": lambda it: learner().get(
        path_of(it, "get_content_metadata/?traverse_pagination=1&format=xml")
    ),
    "filter": lambda it: learner().post(
        f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/", {"content_keys": ["edX+A"]}
    ),
    "changes": lambda it: learner().get(path_of(it, "changes/")),
    "csv": lambda it: learner().get(path_of(it, "export.csv")),
    "workbook": lambda it: learner().get(path_of(it, "export.xlsx")),
    "customer content": lambda it: learner().get(
        f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/content-metadata/edX+A/"
    ),
    "contents": lambda it: learner().get("/api/v1/content-metadata/?content_identifiers=edX%2BA"),
    "one content": lambda it: learner().get("/api/v1/content-metadata/edX+A?coerce_to_parent_course=1"),
    "catalogs on v2": lambda it: admin().get("/api/v2/enterprise-catalogs/"),
    "catalog on v2": lambda it: admin().get(f"/api/v2/enterprise-catalogs/{it.uuid}/"),
    "contains on v2": lambda it: learner().get(
        f"/api/v2/enterprise-catalogs/{it.uuid}/contains_content_items/?course_run_ids=edX%2BA"
    ),
    "customer contains on v2": lambda it: learner().get(
        f"/api/v2/enterprise-customer/{CUSTOMER_UUID}/contains_content_items/?course_run_ids=edX%2BA"
    ),
    "content on v2": lambda it: learner().get(f"/api/v2/enterprise-catalogs/{it.uuid}/get_content_metadata/"),
    "customer content on v2": lambda it: learner().get(
        f"/api/v2/enterprise-customer/{CUSTOMER_UUID}/content-metadata/edX+A/"
    ),
    "filter on v2": lambda it: learner().post(
        f"/api/v2/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/", {"content_keys": ["edX+A"]}
    ),
    "diff": lambda it: learner().get(path_of(it, "generate_diff/?content_keys=edX%2BA")),
    "diff by post": lambda it: learner().post(path_of(it, "generate_diff/"), {"content_keys": ["edX+A"]}),
    "queries": lambda it: admin().get("/api/v1/catalog-queries/"),
    "query": lambda it: admin().get(f"/api/v1/catalog-queries/{it.catalog_query_id}/"),
    "query by hash": lambda it: admin().get(
        f"/api/v1/catalog-queries/get_query_by_hash?hash={it.catalog_query.content_filter_hash}"
    ),
    "filter hash": lambda it: admin().get("/api/v1/catalog-queries/get_content_filter_hash"),
    "distinct queries": lambda it: operator().post(
        "/api/v1/distinct-catalog-queries/", {"enterprise_catalog_uuids": [it.uuid]}
    ),
    "refresh run": lambda it: admin().get(
        f"/api/v1/refresh-runs/{it.catalog_query.refresh_runs.earliest('requested_at').uuid}/"
    ),
    "explanations": lambda it: operator().get("/api/v1/content-explanations/?content_key=edX%2BA"),
    "explanation": lambda it: operator().get(
        f"/api/v1/content-explanations/?content_key=edX%2BA&enterprise_catalog={it.uuid}"
    ),
    "legacy list": lambda it: admin().get(LEGACY_CATALOGS),
    "legacy content": lambda it: admin().get(legacy_path_of(it)),
    "legacy content in XML": lambda it: admin().get(f"{legacy_path_of(it)[:-1]}.xml"),
    "legacy contains": lambda it: learner().get(legacy_path_of(it, "contains_content_items/?course_run_ids=edX%2BA")),
    "legacy customer contains": lambda it: admin().get(
        f"{LEGACY}enterprise-customer/{CUSTOMER_UUID}/contains_content_items/?course_run_ids=edX%2BA"
    ),
    "legacy course": lambda it: admin().get(legacy_path_of(it, "courses/edX+A/")),
    "legacy run": lambda it: admin().get(legacy_path_of(it, "course_runs/course-v1:edX+A+1T/")),
    "legacy program": lambda it: admin().get(legacy_path_of(it, f"programs/{PROGRAM}/")),
    "legacy queries": lambda it: operator().get(f"{LEGACY}enterprise_catalog_query/"),
    "legacy query": lambda it: operator().get(f"{LEGACY}enterprise_catalog_query/{it.catalog_query_id}/"),
    "health": lambda it: operator().get("/health/"),
    "freshness": lambda it: operator().get("/health/freshness/"),
    "schema": lambda it: operator().get("/api/schema"),
    "docs": lambda it: operator().get("/api/docs"),
    "CSRF token": lambda it: operator().get("/csrf/api/v1/token"),
}


class Called(Exception):
    """A socket was used."""


@pytest.fixture
def no_sockets(monkeypatch):
    """Allow no connection but the database's, which is open already, and no look-up of names."""

    def refuse(*args, **kwargs):
        raise Called(args)

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.parametrize("read", READS)
def test_a_read_calls_nobody(read, no_sockets):  # SURF-6, P6
    catalog = make_catalog("edX+A", program_document(PROGRAM), records=[course_document("edX+A"), {"uuid": PROGRAM}])
    response = READS[read](catalog)
    if response.streaming:
        b"".join(response.streaming_content)
    assert response.status_code == 200


def test_the_block_would_notice(no_sockets):
    with pytest.raises(Called):
        socket.create_connection(("127.0.0.1", 9))


def test_every_route_of_the_api_is_asked_above():
    """Whoever adds an endpoint adds its reads here; `refresh_metadata`, `approve` and `reject` only write."""
    from enterprise_catalog.apps.api.v1.urls import urlpatterns

    names = {pattern.name.removesuffix("-as") for pattern in urlpatterns}
    assert names == {
        *["catalogs", "catalog", "catalog-contains", "catalog-content-metadata", "catalog-refresh-metadata"],
        *["customer-contains", "refresh-run"],
        *["catalog-queries", "catalog-query", "catalog-query-by-hash", "content-filter-hash"],
        *["distinct-catalog-queries", "catalog-diff", "customer-filter"],
        *["customer-content", "contents", "content", "catalog-changes"],
        *["catalog-export-csv", "catalog-export-xlsx", "approve-run", "reject-run", "content-explanations"],
    }


def test_every_route_of_the_legacy_api_is_tested_above():
    """`customer-catalog` only writes."""
    from enterprise_catalog.apps.api.legacy.urls import urlpatterns

    assert {pattern.name.removesuffix("-as") for pattern in urlpatterns} == {
        *["catalogs", "catalog", "catalog-contains", "course", "run", "program", "customer-contains"],
        *["catalog-queries", "catalog-query", "customer-catalog"],
    }


def test_the_other_services_of_these_tests_do_not_exist():
    assert settings.DISCOVERY_SERVICE_URL.endswith(".example.org")
