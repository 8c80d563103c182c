"""Dockerfile, docker-compose.yml and .env.example agree with this repository."""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.security.hostile_peer import ANSWER_MB

ROOT = Path(__file__).resolve().parents[2]
NGINX = (ROOT / "docker/nginx.conf").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
APP_SERVICES = ("migrate", "web", "worker", "beat")


def image_command() -> list[str]:
    command: list[str] = json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.M)[-1])
    return command


def command_of(service: str) -> list[str]:
    command: list[str] = COMPOSE["services"][service].get("command") or image_command()
    return command


def copied_sources() -> list[str]:
    words = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY") and "--from" not in line]
    return [source.removeprefix("./") for line in words for source in line]


def let_through(path: str) -> bool:
    """Return whether .dockerignore includes a path: the last matching line wins, and a folder includes its files."""
    kept = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.lstrip("!")
        if line and not line.startswith("#") and (fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/")):
            kept = line.startswith("!")
    return kept


@pytest.mark.parametrize("source", copied_sources())
def test_copied_paths_exist_and_reach_the_builder(source):
    assert (ROOT / source).exists()
    assert let_through(source)


@pytest.mark.parametrize("path", [".env", ".git/config", ".local/secrets.json", "enterprise_catalog/sandbox/keys.py"])
def test_secrets_and_stand_ins_never_reach_the_builder(path):
    assert not let_through(path)


@pytest.mark.parametrize("service", APP_SERVICES)
def test_commands_start_programs_of_the_runtime_requirements(service):
    program = command_of(service)[0]
    assert shutil.which(program, path=str(Path(sys.executable).parent))
    base = (ROOT / "requirements/base.txt").read_text()
    assert program == "python" or f"\n{program}==" in base


def test_commands_name_modules_that_exist():
    modules = [
        word for service in APP_SERVICES for word in command_of(service) if word.startswith("enterprise_catalog")
    ]
    assert set(modules) == {"enterprise_catalog", "enterprise_catalog.wsgi"}
    assert all(find_spec(module) for module in modules)


def test_image_runs_as_nobody_in_particular():
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M)[-1] == "10001"


def test_builder_and_runtime_use_one_base_image():
    # Another Debian release would bring another client library than the one mysqlclient was built with.
    # And whoever names a digest names it once.
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    assert re.findall(r"^ARG PYTHON_IMAGE=(.*)$", DOCKERFILE, re.M) == ["python:3.11-slim-bookworm"]


def test_image_installs_nothing_without_a_hash():
    """Neither what runs later nor what builds it."""
    installs = re.findall(r"pip install ([^&\n]*)", DOCKERFILE)
    assert len(installs) == 2
    for options in map(str.split, installs):
        assert "--require-hashes" in options
        assert "--only-binary" in options or "--no-build-isolation" in options


def test_only_the_proxy_listens_and_only_on_loopback():
    """The web service has no other callers than what reads for it (SEC-1)."""
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert list(published) == ["proxy"]
    assert all(port.startswith("127.0.0.1:") for port in published["proxy"])


def test_proxy_has_the_example_file_and_the_address_of_web():
    volumes = COMPOSE["services"]["proxy"]["volumes"]
    sources = [volume.split(":") for volume in volumes if volume.startswith("./")]
    assert sources == [["./docker/nginx.conf", "/etc/nginx/nginx.conf", "ro"]]
    (listens,) = re.findall(r"^ *listen (\d+);", NGINX, re.M)
    assert COMPOSE["services"]["proxy"]["ports"][0].endswith(f":{listens}")
    (port,) = COMPOSE["services"]["web"]["expose"]
    assert re.findall(r"^ *server (\S+);", NGINX, re.M) == [f"web:{port}"]
    # gunicorn's --bind would hide the metrics port.
    assert f"WEB_BIND=0.0.0.0:{port}\n" in DOCKERFILE
    assert "--bind" not in command_of("web")


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_every_service_has_a_limit_of_memory(service):
    assert re.fullmatch(r"\d+[mg]", COMPOSE["services"][service]["mem_limit"])


def test_a_worker_has_room_for_what_it_may_hold():
    """Processes as many as its command says, each with a whole result and a hostile answer (DISC-8, DISC-17)."""
    command = command_of("worker")
    number = int(command[command.index("--concurrency") + 1])
    result_mb = settings.DISCOVERY_MAX_RESULT_BYTES / 2**20
    at_rest_mb = 150
    needs_mb = at_rest_mb + number * (at_rest_mb + result_mb + ANSWER_MB)
    assert int(COMPOSE["services"]["worker"]["mem_limit"].removesuffix("m")) > needs_mb


def test_redis_wants_a_password_that_no_command_line_has():
    app = COMPOSE["services"]["worker"]["environment"]
    for url in (app["CELERY_BROKER_URL"], app["CACHE_URL"]):
        assert url.startswith("redis://:${REDIS_PASSWORD:?")
    redis = COMPOSE["services"]["redis"]
    for command in (redis["command"], redis["healthcheck"]["test"]):
        # Two dollars: a variable of the container's shell, which compose does not put in.
        assert "$$REDIS_PASSWORD" in " ".join(command)
        assert not re.search(r"(?<!\$)\$\{?REDIS_PASSWORD", " ".join(command))


def test_nothing_secret_has_a_value():
    # COMPOSE interpolation must fail on a missing password rather than fall back to one.
    example = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text().splitlines()
        if "=" in line[:60] and line[0] != "#"
    )
    assert not any(example.values())
    text = (ROOT / "docker-compose.yml").read_text()
    assert all(":?" in variable for variable in re.findall(r"\$\{\w+_PASSWORD[^}]*\}", text))


def test_static_files_are_collected_without_any_real_secret(tmp_path):
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.production",
        "STATIC_ROOT": str(tmp_path),
    }
    subprocess.run(["sh", "docker/build_static.sh"], cwd=ROOT, env=environment, check=True)
    assert (tmp_path / "staticfiles.json").exists()
    assert (tmp_path / "admin").is_dir()
