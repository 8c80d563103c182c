"""Create published catalogs over HTTP for the tests of the OpenAPI document."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from enterprise_catalog.sandbox.config import sample_customers
from enterprise_catalog.sandbox.sandbox import Sandbox
from scripts.sample_data import SAMPLES, Client, provision

# Enough that a run of the tests never changes or deletes all of them.
_SPARE_CATALOGS = 20


@dataclass(frozen=True)
class Population:
    """The identifiers of existing objects, by kind."""

    catalogs: list[str]
    spare_catalogs: list[str]
    customers: list[str]
    runs: list[str]
    queries: list[str]
    hashes: list[str]
    keys: list[str]

    def write(self, directory: Path) -> None:
        """Write the lists that Schemathesis reads."""
        for kind, names in vars(self).items():
            (directory / f"{kind}.txt").write_text("".join(f"{json.dumps(name)}\n" for name in names))


def populate(client: Client, sandbox: Sandbox) -> Population:
    customers = list(sample_customers())
    provision(client, customers, still_alive=lambda: None)
    catalogs = [sample.uuid for sample in SAMPLES]
    queries = client.call("GET", "/api/v1/catalog-queries/").json()["results"]
    runs = [client.call("POST", f"/api/v1/enterprise-catalogs/{uuid}/refresh_metadata/").json() for uuid in catalogs]
    return Population(
        catalogs=catalogs,
        spare_catalogs=[_spare(client, number, customer=customers[0]["uuid"]) for number in range(_SPARE_CATALOGS)],
        customers=[customer["uuid"] for customer in customers],
        runs=[run["async_task_id"] for run in runs],
        queries=[query["uuid"] for query in queries],
        hashes=[query["content_filter_hash"] for query in queries],
        keys=[*sandbox.dataset.course_keys()[:10], *_run_keys(sandbox)[:10], *sandbox.dataset.program_uuids()[:3]],
    )


def _spare(client: Client, number: int, *, customer: str) -> str:
    uuid = str(UUID(int=number + 1))
    client.call(
        "POST",
        "/api/v1/enterprise-catalogs/",
        json={
            "uuid": uuid,
            "title": f"Spare {number}",
            "enterprise_customer": customer,
            "enterprise_customer_name": "Acme Industries",
            "enabled_course_modes": ["verified"],
            "publish_audit_enrollment_urls": False,
            "content_filter": SAMPLES[0].content_filter,
        },
    )
    return uuid


def _run_keys(sandbox: Sandbox) -> list[str]:
    return [run.key for course in sandbox.dataset.courses.values() for run in course.visible_runs]
