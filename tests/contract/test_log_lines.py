"""
Every line that web, worker and beat write is one JSON object, whatever happens to them.

No line holds a secret or what was asked, and no traceback is logged for errors of callers (COM-16, AUTH-3, ERR-8).
"""

import json
import re
import secrets
import signal
import socket
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import psutil
import pytest
import requests
from kombu import Connection
from redis import Redis

from scripts import processes
from scripts.services import Services
from tests.contract.test_container_commands import production_environment
from tests.contract.test_deployment_files import ROOT
from tests.faults.conftest import eventually

pytestmark = pytest.mark.mariadb

# A busy machine starts a process slowly; nothing here takes as long unless it hangs.
PATIENCE = 90
# Of the settings, of what a caller sends, and of people. Long, so that none is found by chance.
BROKER_PASSWORD = "PlantedBrokerPassword"
TOKEN = jwt.encode({"sub": "PlantedSubject"}, secrets.token_hex(16))
EMAIL = "planted.person@mail.example"
SENT = ("PlantedKey", "PlantedQuery", "PlantedHeader", "PlantedBody", "PlantedCookie", "PlantedOriginPath")
# What an exception may say of them.
IN_EXCEPTIONS = f"{EMAIL} {TOKEN} redis://catalog:{BROKER_PASSWORD}@broker.example/0"
HOST = "not-this-service.example"
ORIGIN = "https://elsewhere.example"

WEB = ["gunicorn", "enterprise_catalog.wsgi", "--bind"]
WORKER = ["celery", "-A", "enterprise_catalog", "worker", "--loglevel", "INFO", "--concurrency", "2"]
BEAT = ["celery", "-A", "enterprise_catalog", "beat", "--loglevel", "INFO"]
# gunicorn kills a worker that has been silent for so long.
TIMEOUT_SECONDS = 15

# Requests that no server can make sense of. Each is answered by the server itself, or not at all.
MALFORMED = [
    b"PlantedQuery\r\n\r\n",
    b"GET /PlantedQuery HTTP/1.1\r\nHost: localhost\r\nPlantedHeader here: x\r\n\r\n",
    b"GET /PlantedQuery HTTP/1.1\r\nHost: localhost\r\nX: y\x00PlantedHeader\r\n\r\n",
    b"POST /PlantedQuery HTTP/1.1\r\nHost: localhost\r\nContent-Length: PlantedHeader\r\n\r\n",
    b"POST /PlantedQuery HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: PlantedHeader\r\n\r\n",
    b"GET /" + b"PlantedQuery" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


@dataclass
class Process:
    """One of the service's processes, and its output so far on both streams."""

    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        return self.log.read_text(errors="strict")

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines so far; the last may be incomplete."""
        return [json.loads(line) for line in self.text().split("\n")[:-1]]

    def events(self) -> Counter[str]:
        return Counter(line["event"] for line in self.lines())

    def has(self, part: str, *, times: int = 1) -> None:
        """Wait until so many lines have this text."""

        def are_there() -> bool:
            return sum(part in line for line in self.text().split("\n")) >= times

        try:
            eventually(are_there, patience=PATIENCE)
        except AssertionError:
            pytest.fail(f"{part!r} is not in the log {times} times:\n{self.text()[-20_000:]}")

    def is_gone(self) -> int:
        return self.process.wait(PATIENCE)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


@dataclass
class Stage:
    environment: Mapping[str, str]
    services: Services
    directory: Path
    secrets: tuple[str, ...]

    def start(self, command: list[str], **variables: str) -> Process:
        log = self.directory / secrets.token_hex(8)
        environment = {**self.environment, **variables}
        return Process(processes.spawn(command, log=log, env=environment, cwd=ROOT), log)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start database and broker, which has a password, and return the variables of the processes."""
    directory = tmp_path_factory.mktemp("logs")
    with Services() as services:
        broker = Redis.from_url(services.redis.url)
        broker.config_set("requirepass", BROKER_PASSWORD)
        port = services.redis.port
        environment = production_environment(services) | {
            "DJANGO_SETTINGS_MODULE": "tests.contract.planted.settings",
            "ALLOWED_HOSTS": "localhost",
            "DATABASE_URL": services.mariadb.service_url,
            "CELERY_BROKER_URL": f"redis://:{BROKER_PASSWORD}@127.0.0.1:{port}/0",
            "CACHE_URL": f"redis://:{BROKER_PASSWORD}@127.0.0.1:{port}/1",
            "PLANTED_SECRETS": IN_EXCEPTIONS,
            # Python tells of more than it does by default.
            "PYTHONWARNINGS": "always",
            "TICK_SECONDS": "1",
        }
        subprocess.run(["python", "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
        names = ("SECRET_KEY", "BACKEND_SERVICE_EDX_OAUTH2_SECRET")
        settings = (*(environment[name] for name in names), services.mariadb.password, BROKER_PASSWORD)
        yield Stage(environment, services, directory, (*settings, *SENT, TOKEN, "PlantedSubject", EMAIL))


# --- What all lines must be -------------------------------------------------------------------------------------------


def assert_lines(process: Process, hidden: tuple[str, ...]) -> None:
    """Check that each line is one JSON object with the four common names, short enough, and without secrets."""
    text = process.text()
    assert text.endswith("\n")
    for raw in text.split("\n")[:-1]:
        try:
            line = json.loads(raw)
        except ValueError:
            pytest.fail(f"no JSON: {raw[:2000]!r}")
        assert {"timestamp", "level", "event", "logger"} <= set(line), raw
        assert all(isinstance(line[name], str) for name in ("timestamp", "level", "event", "logger")), raw
        assert len(raw.encode()) <= 16 * 1024
    for secret in hidden:
        assert secret not in text, f"{secret} in {[raw for raw in text.split(chr(10)) if secret in raw][:3]}"


def stacks(process: Process) -> Counter[str]:
    """Count the lines with a traceback by exception."""
    found: Counter[str] = Counter()
    for line in process.lines():
        for value in line.values():
            if isinstance(value, str) and "Traceback (most recent call last)" in value:
                found[value.strip().rpartition("\n")[2].partition(":")[0].rpartition(".")[2]] += 1
    return found


# --- web --------------------------------------------------------------------------------------------------------------


class Caller:
    """A client of the web process that may break the rules."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://localhost:{port}"

    def ask(self, path: str, *, method: str = "GET", **options: Any) -> int:
        headers = {"Authorization": f"JWT {TOKEN}", "X-Planted": "PlantedHeader", "Cookie": "a=PlantedCookie"}
        headers |= options.pop("headers", {})
        with suppress(requests.RequestException):
            return requests.request(method, self.url + path, headers=headers, timeout=PATIENCE, **options).status_code
        return 0

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def answer_to(self, sent: bytes) -> bytes:
        """Return the whole answer; nothing if the server closes before the request is complete."""
        with self.connect() as connection, suppress(OSError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        return b""

    def is_answered(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/health/live", timeout=PATIENCE).status_code == 200
        return False


@pytest.fixture(scope="module")
def web(stage: Stage) -> Iterator[tuple[Process, Caller]]:
    port = processes.free_port()
    process = stage.start([*WEB, f"127.0.0.1:{port}"], GUNICORN_CMD_ARGS=f"--timeout {TIMEOUT_SECONDS}")
    caller = Caller(port)
    try:
        eventually(caller.is_answered, patience=PATIENCE)
        yield process, caller
    finally:
        processes.stop(process.process, grace_seconds=10)


def test_what_callers_do_wrong_is_one_line_without_a_stack(web, stage):  # COM-16
    process, caller = web
    query = f"?q=PlantedQuery&email={EMAIL}"
    assert caller.ask(f"/api/v1/content-metadata/PlantedKey+1/{query}") == 401
    assert caller.ask(f"/health/{query}", headers={"Host": f"{HOST}:\x7f"}) in (0, 400)
    assert caller.ask(f"/health/{query}", headers={"Host": HOST}) == 400
    assert caller.ask(f"/planted/suspicious/{query}") == 400
    foreign = {"X-Forwarded-Proto": "https", "Referer": f"{ORIGIN}/PlantedOriginPath{query}"}
    forged = {"csrfmiddlewaretoken": "PlantedBody"}
    assert caller.ask("/admin/login/", method="POST", headers=foreign, data=forged) == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert caller.ask("/planted/form/", method="POST", headers=form, data="PlantedBody" * 600_000) in (400, 413)
    assert caller.ask("/planted/form/", method="POST", headers=form, data="&".join(["a=PlantedBody"] * 10_001)) == 400
    # Gone in the middle of its header, of its body, and of the answer.
    half = b"POST /planted/form/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    half_a_body = half + b"Content-Type: application/x-www-form-urlencoded\r\n\r\nPlantedBody"
    for sent in (half, half_a_body):
        with caller.connect() as connection:
            connection.sendall(sent)
    with caller.connect() as connection:
        connection.sendall(b"GET /planted/long-stream/?PlantedQuery HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
    assert caller.is_answered()

    refused = {line["reason"]: line for line in process.lines() if line["event"] == "request_refused"}
    assert {"DisallowedHost", "SuspiciousOperation", "Referer checking failed", "TooManyFieldsSent"} <= set(refused)
    assert refused["DisallowedHost"]["host"] == HOST
    assert refused["Referer checking failed"]["origin"] == ORIGIN
    assert stacks(process) == {}
    assert_lines(process, stage.secrets)


@pytest.mark.parametrize("sent", MALFORMED, ids=lambda sent: re.sub(rb"\W+", b" ", sent[:60]).decode())
def test_a_malformed_request_leaves_its_status_and_why(web, stage, sent):  # COM-16
    process, caller = web
    before = process.events()["request_malformed"]
    answer = caller.answer_to(sent)
    assert b"X-Request-ID" not in answer
    eventually(lambda: process.events()["request_malformed"] == before + 1, patience=PATIENCE)
    line = [line for line in process.lines() if line["event"] == "request_malformed"][-1]
    assert line["reason"]
    assert 400 <= line["status"] < 600
    assert "request_id" not in line
    if answer:
        assert int(answer.split()[1]) == line["status"]
    assert_lines(process, stage.secrets)


def test_a_bug_of_ours_leaves_its_stack_once(web, stage):  # ERR-8
    process, caller = web
    before = stacks(process)
    assert caller.ask("/planted/bug/PlantedKey/?q=PlantedQuery") == 500
    caller.ask("/planted/broken-stream/?q=PlantedQuery")
    assert caller.ask("/planted/writing/?q=PlantedQuery") == 200
    names = ("InView", "InStream", "InThread", "InFinalizer", "Printed")
    assert stacks(process) - before == Counter(names)
    assert_lines(process, stage.secrets)


def test_what_is_printed_is_a_line(web):
    process, caller = web
    assert caller.ask("/planted/writing/") == 200
    lines = [(line["logger"], line["event"]) for line in process.lines()]
    for logger, event in (
        ("stdout", "printed: one line"),
        ("stdout", "printed: first of two\nprinted: second of two"),
        ("stderr", "printed: to stderr"),
        ("stdout", "printed: to the first stdout"),
        ("stdout", "printed: without an end, and its end"),
        ("planted.library", "log_line_unreadable"),
    ):
        assert (logger, event) in lines
    assert any(logger == "py.warnings" and "warned: on\ntwo lines" in event for logger, event in lines)
    assert sum(line.get("is_cut", False) for line in process.lines()) >= 2


def test_signals_restarts_and_killed_workers_are_lines(web, stage):
    """Ends the web process."""
    process, caller = web
    server = process.process
    # One that hangs is found by its silence, in a while; gunicorn knows only of workers that have begun to serve.
    hanging = psutil.Process(int(requests.get(f"{caller.url}/planted/who/", timeout=PATIENCE).text))
    hanging.suspend()
    next(child for child in process.children() if child != hanging).kill()
    process.has("was sent SIGKILL")
    process.has("Booting worker", times=3)
    for number, said in (
        (signal.SIGTTIN, "Handling signal: ttin"),
        (signal.SIGTTOU, "Handling signal: ttou"),
        (signal.SIGUSR1, "Handling signal: usr1"),
        (signal.SIGWINCH, "Handling signal: winch"),
        (signal.SIGHUP, "Hang up"),
    ):
        server.send_signal(number)
        process.has(said)
    eventually(caller.is_answered, patience=PATIENCE)
    # A second main process beside this one, which then goes.
    server.send_signal(signal.SIGUSR2)
    process.has("Starting gunicorn", times=2)
    process.has("Listening at", times=2)
    second = next(child for child in process.children() if child.children())
    second.send_signal(signal.SIGQUIT)
    psutil.wait_procs([second], timeout=PATIENCE)
    process.has("WORKER TIMEOUT")
    process.has("was sent SIGKILL", times=2)
    server.terminate()
    assert process.is_gone() == 0
    process.has("Shutting down: Master", times=2)
    assert_lines(process, stage.secrets)


def test_web_ends_at_once_with_lines(stage):
    for number in (signal.SIGINT, signal.SIGQUIT):
        port = processes.free_port()
        process = stage.start([*WEB, f"127.0.0.1:{port}"])
        eventually(Caller(port).is_answered, patience=PATIENCE)
        process.process.send_signal(number)
        # Not 0 where the other worker had not started yet.
        process.is_gone()
        process.has("Shutting down: Master")
        assert_lines(process, stage.secrets)


# --- worker and beat --------------------------------------------------------------------------------------------------


def send(stage: Stage, task: str) -> None:
    """Send a message as celery does, from outside."""
    with Connection(stage.environment["CELERY_BROKER_URL"]) as connection:
        message = [[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
        connection.Producer().publish(
            message,
            routing_key="enterprise_catalog",
            headers={"task": task, "id": secrets.token_hex(8), "lang": "py", "argsrepr": "()", "kwargsrepr": "{}"},
            serializer="json",
        )


def break_off(port: int) -> None:
    """Abort a request in the middle of its header."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"GET /PlantedQuery HTT")


def test_a_worker_writes_lines(stage):
    figures = processes.free_port()
    process = stage.start(WORKER, METRICS_PORT=str(figures))
    process.has(" ready.")
    eventually(lambda: processes.port_taken(figures), patience=PATIENCE)
    break_off(figures)
    process.has("figures_connection_failed")
    send(stage, "planted.writing")
    process.has('"long_line"')
    send(stage, "planted.bug")
    process.has("InTask")
    send(stage, "planted.nobody_knows")
    process.has("Received unregistered task")
    send(stage, "planted.killed")
    process.has("SIGKILL")
    process.process.send_signal(signal.SIGUSR1)
    process.has("MainThread")
    # It starts itself anew in the same process.
    process.process.send_signal(signal.SIGHUP)
    process.has("Restarting celery worker")
    process.has(" ready.", times=2)
    process.process.terminate()
    assert process.is_gone() == 0
    process.has("Warm shutdown", times=1)
    found, once = stacks(process), ("InTask", "InThread", "InFinalizer", "Printed")
    assert [found[name] for name in once] == [1, 1, 1, 1]
    assert found["ConnectionResetError"] == 0
    assert_lines(process, stage.secrets)


def test_a_worker_says_in_lines_that_it_is_interrupted(stage):
    running = {number: stage.start([*WORKER, "--hostname", number.name]) for number in (signal.SIGINT, signal.SIGQUIT)}
    for number, process in running.items():
        process.has(" ready.")
        process.process.send_signal(number)
    for process in running.values():
        process.is_gone()
        process.has("shutdown")
        assert_lines(process, stage.secrets)


def test_beat_writes_lines(stage):
    process = stage.start(BEAT)
    process.has("Sending due task", times=3)
    process.process.terminate()
    process.is_gone()
    assert_lines(process, stage.secrets)


def test_a_broker_that_is_away_is_told_without_its_password(stage):
    nowhere = f"redis://catalog:{BROKER_PASSWORD}@127.0.0.1:{processes.free_port()}/0"
    worker = stage.start(WORKER, CELERY_BROKER_URL=nowhere)
    beat = stage.start(BEAT, CELERY_BROKER_URL=nowhere)
    worker.has("Cannot connect to redis://")
    beat.has("Connection error")
    # A worker that waits for its broker does not end for long.
    processes.stop(worker.process, beat.process, grace_seconds=1)
    for process in (worker, beat):
        assert_lines(process, stage.secrets)


# --- Refusals ---------------------------------------------------------------------------------------------------------


def commands() -> dict[str, list[str]]:
    return {"web": [*WEB, f"127.0.0.1:{processes.free_port()}"], "worker": WORKER, "beat": BEAT}


REFUSED = {
    "missing": ("ALLOWED_HOSTS", ""),
    "a placeholder": ("JWT_AUDIENCE", "change-me"),
    "no number": ("GUARD_MIN_ITEMS", "ten"),
    "no level": ("LOG_LEVEL", "loud"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refusal_to_start_names_the_variable_in_a_line(why, stage):
    name, value = REFUSED[why]
    for command in commands().values():
        process = stage.start(command, **{name: value})
        assert process.is_gone() != 0
        refusals = [line for line in process.lines() if line["event"] == "start_refused"]
        assert any(name in line["reason"] for line in refusals)
        assert stacks(process) == {}
        assert_lines(process, stage.secrets)


def test_an_address_that_cannot_be_read_keeps_its_password(stage):
    address = stage.environment["DATABASE_URL"].replace("mysql://", "myqsl://")
    for command in commands().values():
        process = stage.start(command, DATABASE_URL=address)
        assert process.is_gone() != 0
        assert_lines(process, stage.secrets)


def test_a_module_that_is_missing_is_told_with_its_stack(stage):
    for name, command in commands().items():
        process = stage.start(command, PLANTED_IMPORT_ERROR="yes")
        assert process.is_gone() != 0
        assert any("ModuleNotFoundError" in error for error in stacks(process)), name
        assert_lines(process, stage.secrets)


def test_commands_answer_people(stage):
    """Only their log lines are JSON."""
    shown = subprocess.run(
        ["python", "manage.py", "freshness"], cwd=ROOT, env=dict(stage.environment), capture_output=True, text=True
    )
    assert shown.stdout
    assert not shown.stdout.startswith("{")
    with_error = subprocess.run(
        ["celery", "-A", "enterprise_catalog", "inspect", "no-such-command"],
        cwd=ROOT,
        env=dict(stage.environment),
        capture_output=True,
        text=True,
    )
    assert with_error.returncode != 0
    assert "Error: " in with_error.stdout + with_error.stderr
