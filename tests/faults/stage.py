"""Start the whole service with a published catalog, servers that can be stopped, and an operator."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import MySQLdb
import requests

from enterprise_catalog.sandbox.config import ACME_UUID
from enterprise_catalog.sandbox.sandbox import Sandbox
from scripts.services import DATABASE, MariaDB, Services
from tests.contract.session import Session
from tests.faults.conftest import eventually
from tests.sandbox_services import environment_for
from tests.whole_service import WholeService, whole_service

CATALOG = "/api/v1/enterprise-catalogs/7467c9d2-433c-4f7e-ba2e-c5c7798527b2/"
COURSES = {
    "title": "All courses",
    "enterprise_customer": ACME_UUID,
    "enterprise_customer_name": "Acme",
    "enabled_course_modes": ["verified"],
    "publish_audit_enrollment_urls": False,
    "content_filter": {"content_type": "course"},
}
# Room for a page that takes five seconds.
TIMES = {"LEASE_SECONDS": "12", "TICK_SECONDS": "1", "DATABASE_READ_TIMEOUT_SECONDS": "3"}
PAGE_SECONDS = 5


@dataclass
class Stage:
    """The service, its discovery, and an operator."""

    service: WholeService
    sandbox: Sandbox
    operator: Session

    @property
    def servers(self) -> Services:
        return self.service.services

    def status(self, method: str, path: str) -> int:
        """Return the status of a request, or 0 without a response."""
        with suppress(requests.RequestException):
            return self.operator.ask(method, path).status_code
        return 0

    def refresh(self) -> str:
        run: str = self.operator.call("POST", f"{CATALOG}refresh_metadata/")["async_task_id"]
        return run

    def refresh_in_the_middle(self) -> str:
        """Request a refresh, and return when a worker waits for its second page."""
        fault = self.sandbox.add_fault(endpoint="search", page=2, delay=PAGE_SECONDS, times=1)
        run = self.refresh()
        eventually(lambda: self.sandbox.fault_applied(fault) == 1)
        return run

    def run(self, uuid: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.operator.call("GET", f"/api/v1/refresh-runs/{uuid}/")
        return answer

    def is_published(self, uuid: str) -> bool:
        return self.run(uuid)["state"] == "published"

    def admin(self, server: MariaDB | None = None) -> MySQLdb.Connection:
        """Run a statement with rights that the service does not have."""
        server = server or self.servers.mariadb
        return MySQLdb.connect(host="127.0.0.1", port=server.port, user=DATABASE, password=server.password)

    def reads(self) -> set[int]:
        """Send several reads of each kind, so that every thread of every process gets some."""
        paths = (CATALOG, f"{CATALOG}get_content_metadata/", f"{CATALOG}contains_content_items/?course_run_ids=a")
        return {self.status("GET", path) for path in paths * 6}


def service_variables(sandbox: Sandbox) -> dict[str, str]:
    return environment_for(sandbox) | TIMES | {"DISCOVERY_PAGE_SIZE": "10"}


def operator_of(service: WholeService, sandbox: Sandbox) -> Session:
    token = sandbox.token(username="operator", roles=["enterprise_openedx_operator:*"], lifetime=36000)
    return Session(service.url, token)


@contextmanager
def staged(directory: Path, *, replicated: bool = False) -> Iterator[Stage]:
    with Sandbox(courses=30, programs=2) as sandbox:
        with whole_service(variables=service_variables(sandbox), directory=directory, replicated=replicated) as service:
            stage = Stage(service, sandbox, operator_of(service, sandbox))
            body = COURSES | {"uuid": CATALOG.split("/")[-2]}
            stage.operator.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=body)
            eventually(lambda: stage.operator.call("GET", CATALOG)["content_freshness"] == "fresh")
            yield stage
