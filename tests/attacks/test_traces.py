"""Logs of all these attacks hold no secrets; pytest runs this file last."""

import json

import pytest

from tests.attacks.conftest import METRICS_TOKEN, PASSWORD, SUPERUSER, Target
from tests.outcome_lines import Saw

pytestmark = pytest.mark.attack


def test_the_logs_of_all_attacks(target: Target, saw: Saw) -> None:
    """Every line is one JSON object; none holds a token, a password, a name or an address; no stack is a caller's."""
    lines = [line for log in target.logs().values() for line in log.splitlines()]
    told = [json.loads(line) for line in lines]
    assert all({"event", "level", "timestamp"} <= set(line) for line in told)
    text = "\n".join(lines)
    secrets = {
        METRICS_TOKEN,
        PASSWORD,
        target.service.environment["SECRET_KEY"],
        target.service.environment["BACKEND_SERVICE_EDX_OAUTH2_SECRET"],
        target.service.services.mariadb.password,
        f"{SUPERUSER}@example.org",
        "mallory",
        "acme-admin",
        # How every token begins.
        "eyJ",
    }
    assert {secret for secret in secrets if secret in text} == set()
    assert [line for line in told if "exception" in line] == []
    saw(f"{len(lines)} lines")
