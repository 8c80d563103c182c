"""Everything that can be sent has a limit, and so has what an answer repeats of it (COM-16)."""

from typing import Any
from uuid import uuid4

import pytest

from enterprise_catalog.sandbox.config import ACME_UUID
from tests.attacks.conftest import ACME_CATALOG, OPERATOR_ROLE, Target, catalog
from tests.outcome_lines import Saw

pytestmark = pytest.mark.attack

MANY = [f"edX+{number}" for number in range(60_000)]


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


def test_bodies_beyond_every_bound(target: Target, saw: Saw) -> None:
    """400 or 413, a short answer, and nothing is written (COM-16)."""
    before = target.operator.call("GET", ACME_CATALOG)
    rows = target.rows("SELECT COUNT(*) FROM catalog_historicalenterprisecatalog")
    asked: list[tuple[str, str, Any]] = [
        ("PATCH", ACME_CATALOG, {"title": "x" * 300}),
        ("PATCH", ACME_CATALOG, {"title": "x" * 4_000_000}),
        ("PATCH", ACME_CATALOG, {"enabled_course_modes": [f"m{number}" for number in range(21)]}),
        ("PATCH", ACME_CATALOG, {"enabled_course_modes": ["x" * 33]}),
        ("PATCH", ACME_CATALOG, {"enabled_course_modes": ["verified"] * 100_000}),
        ("PATCH", ACME_CATALOG, {"content_filter": {"key": "x" * 1_100_000}}),
        ("PATCH", ACME_CATALOG, {"content_filter": nested(11)}),
        ("PATCH", ACME_CATALOG, {"content_filter": nested(900)}),
        ("PATCH", ACME_CATALOG, {"query_title": "x" * 3000}),
        ("PATCH", ACME_CATALOG, {"catalog_query_uuid": "x" * 1_000_000}),
        ("PATCH", ACME_CATALOG, {"enterprise_customer": "x" * 1_000_000}),
        ("PATCH", ACME_CATALOG, {"enterprise_customer_name": "x" * 1_000_000}),
        ("POST", f"{ACME_CATALOG}get_content_metadata/", {"content_keys": MANY[:1001]}),
        ("POST", f"{ACME_CATALOG}generate_diff/", {"content_keys": MANY[:50_001]}),
        ("POST", f"{ACME_CATALOG}contains_content_items/", {"course_run_ids": MANY[:1001]}),
        (
            "POST",
            f"/api/v1/enterprise-customer/{ACME_UUID}/filter_content_items/",
            {"content_keys": MANY[:10_001], "catalog_uuids": []},
        ),
        ("POST", "/api/v1/distinct-catalog-queries/", {"enterprise_catalog_uuids": [ACME_UUID] * 10_001}),
        ("PATCH", ACME_CATALOG, {"title": "x" * 5_300_000}),
    ]
    admin = target.operator
    answers = [admin.ask(method, path, json=body) for method, path, body in asked]
    assert [answer.status_code for answer in answers if answer.status_code not in (400, 413)] == []
    assert max(len(answer.content) for answer in answers) < 5_000
    assert target.operator.call("GET", ACME_CATALOG) == before
    assert target.rows("SELECT COUNT(*) FROM catalog_historicalenterprisecatalog") == rows
    saw(f"{len(asked)} of {len(asked)} refused")


def named_by_a_warning(key: str) -> dict[str, object]:
    """A catalog whose filter has a key of which a header of the answer warns."""
    return catalog(f"/{uuid4()}/", ACME_UUID, "Acme", **{key: {"nested": "value"}})


def test_requests_that_want_to_be_repeated(target: Target, saw: Saw) -> None:
    """Headers and messages that name something of the request are cut (COM-16)."""
    token = {"Authorization": f"JWT {target.token('operator', OPERATOR_ROLE)}"}
    long = "x" * 7000
    ignored = "&".join(f"{'x' * 100}{number}=1" for number in range(60))
    answers = [
        target.get(f"{ACME_CATALOG}get_content_metadata/?{long}=1", token),
        # The legacy surface names the parameters that it ignores.
        target.get(f"/enterprise/api/v1/enterprise_catalogs/{ACME_CATALOG.split('/')[-2]}/?{ignored}", token),
        target.get(f"{ACME_CATALOG}contains_content_items/?course_run_ids={long}", token),
        target.get(f"{ACME_CATALOG}get_content_metadata/?page={long}", token),
        target.get(f"{ACME_CATALOG}?format={long}", token),
        target.get(ACME_CATALOG, token | {"X-Request-ID": long}),
        target.get(ACME_CATALOG, token | {"Accept": f"{long}/x"}),
        target.get(f"/api/v1/enterprise-catalogs/?enterprise_customer={long}", token),
        target.get(f"/api/v1/{long}/", token),
        target.operator.ask("POST", "/api/v1/enterprise-catalogs/", data=long),
        target.operator.ask("PATCH", ACME_CATALOG, json={"publish_audit_enrollment_urls": long}),
        target.operator.ask("PATCH", ACME_CATALOG, json={"content_filter": {"content_type": long}}),
        target.operator.ask("POST", "/api/v1/enterprise-catalogs/", json=named_by_a_warning(long)),
    ]
    for answer in answers:
        assert max(map(len, answer.headers.values())) <= 1003, (answer.url[:200], answer.headers)
        if answer.status_code >= 400:
            assert len(answer.content) < 3000, answer.url[:200]
        assert answer.status_code < 500
    longest = max(max(map(len, answer.headers.values())) for answer in answers)
    saw(f"{len(answers)} answers, the longest header has {longest} characters")


def test_a_filter_that_is_changed_a_hundred_times(target: Target, saw: Saw) -> None:
    """The history grows no faster than the catalog it describes (COM-16)."""
    uuid = str(uuid4())
    path = f"/api/v1/enterprise-catalogs/{uuid}/"
    body = catalog(path, ACME_UUID, "Acme", level_type=["x" * 1000 for _ in range(500)])
    admin = target.operator
    admin.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=body)
    for number in range(100):
        admin.call("PATCH", path, json={"title": f"Large {number}", "query_title": f"Query {number}"})
    (kept,) = target.rows(
        "SELECT COUNT(*) FROM catalog_historicalenterprisecatalog WHERE uuid = %s", uuid.replace("-", "")
    )
    ((size,),) = target.rows("SELECT COALESCE(SUM(LENGTH(content_filter)), 0) FROM catalog_historicalcatalogquery")
    assert kept[0] <= 52
    assert size < 10 * 500_000
    admin.ask("DELETE", path)
    saw(f"{kept[0]} rows of history, {float(size) / 1e6:.1f} MB of filters in all histories of queries")
