"""What an operator decides about a held run over HTTP (RUN-6, REFR-10)."""

from uuid import uuid4

import pytest

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, client_for, learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish
from enterprise_catalog.testing.documents import course_document

pytestmark = pytest.mark.django_db

KEYS = [f"edX+{number:02}" for number in range(12)]


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """Twelve courses are published; a run that found the first alone is held."""
    catalog = make_catalog(*KEYS)
    publish(catalog.catalog_query, course_document(KEYS[0]))
    return catalog


def held_run() -> str:
    return f"/api/v1/refresh-runs/{RefreshRun.objects.get(state='held').uuid}/"


def members(catalog: EnterpriseCatalog) -> list[str]:
    diff = learner().post(path_of(catalog, "generate_diff/"), {"content_keys": []}).json()
    return [item["content_key"] for item in diff["items_not_included"]]


def test_approving_publishes_exactly_the_held_set(catalog):  # RUN-6, REFR-10
    path = held_run()
    response = operator().post(f"{path}approve/")
    assert response.status_code == 200
    assert response.json() == operator().get(path).json()
    assert (response.json()["state"], response.json()["reason"]) == ("published", None)
    assert response.json()["counts"]["removed"] == 11
    assert members(catalog) == KEYS[:1]


def test_rejecting_leaves_readers_what_they_have(catalog):  # RUN-6, REFR-10
    response = operator().post(f"{held_run()}reject/")
    assert (response.status_code, response.json()["state"]) == (200, "failed")
    assert response.json()["reason"] == {"code": "rejected", "detail": "An operator rejected the result."}
    assert members(catalog) == KEYS


@pytest.mark.parametrize("again", ["approve", "reject"])
def test_a_run_is_decided_once(catalog, again):  # RUN-6, ERR-5
    path = held_run()
    operator().post(f"{path}reject/")
    response = operator().post(f"{path}{again}/")
    assert response.status_code == 409
    assert response.json() == {"detail": "Only a held run can be approved or rejected."}
    assert members(catalog) == KEYS


def test_what_answers_an_old_filter_cannot_be_approved(catalog):  # REFR-10
    path = held_run()
    rewritten = {"content_filter": {"content_type": "program"}, "catalog_query_uuid": catalog.catalog_query.uuid}
    assert operator().patch(path_of(catalog), rewritten).status_code == 200
    response = operator().post(f"{path}approve/")
    assert (response.status_code, list(response.json())) == (409, ["detail"])
    assert members(catalog) == KEYS


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_only_operators_decide(catalog, decision):  # RUN-6, ROLE-6, ROLE-7
    callers = [admin(), learner(), client_for("paul", "enterprise_provisioning_admin:*"), client_for("nora")]
    for caller in callers:
        response = caller.post(f"{held_run()}{decision}/")
        assert response.status_code == 403
        assert response.json() == {"detail": "You do not have permission to perform this action."}
    assert members(catalog) == KEYS


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.parametrize("run_id", [uuid4(), "x"])
def test_an_unknown_run(decision, run_id):  # RUN-5, AUTH-9
    for caller in (operator(), admin(CUSTOMER_UUID)):
        response = caller.post(f"/api/v1/refresh-runs/{run_id}/{decision}/")
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_a_body_is_neither_needed_nor_read(catalog):  # RUN-6, COM-15
    response = operator().post(f"{held_run()}reject/", "{", content_type="application/json")
    assert response.status_code == 200
