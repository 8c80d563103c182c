"""
Start everything that takes part in a benchmark, as processes on loopback that end with the `with` block.

These are MariaDB, Redis, the sandbox, the service's web processes, those of the floors, and a worker.
"""

import json
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import MySQLdb
import psutil
import requests

from benchmarks.data import COURSES, PROGRAMS, Plan, make_plan
from scripts import processes
from scripts.local_config import AUDIENCE, ROOT, LocalConfig
from scripts.services import SERVICE_USER, Services

START_SECONDS = 120
# Long enough to load 20,000 items on a slow machine.
WORK_SECONDS = 1800
WEB_PROCESSES = 2


@dataclass(frozen=True)
class Web:
    """A gunicorn server with two processes."""

    port: int
    process: psutil.Process

    @property
    def workers(self) -> list[psutil.Process]:
        return self.process.children()


class Stage:
    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="enterprise-catalog-benchmark-"))
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._ends.callback(shutil.rmtree, self.directory, ignore_errors=True)
            self.services = self._ends.enter_context(Services())
            self._start_sandbox()
            self.environment = self._environment()
            self._run("manage.py", "migrate", "--verbosity", "0")
            self._run("manage.py", "collectstatic", "--noinput", "--verbosity", "0")
            # Lets the database count written rows by table, for `rows_written`.
            self.sql("SET GLOBAL userstat = 1")
            self.plan = self._plan()
            self.token = self._token()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._ends.close()

    # --- What takes part

    def _start_sandbox(self) -> None:
        config = LocalConfig(directory=self.directory / "sandbox", sandbox_port=processes.free_port())
        config.directory.mkdir()
        self._config = config
        options = {
            "--port": config.sandbox_port,
            "--data-dir": config.directory,
            "--courses": COURSES,
            "--programs": PROGRAMS,
            "--seed": "benchmark",
            "--issuer": f"{config.sandbox_url}/oauth2",
            "--audience": AUDIENCE,
            "--token-seconds": 24 * 3600,
        }
        words = [word for name, value in options.items() for word in (name, str(value))]
        log = self.directory / "sandbox.log"
        command = ["python", "-m", "enterprise_catalog.sandbox", *words]
        process = processes.spawn(command, log=log, cwd=ROOT, env=config.clean_environment())
        self._ends.callback(processes.stop, process, grace_seconds=5)
        processes.wait_until(
            lambda: processes.port_taken(config.sandbox_port),
            process=process,
            log=log,
            what="sandbox",
            seconds=START_SECONDS,
        )

    def _environment(self) -> dict[str, str]:
        jwk_set = requests.get(f"{self._config.sandbox_url}/oauth2/jwks.json", timeout=30).text
        return {
            **self._config.environment(secret_key=secrets.token_urlsafe(48), jwk_set=jwk_set),
            **self.services.environment(),
            "DJANGO_SETTINGS_MODULE": "enterprise_catalog.settings.production",
            "DATABASE_URL": self.services.mariadb.service_url,
            "STATIC_ROOT": str(self.directory / "static"),
            # No throttling by the sandbox.
            "DISCOVERY_REQUESTS_PER_HOUR": "0",
            "WEB_CONCURRENCY": str(WEB_PROCESSES),
        }

    def _plan(self) -> Plan:
        known = self.ask_sandbox("GET", "")
        return make_plan(courses=known["courses"], programs=known["programs"])

    def _token(self) -> str:
        """Return a token whose roles suffice, so that the database is not asked for roles."""
        claims = "username=benchmark&roles=enterprise_openedx_operator:*&lifetime=86400"
        token: str = self.ask_sandbox("GET", f"token?{claims}")["token"]
        return token

    @contextmanager
    def web(self, application: str = "enterprise_catalog.wsgi", **environment: str) -> Iterator[Web]:
        """Start web processes as docs/deployment.rst does, with gunicorn.conf.py."""
        port, log = processes.free_port(), self.directory / f"{application}.log"
        command = ["gunicorn", application, "--bind", f"127.0.0.1:{port}"]
        process = processes.spawn(command, log=log, cwd=ROOT, env=self.environment | environment)
        try:
            processes.wait_until(
                lambda: answers(port), process=process, log=log, what=application, seconds=START_SECONDS
            )
            yield Web(port, psutil.Process(process.pid))
        finally:
            processes.stop(process, grace_seconds=10)

    def work(self, *words: str) -> dict[str, Any]:
        """Do a worker's work in a process of its own, and return what `benchmarks.working` measured."""
        done = self._run("-m", "benchmarks.working", *words, capture=True)
        measured: dict[str, Any] = json.loads(done.splitlines()[-1])
        return measured

    @contextmanager
    def working(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Do a worker's work while the block runs, and end it with the block."""
        log = self.directory / "working.log"
        command = ["python", "-m", "benchmarks.working", *words]
        process = processes.spawn(command, log=log, cwd=ROOT, env=self.environment)
        try:
            yield process
        finally:
            processes.stop(process, grace_seconds=10)

    def write_plan(self) -> str:
        path = self.directory / "plan.json"
        path.write_text(json.dumps(asdict(self.plan)))
        return str(path)

    def _run(self, *words: str, capture: bool = False) -> str:
        done = subprocess.run(
            ["python", *words],
            cwd=ROOT,
            env=self.environment,
            check=False,
            timeout=WORK_SECONDS,
            text=True,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.PIPE,
        )
        if done.returncode:
            raise processes.NotReady(f"{' '.join(words)} failed:\n{done.stderr[-4000:]}")
        return done.stdout or ""

    # --- Asking those who take part

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own, with all rights."""
        with self._cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def sql_of_many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement for each row."""
        with self._cursor() as cursor:
            cursor.executemany(statement, rows)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        mariadb = self.services.mariadb
        connection = MySQLdb.connect(
            host="127.0.0.1",
            port=mariadb.port,
            user="enterprise_catalog",
            password=mariadb.password,
            database="enterprise_catalog",
            charset="utf8mb4",
            autocommit=True,
        )
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def status(self, name: str) -> int:
        """Return a counter of the database server."""
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    @contextmanager
    def logged_statements(self) -> Iterator[list[str]]:
        """Yield a list that gets, at the end of the block, the SELECTs of the service in it."""
        statements: list[str] = []
        self.sql("SET GLOBAL log_output = 'TABLE'")
        self.sql("TRUNCATE mysql.general_log")
        self.sql("SET GLOBAL general_log = 1")
        try:
            yield statements
        finally:
            self.sql("SET GLOBAL general_log = 0")
        rows = self.sql(
            "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE %s"
            " ORDER BY event_time",
            f"{SERVICE_USER}[%",
        )
        statements += [text for (text,) in rows if "SELECT" in text]

    def rows_written(self) -> dict[str, int]:
        """Return the number of written rows by table since the server started."""
        rows = self.sql(
            "SELECT table_name, rows_changed FROM information_schema.table_statistics"
            " WHERE table_schema = 'enterprise_catalog'"
        )
        return {name: int(changed) for name, changed in rows}

    def members(self, title: str) -> list[str]:
        """Return the content keys that the query of this title lists, in order."""
        rows = self.sql(
            "SELECT member.content_key FROM catalog_catalogcontentkey member"
            " JOIN catalog_catalogquery query ON query.id = member.catalog_query_id"
            " WHERE query.title = %s AND member.standing_v1 = 2 ORDER BY member.content_key",
            title,
        )
        return [key for (key,) in rows]

    def ask_sandbox(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self._config.sandbox_url}/sandbox/{path}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()


def answers(port: int) -> bool:
    """Return whether the server sends any HTTP response."""
    try:
        requests.get(f"http://127.0.0.1:{port}/health/", timeout=5)
    except requests.RequestException:
        return False
    return True
