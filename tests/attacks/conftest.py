"""
Start the service under attack: web, worker and beat as in docs/deployment.rst, with MariaDB, Redis and a sandbox.

All attacks meet the same processes, so if one breaks them, the next one fails.
"""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import MySQLdb
import pytest
import requests

from enterprise_catalog.sandbox.config import ACME_UUID, BRIGHT_UUID
from enterprise_catalog.sandbox.sandbox import Sandbox
from scripts.services import DATABASE
from tests.contract.session import Session
from tests.faults.conftest import eventually
from tests.outcome_lines import *  # noqa: F403
from tests.sandbox_services import environment_for
from tests.whole_service import WholeService, whole_service

# Some seven MB in one answer: more than the kernel keeps for a client that does not read.
COURSES = 400
ACME_CATALOG = "/api/v1/enterprise-catalogs/7467c9d2-433c-4f7e-ba2e-c5c7798527b2/"
BRIGHT_CATALOG = "/api/v1/enterprise-catalogs/0d1c8a52-2f0e-4f6e-8f3e-5d1b7a6c9e02/"
SUPERUSER = "chief"
PASSWORD = "correct horse battery staple 4711"
METRICS_TOKEN = "q8Zt3Lw0-Vx5Rk2Ns7Yb9Hd4Gf6Jm1Pc"
ADMIN_ROLE, LEARNER_ROLE, OPERATOR_ROLE = "enterprise_admin", "enterprise_learner", "enterprise_openedx_operator:*"


@dataclass(frozen=True)
class Target:
    service: WholeService
    sandbox: Sandbox
    directory: Path

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.service.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def token(self, username: str, *roles: str, **claims: object) -> str:
        return self.sandbox.token(username=username, roles=roles, lifetime=36000, **claims)

    def caller(self, username: str, *roles: str) -> Session:
        """A caller with a token of the LMS."""
        return Session(self.service.url, self.token(username, *roles))

    @property
    def operator(self) -> Session:
        return self.caller("operator", OPERATOR_ROLE)

    @property
    def acme_admin(self) -> Session:
        return self.caller("acme-admin", f"{ADMIN_ROLE}:{ACME_UUID}")

    @property
    def bright_admin(self) -> Session:
        return self.caller("bright-admin", f"{ADMIN_ROLE}:{BRIGHT_UUID}")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        """Send a GET with no credentials but those in the headers."""
        secure = {"X-Forwarded-Proto": "https"}
        return requests.get(self.service.url + path, headers=secure | dict(headers or {}), timeout=30)

    def manage(self, *command: str) -> None:
        self.service.run("python", "manage.py", *command)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of the service's database."""
        mariadb = self.service.services.mariadb
        connection = MySQLdb.connect(
            host="127.0.0.1", port=mariadb.port, user=DATABASE, password=mariadb.password, database=DATABASE
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def signed_in(self, name: str, password: str) -> requests.Session:
        """Return a browser in which somebody signed in to the admin by password."""
        answer = self.sign_in(name, password)
        assert answer.status_code == 302, answer.text
        token, session = answer.cookies["csrftoken"], answer.cookies["sessionid"]
        browser = requests.Session()
        browser.headers.update(
            self._browser_headers(f"csrftoken={token}; sessionid={session}") | {"X-CSRFToken": token}
        )
        return browser

    def sign_in(self, name: str, password: str, **headers: str) -> requests.Response:
        """Try to sign in on the page, as a browser does behind TLS."""
        page = self.get("/admin/login/")
        token = page.cookies["csrftoken"]
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
        return requests.post(
            f"{self.service.url}/admin/login/",
            data=form,
            # The cookies are for https alone, so they are sent by hand.
            headers=self._browser_headers(f"csrftoken={token}") | headers,
            timeout=30,
            allow_redirects=False,
        )

    def post_form(self, path: str, csrf_token: str) -> requests.Response:
        """Send a form without fields, as an anonymous browser does."""
        return requests.post(
            self.service.url + path,
            data={"csrfmiddlewaretoken": csrf_token},
            headers=self._browser_headers(f"csrftoken={csrf_token}"),
            timeout=30,
            allow_redirects=False,
        )

    def create_superuser(self, name: str, password: str) -> int:
        """Run the command and return its exit code."""
        environment = {**self.service.environment, "DJANGO_SUPERUSER_PASSWORD": password}
        command = ["createsuperuser", "--noinput", "--username", name, "--email", f"{name}@example.org"]
        done = subprocess.run(["python", "manage.py", *command], env=environment, capture_output=True, check=False)
        return done.returncode

    def _browser_headers(self, cookies: str) -> dict[str, str]:
        return {"X-Forwarded-Proto": "https", "Referer": "https://{}:{}/".format(*self.address), "Cookie": cookies}

    def logs(self) -> dict[str, str]:
        return {name: (self.directory / name).read_text() for name in ("web", "worker", "beat")}

    def must_serve(self) -> int:
        """Check that reads, containment and a write of other callers work as usual, and return their number."""
        admin = self.acme_admin
        assert admin.ask("GET", ACME_CATALOG).status_code == 200
        assert admin.ask("GET", f"{ACME_CATALOG}get_content_metadata/").status_code == 200
        contains = admin.call("GET", f"{ACME_CATALOG}contains_content_items/?course_run_ids=none")
        assert contains == {"contains_content_items": False}
        assert admin.ask("PATCH", ACME_CATALOG, json={"title": "All courses"}).status_code == 200
        return 4


def catalog(path: str, customer: str, name: str, **content_filter: object) -> dict[str, object]:
    return {
        "uuid": path.split("/")[-2],
        "title": f"Courses of {name}",
        "enterprise_customer": customer,
        "enterprise_customer_name": name,
        "enabled_course_modes": ["verified"],
        "publish_audit_enrollment_urls": False,
        "content_filter": {"content_type": "course", **content_filter},
    }


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("attacked")
    with Sandbox(courses=COURSES, programs=2) as sandbox:
        variables = environment_for(sandbox) | {
            "METRICS_TOKEN": METRICS_TOKEN,
            "TICK_SECONDS": "1",
            "SOCIAL_AUTH_EDX_OAUTH2_KEY": sandbox.config.sign_in_client_id,
            "SOCIAL_AUTH_EDX_OAUTH2_SECRET": sandbox.config.sign_in_client_secret,
        }
        with whole_service(variables=variables, directory=directory) as service:
            attacked = Target(service, sandbox, directory)
            assert attacked.create_superuser(SUPERUSER, PASSWORD) == 0
            for body in (
                catalog(ACME_CATALOG, ACME_UUID, "Acme"),
                catalog(BRIGHT_CATALOG, BRIGHT_UUID, "Bright", level_type="Advanced"),
            ):
                attacked.operator.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=body)
            for path in (ACME_CATALOG, BRIGHT_CATALOG):
                eventually(lambda: attacked.operator.call("GET", path)["content_freshness"] == "fresh", patience=120)  # noqa: B023
            yield attacked
