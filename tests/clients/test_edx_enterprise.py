"""
The released edx-enterprise against the running service: its client, its models, whose saves call it, and its exporters.

Requirements: CLI-1 to CLI-9, CLI-14, SYNC-1 to SYNC-5. Services that release no package are tested by their calls.

The tests are in tests/clients/lms and run in an environment of their own, because the package requires a whole LMS's
packages. Here the service is started for them, with production settings, and the sandbox as discovery and LMS.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from enterprise_catalog.sandbox.sandbox import Sandbox
from tests.clients import lms
from tests.contract.stand_in import AUDIENCE, ISSUER
from tests.contract.test_deployment_files import ROOT
from tests.sandbox_services import environment_for
from tests.whole_service import whole_service

PYTHON = ROOT / ".venv-clients" / "bin" / "python"
LMS_TESTS = Path(lms.__file__).parent

pytestmark = [
    pytest.mark.local_run,
    # CI never passes without it.
    pytest.mark.skipif(not PYTHON.exists() and "CI" not in os.environ, reason="make test makes its environment"),
    pytest.mark.skipif(sys.version_info >= (3, 13), reason="edx-enterprise does not start there: PGPy needs imghdr"),
]
# The client itself waits for ever.
PATIENCE_SECONDS = 900


@pytest.fixture
def lms_sandbox() -> Iterator[Sandbox]:
    with Sandbox(courses=400, programs=40, pathways=5, issuer=ISSUER, audience=AUDIENCE) as sandbox:
        yield sandbox


def test_the_released_package(lms_sandbox, tmp_path):
    with whole_service(variables=environment_for(lms_sandbox), directory=tmp_path) as service:
        done = subprocess.run(
            [str(PYTHON), "-m", "pytest", "-c", str(LMS_TESTS / "pytest.ini"), str(LMS_TESTS)],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "CATALOG_URL": service.url,
                "SANDBOX_URL": lms_sandbox.url,
                "PYTHONDONTWRITEBYTECODE": "1",
                "no_proxy": "127.0.0.1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    if done.returncode:
        pytest.fail(f"{done.stdout}\nThe service's logs are in {tmp_path}.", pytrace=False)
