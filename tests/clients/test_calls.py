"""
Each call of the table, made by the ecosystem's own client against the service as it is deployed (CLI-1 to CLI-15).

The service runs as processes with production settings on MariaDB and Redis. The sandbox is discovery and the LMS. Each
caller has an OAuth2 client there, and `OAuthAPIClient` of edx-rest-api-client gets its tokens from it. Browsers have
their users' tokens in cookies instead; here a client's token has the roles of such a user.
"""

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from edx_django_utils.cache import TieredCache
from edx_rest_api_client.auth import SuppliedJwtAuth
from edx_rest_api_client.client import OAuthAPIClient

from enterprise_catalog.sandbox.config import ACME_UUID, BRIGHT_UUID, CIVIC_UUID, ServiceUser
from enterprise_catalog.sandbox.sandbox import Sandbox
from tests.clients.calls import (
    ANYBODY,
    CALLS,
    CATALOG_ADMIN,
    CUSTOMER_ADMIN,
    LEARNER,
    OPERATOR,
    TYPES,
    Call,
)
from tests.contract.stand_in import AUDIENCE, ISSUER
from tests.sandbox_services import environment_for
from tests.whole_service import whole_service

pytestmark = pytest.mark.local_run

NOBODY = "user without a role"
ROLES = {
    OPERATOR: ["enterprise_openedx_operator:*"],
    CUSTOMER_ADMIN: [f"enterprise_admin:{ACME_UUID}"],
    CATALOG_ADMIN: [f"enterprise_catalog_admin:{ACME_UUID}"],
    LEARNER: [f"enterprise_learner:{ACME_UUID}"],
    NOBODY: [],
}
SECRET = "opens-the-sandbox-of-this-test-2f7c"
TIMEOUT = 30
EVERYTHING = {"content_type": ["course", "courserun", "program", "learnerpathway"]}
PATIENCE_SECONDS = 120
# What everybody with a token may read has no answer for callers without permission (PERM-8).
OPEN_TO_USERS = ("/api/v1/content-metadata/",)


class World:
    """A running service with a published catalog of everything, and the sessions of its callers."""

    def __init__(self, url: str, sandbox: Sandbox) -> None:
        self.url = url
        self.sandbox = sandbox
        # The client caches tokens by address, and an earlier sandbox may have had the same.
        TieredCache.dangerous_clear_all_tiers()
        self._sessions = {
            caller: OAuthAPIClient(f"{sandbox.url}/oauth2", client_id(caller), SECRET) for caller in ROLES
        }
        stored = self.published(EVERYTHING, title="Everything", customer=ACME_UUID, name="Acme Industries")
        query = self.ask(OPERATOR, "GET", f"/api/v1/catalog-queries/{stored['catalog_query_uuid']}/").json()
        self.values = self._content() | {
            "customer": ACME_UUID,
            "other_customer": BRIGHT_UUID,
            "third_customer": CIVIC_UUID,
            "catalog": stored["uuid"],
            "query": query["uuid"],
            "query_id": self.query_id(query["uuid"]),
            "hash": query["content_filter_hash"],
            "unknown_key": "edX+Unknown",
        }

    def ask(self, caller: str, method: str, path: str, **arguments: Any) -> requests.Response:
        return self._sessions[caller].request(method, self.url + path, timeout=TIMEOUT, **arguments)

    def catalog(
        self,
        content_filter: dict[str, Any],
        *,
        title: str,
        customer: str = BRIGHT_UUID,
        name: str = "Bright University",
    ) -> requests.Response:
        body = {
            "title": title,
            "enterprise_customer": customer,
            "enterprise_customer_name": name,
            "content_filter": content_filter,
            "enabled_course_modes": ["verified"],
            "publish_audit_enrollment_urls": False,
        }
        answer = self.ask(OPERATOR, "POST", "/api/v1/enterprise-catalogs/", json=body)
        answer.raise_for_status()
        return answer

    def published(self, content_filter: dict[str, Any], **fields: str) -> dict[str, Any]:
        """Return a new catalog after its first refresh."""
        answer = self.catalog(content_filter, **fields)
        deadline = time.monotonic() + PATIENCE_SECONDS
        path = f"/api/v1/refresh-runs/{answer.headers['X-Refresh-Run']}/"
        while (run := self.ask(OPERATOR, "GET", path).json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, run
            time.sleep(0.1)
        assert run["state"] == "published", run
        catalog: dict[str, Any] = answer.json()
        return catalog

    def query_id(self, uuid: str) -> int:
        """Return the id by which the legacy surface and the LMS know a query."""
        path = "/enterprise/api/v1/enterprise_catalog_query/"
        for page in range(1, 10):
            for query in self.ask(OPERATOR, "GET", path, params={"page": page}).json()["results"]:
                if query["uuid"] == uuid:
                    return int(query["id"])
        raise LookupError(uuid)

    def _content(self) -> dict[str, Any]:
        """Choose what the calls ask about from what discovery has."""
        courses = [self.sandbox.course_record(key) for key in self.sandbox.dataset.course_keys()]
        runs = {
            entry.content_key: self.sandbox.search_document("courserun", entry.content_key)
            for entry in self.sandbox.dataset.entries()
            if entry.identity.startswith("courserun:") and entry.restriction is None
        }
        course, run = next(
            (course["key"], run["key"])
            for course in courses
            for run in course["course_runs"]
            if course["additional_metadata"] is None and runs.get(run["key"], {}).get("has_enrollable_seats")
        )
        programs = [self.sandbox.search_document("program", uuid) for uuid in self.sandbox.dataset.program_uuids()]
        program = next(it["uuid"] for it in programs if it["is_program_eligible_for_one_click_purchase"])
        exec_ed = next(it for it in courses if it["additional_metadata"])
        keys = sorted({course, run, program} | {it["key"] for it in courses})
        return {
            "course": course,
            "run": run,
            "program": program,
            "exec_ed_course": exec_ed["key"],
            "exec_ed_run": next(it["key"] for it in exec_ed["course_runs"] if it["key"] in runs),
            "course_uuid_without_hyphens": self.sandbox.course_record(course)["uuid"].replace("-", ""),
            "fifty_keys": [course, run, program, *(key for key in keys if key not in (course, run, program))][:50],
            "hundred_keys": keys[:100],
        }


class Values(dict[str, Any]):
    """The values of one call; those that a call may use up are made when it names them."""

    def __init__(self, world: World) -> None:
        super().__init__(world.values)
        self._world = world

    def __missing__(self, name: str) -> Any:
        if name == "new_uuid":
            self[name] = str(uuid4())
        elif name == "content_filter":
            self[name] = {
                "content_type": "course",
                "aggregation_key": [f"course:{self['course']}", f"course:{uuid4()}"],
            }
        elif name == "spare":
            made = self._world.catalog(self["content_filter"], title="Spare").json()
            self[name], self["spare_query"] = made["uuid"], made["catalog_query_uuid"]
        elif name == "spare_query_id":
            self["spare"]
            self[name] = self._world.query_id(self["spare_query"])
        else:
            raise KeyError(name)
        return self[name]

    def fill(self, value: Any) -> Any:
        """Return the value with what stands for the names in braces."""
        if isinstance(value, str):
            alone = re.fullmatch(r"\{(\w+)\}", value)
            return self[alone[1]] if alone else value.format_map(self)
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return [self.fill(item) for item in value] if isinstance(value, list) else value


def client_id(caller: str) -> str:
    return caller.replace(" ", "_")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    users = [
        ServiceUser(client_id=client_id(caller), client_secret=SECRET, username=client_id(caller), roles=roles)
        for caller, roles in ROLES.items()
    ]
    with (
        Sandbox(courses=120, programs=6, pathways=2, issuer=ISSUER, audience=AUDIENCE, service_users=users) as sandbox,
        whole_service(variables=environment_for(sandbox), directory=tmp_path_factory.mktemp("calls")) as service,
    ):
        yield World(service.url, sandbox)


def made(world: World, call: Call, values: Values, session: requests.Session | None = None, caller: str = "") -> Any:
    arguments = {
        "params": values.fill(call.params),
        "json": values.fill(call.body),
        "data": call.form,
        "headers": {"Accept": call.accept} if call.accept else {},
    }
    path = values.fill(call.path)
    if session is not None:
        return session.request(call.method, world.url + path, timeout=TIMEOUT, **arguments)
    return world.ask(caller or call.caller, call.method, path, **arguments)


def elements(answer: Any, where: str) -> list[dict[str, Any]]:
    """Return the objects at a place: `results[]`, `results[course].course_runs[]`, `normalized_metadata_by_run.{}`."""
    found = [answer]
    for part in where.split(".") if where else ():
        if part == "{}":
            found = [value for it in found for value in it.values()]
            continue
        name, _, chosen = part.partition("[")
        found = [it[name] for it in found]
        if chosen:
            found = [value for it in found for value in it or ()]
        if kind := chosen.rstrip("]"):
            found = [it for it in found if it["content_type"] == kind]
    return found


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_call_finds_each_field_that_it_reads(world, call):
    values = Values(world)
    answer = made(world, call, values, requests.Session() if call.caller == ANYBODY else None)
    assert answer.status_code == call.status, answer.text
    if call.status == requests.codes.no_content:
        assert not answer.content
    elif call.answer is bytes:
        page = ET.fromstring(answer.content)
        assert page.findtext("results/list-item/title")
    else:
        content = answer.json()
        assert isinstance(content, call.answer)
        for where, names in call.reads.items():
            objects = elements(content, where)
            assert objects, where
            for it in objects:
                assert not {name: it.get(name, "missing") for name in names.split() if not fits(it, name)}, where
        expected = values.fill(dict(call.gives))
        assert {name: content[name] for name in expected} == expected


def fits(it: dict[str, Any], name: str) -> bool:
    """Return whether a client can read the field. A name that ends in `?` may be null."""
    types = TYPES[name.removesuffix("?")] + ((type(None),) if name.endswith("?") else ())
    return name.removesuffix("?") in it and isinstance(it[name.removesuffix("?")], types)


@pytest.mark.parametrize("call", [call for call in CALLS if call.caller != ANYBODY], ids=str)
def test_an_error_never_reads_as_an_answer(world, call):  # ERR-1, AUTH-3
    """Clients that do not look at the status find none of their fields, and one object with the reason."""
    values = Values(world)
    bad_token = requests.Session()
    bad_token.auth = SuppliedJwtAuth("eyJhbGciOiJub25lIn0.e30.")
    answers = {401: made(world, call, values, bad_token)}
    if not call.path.startswith(OPEN_TO_USERS):
        answers[403] = made(world, call, values, caller=NOBODY)
    if "{catalog}" in call.path or "{spare}" in call.path:
        unknown = Values(world)
        unknown["catalog"] = unknown["spare"] = str(UUID(int=1))
        answers[404] = made(world, call, unknown)
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        content = (
            {element.tag: element.text for element in ET.fromstring(answer.content)} if call.accept else answer.json()
        )
        assert content.keys() == {"detail"}
        assert isinstance(content["detail"], str)


def test_a_catalog_without_content_orders_no_deletion(world):  # CLI-5, DIFF-1
    """The exporter deletes what a 200 does not find; an error ends the export."""
    marker = f"edX+Never{uuid4().hex}"
    world.sandbox.add_fault(endpoint="search", contains=marker, status=503)
    catalog = world.catalog({"aggregation_key": [f"course:{marker}"]}, title="Never published").json()
    path = f"/api/v1/enterprise-catalogs/{catalog['uuid']}/generate_diff/"
    answer = world.ask(OPERATOR, "POST", path, json={"content_keys": [world.values["course"]]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert answer.json().keys() == {"detail"}
