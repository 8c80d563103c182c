"""Unsafe settings stop the start; the message names the variable and not its value (SEC-3)."""

import json
import subprocess
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.attacks.conftest import Target
from tests.outcome_lines import Saw

pytestmark = pytest.mark.attack

SMALL_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
WEAK = {
    "SECRET_KEY": ["short-" + "k3J" * 10, "ab" * 40, "change-me-" * 8],
    "METRICS_TOKEN": ["only-30-characters-are-too-few"],
    "ALLOWED_HOSTS": ["*", "catalog.example.org,*", "."],
    "BACKEND_SERVICE_EDX_OAUTH2_SECRET": ["change-me", "CHANGEME"],
    "SOCIAL_AUTH_EDX_OAUTH2_SECRET": ["change-me"],
    "JWT_PUBLIC_SIGNING_JWK_SET": [
        json.dumps({"keys": [RSAAlgorithm.to_jwk(SMALL_KEY, as_dict=True)]}),
        json.dumps({"keys": []}),
        json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
    ],
}
COMMANDS = {
    "web": ["gunicorn", "enterprise_catalog.wsgi", "--bind", "127.0.0.1:0", "--workers", "1"],
    "worker": ["celery", "-A", "enterprise_catalog", "worker", "--concurrency", "1"],
    "a command": ["python", "manage.py", "check"],
}


def outcome(command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("variable", WEAK)
def test_a_weak(target: Target, variable: str, saw: Saw) -> None:
    """Web, worker and commands end at once; what they say names the variable, and not its value (SEC-3)."""
    for number, value in enumerate(WEAK[variable]):
        # All kinds of process for the first value, since each takes seconds.
        for command in list(COMMANDS.values()) if number == 0 else [COMMANDS["a command"]]:
            code, said = outcome(command, {**target.service.environment, variable: value})
            assert code != 0, (variable, command)
            assert variable in said, (said, command)
            if len(value) > 9:
                assert value not in said
    saw(f"{len(WEAK[variable])} values refused by web, worker and commands")
