"""
Random requests of several callers, compared one by one with a model of the rules.

Requirements: QRY-1 to QRY-9, CRUD-4 to CRUD-9, PERM-2 to PERM-4, PERM-20. Now and then everything that can be listed is
compared, too (PERM-9, PERM-10).
"""

import random
from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from enterprise_catalog.testing.callers import client_for
from enterprise_catalog.testing.catalogs import CATALOGS
from tests.contract.query_model import Answer, Caller, Model

pytestmark = pytest.mark.django_db

STEPS = 200
STEPS_BETWEEN_LISTS = 15
ACME, GLOBEX = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "ab")
QUERIES = "/api/v1/catalog-queries/"

CALLERS = {
    "operator": (["enterprise_openedx_operator:*"], Caller(edits_all=True, sees_all=True)),
    "provisioning": (["enterprise_provisioning_admin:*"], Caller(edits_all=True)),
    "acme": ([f"enterprise_admin:{ACME}"], Caller(frozenset([ACME]))),
    "globex": ([f"enterprise_admin:{GLOBEX}"], Caller(frozenset([GLOBEX]))),
    "both": ([f"enterprise_admin:{it}" for it in (ACME, GLOBEX)], Caller(frozenset([ACME, GLOBEX]))),
}


class Requests:
    """Generates requests from few values, so that they meet, and now and then a new filter."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.catalogs, self.names = ([str(UUID(int=self.random.getrandbits(128))) for _ in range(6)] for _ in range(2))
        self.filters = [{"partner": "0"}]

    def next(self, model: Model) -> tuple[str, str, str, dict[str, Any] | None]:
        """Return caller, method, uuid of the catalog and body."""
        caller = self.random.choice(["operator", "provisioning", "both", *["acme", "globex"] * 3])
        method = self.random.choice([*["post", "put", "patch"] * 3, "delete"])
        uuid = self.random.choice(self.catalogs)
        return caller, method, uuid, None if method == "delete" else self.body(model, caller, uuid, method)

    def body(self, model: Model, caller: str, uuid: str, method: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "title": self.random.choice(["One", "Other"]),
            "enterprise_customer": self.random.choice([GLOBEX, *[GLOBEX if caller == "globex" else ACME] * 4]),
            "enterprise_customer_name": "Acme, Inc.",
            "enabled_course_modes": ["verified"],
            "publish_audit_enrollment_urls": False,
        }
        catalog = model.catalogs.get(uuid)
        if catalog and self.random.random() < 0.7:
            # Somebody who knows the catalog, and saves it (again).
            body |= catalog.values
        body["content_filter"] = self.random.choice([self.new_filter(), *self.filters[-4:]])
        if method == "patch":
            body = {name: value for name, value in body.items() if self.random.random() < 0.4}
        known = [query.uuid for query in model.queries[-6:]]
        body["catalog_query_uuid"] = self.random.choice([*[None] * 4, *self.random.sample(self.names, 2), *known])
        body["query_title"] = self.random.choice([*[None] * 3, "Courses", "Programs", "All"])
        return body

    def new_filter(self) -> dict[str, str]:
        if self.random.random() < 0.5:
            self.filters.append({"partner": str(len(self.filters))})
        return self.filters[-1]


def answer_of(client: APIClient, method: str, uuid: str, body: dict[str, Any] | None) -> Answer:
    if method == "post":
        response = client.post(CATALOGS, (body or {}) | {"uuid": uuid})
    else:
        response = getattr(client, method)(f"{CATALOGS}{uuid}/", body)
    return response.status_code, response.json() if response.content else None


def expected_answer(model: Model, caller: Caller, method: str, uuid: str, body: dict[str, Any] | None) -> Answer:
    if body is None:
        return model.delete(caller, uuid)
    return (model.create if method == "post" else model.change)(caller, uuid, body)


def compare_lists(model: Model, clients: dict[str, APIClient]) -> None:
    for name, (_, caller) in CALLERS.items():
        listed = clients[name].get(f"{CATALOGS}?page_size=100").json()["results"]
        expected = [uuid for uuid, it in model.catalogs.items() if caller.reaches(it.values["enterprise_customer"])]
        shown = {it["uuid"]: (it["catalog_query_uuid"], it["query_title"]) for it in listed}
        queries_of = {uuid: model.catalogs[uuid].query for uuid in expected}
        assert shown == {uuid: (it.uuid, model.title_for(caller, it)) for uuid, it in queries_of.items()}
        if name != "provisioning":
            queries = clients[name].get(f"{QUERIES}?page_size=100").json()["results"]
            shown = {it["uuid"]: (it["title"], it["content_filter"]) for it in queries}
            visible = [it for it in model.queries if model.may_see(caller, it)]
            assert shown == {it.uuid: (model.title_for(caller, it), it.content_filter) for it in visible}


@pytest.mark.parametrize("seed", ["1", "2", "3", "6", "11"])
def test_every_answer_is_the_one_the_rules_give(seed):
    requests, model = Requests(seed), Model()
    clients = {name: client_for(name, *roles) for name, (roles, _) in CALLERS.items()}
    history = []
    for step in range(STEPS):
        name, method, uuid, body = request = requests.next(model)
        history.append(request)
        status, answer = answer_of(clients[name], method, uuid, body)
        expected_status, expected = expected_answer(model, CALLERS[name][1], method, uuid, body)
        if expected_status in (200, 201):
            query = model.catalogs[uuid].query
            if query.uuid is None:
                # The service chose one; nobody else has it.
                query.uuid = answer["catalog_query_uuid"]
                assert [it.uuid for it in model.queries].count(query.uuid) == 1
                expected["catalog_query_uuid"] = query.uuid
            answer = {field: answer[field] for field in expected}
        assert (status, answer) == (expected_status, expected), history
        if step % STEPS_BETWEEN_LISTS == 0:
            compare_lists(model, clients)
    compare_lists(model, clients)
