"""The commands of Dockerfile and docker-compose.yml, outside containers, with production settings and real servers."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from scripts import debian, processes
from scripts.services import Services
from tests.contract.test_deployment_files import COMPOSE, ROOT, command_of

pytestmark = pytest.mark.mariadb

LONGEST_ID = "%2B" * 255
# Time for a process to end by itself, also on a busy machine. Then it is killed.
STOP_SECONDS = 60


def production_environment(services: Services) -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOSTNAME": socket.gethostname(),
        "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.production",
        "SECRET_KEY": "9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x-8ZbyJPmGVSNfKQYgGWcdjgUNqgZQXzP",
        "ALLOWED_HOSTS": ".catalog.example.org",
        "DISCOVERY_SERVICE_URL": "https://discovery.example.org",
        "LMS_ROOT_URL": "https://lms.example.org",
        "OAUTH2_PROVIDER_URL": "https://lms.example.org/oauth2",
        "ENTERPRISE_LEARNER_PORTAL_BASE_URL": "https://enterprise.example.org",
        "ECOMMERCE_BASE_URL": "https://ecommerce.example.org",
        "BACKEND_SERVICE_EDX_OAUTH2_KEY": "lqTJ2Zk8bEwQ4n",
        "BACKEND_SERVICE_EDX_OAUTH2_SECRET": "Ue8wXJp3vR6sYcA0",
        "JWT_ISSUER": "https://lms.example.org/oauth2",
        "JWT_AUDIENCE": "campus-catalogs",
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(
            {"keys": [RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "lms", "use": "sig", "alg": "RS512"}]}
        ),
        **services.environment(),
    }


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Services() as services:
        yield services


@pytest.fixture(scope="module")
def environment(services: Services) -> dict[str, str]:
    environment = production_environment(services)
    subprocess.run(command_of("migrate"), cwd=ROOT, env=environment, check=True)
    return environment


@pytest.fixture(scope="module")
def web(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = processes.free_port()
    log = tmp_path_factory.mktemp("web") / "log"
    bound = environment | {"WEB_BIND": f"127.0.0.1:{port}"}
    process = processes.spawn(command_of("web"), log=log, env=bound, cwd=ROOT)
    try:
        processes.wait_until(lambda: processes.port_taken(port), process=process, log=log, what="web", seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.stop(process, grace_seconds=STOP_SECONDS)


def healthcheck(url: str, environment: dict[str, str]) -> int:
    command = [sys.executable, "docker/healthcheck.py"]
    return subprocess.run(
        command, cwd=ROOT, env=environment | {"PORT": url.rpartition(":")[2]}, check=False, capture_output=True
    ).returncode


def test_health_check_passes_while_the_database_answers(web, environment):
    assert healthcheck(web, environment) == 0


def test_health_check_fails_without_the_database(web, environment, services):
    services.mariadb.stop()
    try:
        assert healthcheck(web, environment) == 1
    finally:
        services.mariadb.start()
    assert healthcheck(web, environment) == 0


def test_request_line_of_1000_longest_ids_is_read(web):  # COM-16
    query = "&".join(f"course_run_ids={LONGEST_ID}" for _ in range(1000))
    answer = requests.get(f"{web}/health/?{query}", headers={"Host": "catalog.example.org"}, timeout=30)
    assert answer.status_code == 200


def test_endless_request_line_is_cut_off(web):
    answer = requests.get(f"{web}/health/?{'a' * 2_000_000}", headers={"Host": "catalog.example.org"}, timeout=30)
    assert answer.status_code in (400, 414)


def test_redis_passes_its_health_check_and_takes_nobody_without_the_password(tmp_path):
    """And the password is in no command line."""
    redis = COMPOSE["services"]["redis"]
    port, password = processes.free_port(), "3f7ae1d0c2"
    environment = {"PATH": debian.SEARCH_PATH, "REDIS_PASSWORD": password}
    # Where each container has an address of its own, every server has the usual port.
    words = [
        word.replace("$$", "$").replace("redis-server -", f"redis-server - --port {port}") for word in redis["command"]
    ]
    check = redis["healthcheck"]["test"][1].replace("$$", "$").replace("redis-cli", f"redis-cli -p {port}")

    def checked(**variables: str) -> bool:
        done = subprocess.run(["sh", "-c", check], env=environment | variables, check=False, capture_output=True)
        return done.returncode == 0

    process = processes.spawn(words, log=tmp_path / "log", env=environment, cwd=tmp_path)
    try:
        processes.wait_until(checked, process=process, log=tmp_path / "log", what="redis", seconds=30)
        assert not checked(REDIS_PASSWORD="another")
        assert not checked(REDIS_PASSWORD="")
        running = psutil.Process(process.pid)
        assert running.name() == "redis-server"
        assert password not in " ".join(running.cmdline())
    finally:
        processes.stop(process, grace_seconds=STOP_SECONDS)


@pytest.mark.parametrize("service", ["worker", "beat"])
def test_background_processes_pass_their_own_health_check(service, environment, tmp_path):
    command = [word.replace("/tmp/", f"{tmp_path}/") for word in command_of(service)]
    # Compose reads $$ as one dollar sign.
    check = COMPOSE["services"][service]["healthcheck"]["test"][1].replace("$$", "$")
    process = processes.spawn(command, log=tmp_path / "log", env=environment, cwd=ROOT)
    try:
        processes.wait_until(
            lambda: (
                subprocess.run(
                    ["sh", "-c", check], cwd=ROOT, env=environment, check=False, capture_output=True
                ).returncode
                == 0
            ),
            process=process,
            log=tmp_path / "log",
            what=service,
            seconds=60,
        )
    finally:
        processes.stop(process, grace_seconds=STOP_SECONDS)
    assert process.returncode == 0
