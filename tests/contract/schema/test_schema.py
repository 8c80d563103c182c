"""
The OpenAPI document is true: what it allows is answered as it says, and what it forbids is refused (SURF-4).

Nothing that Schemathesis generates is a server error (ERR-8). The whole service is tested, with published catalogs. For
more requests, when the API changes:

    SCHEMA_EXAMPLES=1000 python -m pytest tests/contract/schema
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from enterprise_catalog.sandbox.config import sample_customers
from enterprise_catalog.sandbox.sandbox import Sandbox
from scripts.sample_data import Client
from tests.contract.schema import hooks
from tests.contract.schema.population import populate
from tests.contract.stand_in import AUDIENCE, ISSUER
from tests.sandbox_services import environment_for
from tests.whole_service import whole_service

pytestmark = pytest.mark.local_run

HOOKS = Path(hooks.__file__)
EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "15"))
OPERATOR = "enterprise_openedx_operator:*"


@dataclass(frozen=True)
class Service:
    url: str
    sandbox: Sandbox
    # With the lists of what exists.
    directory: Path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("schema")
    shutil.copy(HOOKS.with_name("schemathesis.toml"), directory)
    with (
        Sandbox(courses=30, programs=3, pathways=2, issuer=ISSUER, audience=AUDIENCE) as sandbox,
        whole_service(variables=environment_for(sandbox), directory=directory) as running,
    ):
        operator = sandbox.token(username="olivia", roles=[OPERATOR])
        populate(Client(running.url, operator), sandbox).write(directory)
        yield Service(running.url, sandbox, directory)


def ask(service: Service, *arguments: str, roles: list[str] | None = None) -> None:
    """Run Schemathesis with these roles, or without a token, and fail with its output."""
    if roles is not None:
        token = service.sandbox.token(username="sam", roles=roles)
        arguments = ("--header", f"Authorization: JWT {token}", *arguments)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", "schemathesis.toml"),
            *("run", f"{service.url}/api/schema/", "--checks", "all", "--no-color", *arguments),
        ],
        cwd=service.directory,
        env=os.environ | {"SCHEMA_HOOKS": str(HOOKS), "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-50_000:] + done.stderr)
    assert done.returncode == 0


def test_for_operators(service):  # SURF-4, ERR-8
    ask(service, "--max-examples", str(EXAMPLES), roles=[OPERATOR])


def test_for_a_customers_admin(service):
    """What is another customer's is refused as the document says (PERM-1 to PERM-13)."""
    roles = [f"enterprise_admin:{sample_customers()[0]['uuid']}"]
    ask(service, "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), roles=roles)


def test_for_nobody(service):
    """Refused before anything is looked at, so that nothing has to be covered (AUTH-7)."""
    ask(service, "--phases", "fuzzing", "--max-examples", str(EXAMPLES))
