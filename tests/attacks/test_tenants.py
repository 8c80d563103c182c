"""An administrator of one customer learns and changes nothing of another (P8)."""

from typing import Any
from uuid import uuid4

import pytest

from enterprise_catalog.sandbox.config import ACME_UUID, BRIGHT_UUID
from tests.attacks.conftest import ACME_CATALOG, BRIGHT_CATALOG, Target, catalog
from tests.outcome_lines import Saw

pytestmark = [pytest.mark.attack, pytest.mark.local_run]

UUID = ACME_CATALOG.split("/")[-2]
LEGACY = "/enterprise/api/v1"


def test_an_administrator_of_another_customer_is_refused_everywhere(target: Target, saw: Saw) -> None:
    """403 or 404, and the catalog is what it was (P8)."""
    before = target.operator.call("GET", ACME_CATALOG)
    body = catalog(ACME_CATALOG, BRIGHT_UUID, "Bright")
    asked: list[tuple[str, str, Any]] = [
        ("GET", ACME_CATALOG, None),
        ("GET", f"{ACME_CATALOG}get_content_metadata/", None),
        ("GET", f"/api/v2/enterprise-catalogs/{UUID}/get_content_metadata/", None),
        ("GET", f"{ACME_CATALOG}contains_content_items/?course_run_ids=a", None),
        ("GET", f"{ACME_CATALOG}generate_diff/", None),
        ("POST", f"{ACME_CATALOG}refresh_metadata/", None),
        ("PUT", ACME_CATALOG, body),
        ("PATCH", ACME_CATALOG, {"title": "Mine"}),
        ("DELETE", ACME_CATALOG, None),
        ("POST", "/api/v1/enterprise-catalogs/", catalog(f"/{uuid4()}/", ACME_UUID, "Acme")),
        ("PATCH", BRIGHT_CATALOG, {"enterprise_customer": ACME_UUID}),
        ("GET", f"/api/v1/enterprise-customer/{ACME_UUID}/contains_content_items/?course_run_ids=a", None),
        ("GET", f"{LEGACY}/enterprise_catalogs/{UUID}/", None),
        ("PATCH", f"{LEGACY}/enterprise_customer_catalog/{UUID}/", {"title": "Mine"}),
        ("DELETE", f"{LEGACY}/enterprise_customer_catalog/{UUID}/", None),
    ]
    admin = target.bright_admin
    answers = {(method, path): admin.ask(method, path, json=body).status_code for method, path, body in asked}
    assert {key: status for key, status in answers.items() if status not in (403, 404)} == {}
    assert target.operator.call("GET", ACME_CATALOG) == before
    saw(f"{len(asked)} of {len(asked)} refused")


def test_an_administrator_allows_restricted_runs(target: Target, saw: Saw) -> None:
    """400, whatever way the filter is written; an operator may (V2-1)."""
    allowed = {"restricted_runs_allowed": {"course:edX+1": ["course-v1:edX+1+1T"]}}
    said = {"content_filter": ["restricted_runs_allowed may be set by operators only."]}
    body = catalog(f"/{uuid4()}/", BRIGHT_UUID, "Bright", **allowed)
    admin = target.bright_admin
    for method, path, sent in (
        ("POST", "/api/v1/enterprise-catalogs/", body),
        ("PUT", BRIGHT_CATALOG, body),
        ("PATCH", BRIGHT_CATALOG, {"content_filter": body["content_filter"]}),
    ):
        answer = admin.ask(method, path, json=sent)
        assert (answer.status_code, answer.json()) == (400, said), (method, path)
    target.operator.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=body)
    saw("3 of 3 refused")


def test_an_administrator_looks_for_what_others_call_their_queries(target: Target, saw: Saw) -> None:
    """Titles and uuids of queries that others use are not told (CRUD-1, QRY-6)."""
    operator, admin = target.operator, target.bright_admin
    mine = catalog(f"/{uuid4()}/", ACME_UUID, "Acme", level_type="Introductory")
    mine["query_title"] = "Acme's plans for takeovers"
    operator.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=mine)
    secret = operator.call("GET", f"/api/v1/enterprise-catalogs/{mine['uuid']}/")
    assert secret["query_title"] == mine["query_title"]
    taken = catalog(f"/{uuid4()}/", BRIGHT_UUID, "Bright", level_type="Advanced", languages="French")
    refused = admin.ask("POST", "/api/v1/enterprise-catalogs/", json=taken | {"query_title": mine["query_title"]})
    assert refused.status_code in (400, 409)
    assert secret["catalog_query_uuid"] not in refused.text
    same = catalog(f"/{uuid4()}/", BRIGHT_UUID, "Bright", level_type="Introductory")
    shared = admin.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=same)
    assert shared["query_title"] is None
    assert admin.call("GET", f"/api/v1/enterprise-catalogs/{same['uuid']}/")["query_title"] is None
    saw(f"null, and {refused.status_code} without a uuid")
