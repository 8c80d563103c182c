"""Run the whole service as a deployment does: production settings, gunicorn, worker and beat on MariaDB and Redis."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts import processes
from scripts.services import MariaDB, ReplicatedServices, Services
from tests.contract.test_container_commands import production_environment
from tests.contract.test_deployment_files import ROOT

START_SECONDS = 120


@dataclass(frozen=True)
class WholeService:
    url: str
    environment: Mapping[str, str]
    services: Services
    # Addresses and ports of the metrics of web and worker.
    figures: Mapping[str, str]
    processes: Mapping[str, "subprocess.Popen[bytes]"]

    def run(self, *command: str) -> None:
        """Run a command with the service's settings."""
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True)


@contextmanager
def whole_service(
    *,
    variables: Mapping[str, str],
    directory: Path,
    replicated: bool = False,
    restore: Callable[[MariaDB, Mapping[str, str]], None] | None = None,
) -> Iterator[WholeService]:
    """
    Run the service until the block ends.

    `variables` name the other services. Logs and other files are written to `directory`. `replicated` adds a replica to
    read from. `restore` fills the empty database, and gets the service's environment.
    """
    port = processes.free_port()
    with ReplicatedServices() if replicated else Services() as services:
        environment = production_environment(services) | {
            "ALLOWED_HOSTS": "127.0.0.1",
            "WEB_BIND": f"127.0.0.1:{port}",
            "DATABASE_URL": services.mariadb.service_url,
            "STATIC_ROOT": str(directory / "static"),
            **variables,
        }
        if restore:
            restore(services.mariadb, environment)
        for command in (["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"]):
            subprocess.run(["python", "manage.py", *command], cwd=ROOT, env=environment, check=True)
        commands = {
            "web": ["gunicorn", "enterprise_catalog.wsgi"],
            "worker": ["celery", "-A", "enterprise_catalog", "worker", "--concurrency", "1"],
            "beat": ["celery", "-A", "enterprise_catalog", "beat"],
        }
        figures = {name: processes.free_port() for name in ("web", "worker")}
        running = {
            name: processes.spawn(
                command,
                log=directory / name,
                env=environment | {"METRICS_PORT": str(figures.get(name, 0))},
                cwd=ROOT,
            )
            for name, command in commands.items()
        }
        try:
            processes.wait_until(
                lambda: processes.port_taken(port),
                process=running["web"],
                log=directory / "web",
                what="web",
                seconds=START_SECONDS,
            )
            yield WholeService(
                url=f"http://127.0.0.1:{port}",
                environment=environment,
                services=services,
                figures={name: f"127.0.0.1:{port}" for name, port in figures.items()},
                processes=running,
            )
        finally:
            processes.stop(*running.values(), grace_seconds=10)
