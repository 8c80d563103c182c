"""
Run the whole service in the foreground on embedded parts with sample data, until Ctrl-C: `make run`.

1. Refuse if a port is taken.                  2. Start the sandbox (discovery and LMS) and take its public keys.
3. Migrate, and create an administrator once.  4. Start web, worker and beat.
5. Create the sample catalogs over HTTP, wait until they are refreshed, and print them.
6. Serve until Ctrl-C, or until one of the processes ends; then stop all of them.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import requests

from scripts import processes, sample_data
from scripts.local_config import (
    ADMIN_USERNAME,
    AUDIENCE,
    LMS_ADMIN_USERNAME,
    PORT,
    ROOT,
    SANDBOX_PORT,
    LocalConfig,
    Secrets,
    write_private,
)
from scripts.supervisor import ChildEnded, Supervisor

START_SECONDS = 60
TOKEN_SECONDS = 7 * 24 * 3600
SANDBOX_COURSES, SANDBOX_PROGRAMS = 1500, 60


class Refused(Exception):
    """The run cannot start; the message says what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def refuse_taken_ports(config: LocalConfig) -> None:
    for port, purpose in ((config.port, "the service"), (config.sandbox_port, "the sandbox")):
        if processes.port_taken(port):
            raise Refused(
                f"Port {port} on 127.0.0.1, needed for {purpose}, is taken by another program"
                " (perhaps another `make run`). Stop that one first. Nothing was started."
            )


def start_sandbox(supervisor: Supervisor, config: LocalConfig) -> str:
    """Start the sandbox and return its public key set, with which the service verifies tokens."""
    options = {
        "--port": config.sandbox_port,
        "--data-dir": config.directory / "sandbox",
        "--courses": SANDBOX_COURSES,
        "--programs": SANDBOX_PROGRAMS,
        "--issuer": f"{config.sandbox_url}/oauth2",
        "--audience": AUDIENCE,
    }
    words = [word for name, value in options.items() for word in (name, str(value))]
    # A browser may call this machine by either name.
    for host in ("127.0.0.1", "localhost"):
        words += ["--redirect-uri", f"http://{host}:{config.port}/complete/edx-oauth2/"]
    supervisor.start("sandbox", ["enterprise_catalog.sandbox", *words], config.clean_environment())
    keys = f"{config.sandbox_url}/oauth2/jwks.json"
    supervisor.wait_for_answer(keys, seconds=START_SECONDS)
    return requests.get(keys, timeout=5).text


def prepare_database(supervisor: Supervisor, config: LocalConfig, environment: dict[str, str], known: Secrets) -> None:
    fresh = not config.database.exists()
    supervisor.run_once("migrate", ["manage.py", "migrate", "--noinput"], environment)
    if fresh or not config.admin_made.exists():
        account = {
            "DJANGO_SUPERUSER_USERNAME": ADMIN_USERNAME,
            "DJANGO_SUPERUSER_EMAIL": "admin@example.org",
            "DJANGO_SUPERUSER_PASSWORD": known.admin_password,
        }
        # Users with a password cannot sign in through the LMS, so there is one of each kind.
        of_the_lms = {"DJANGO_SUPERUSER_USERNAME": LMS_ADMIN_USERNAME, "DJANGO_SUPERUSER_EMAIL": "lms@example.org"}
        for variables in (account, of_the_lms):
            try:
                supervisor.run_once("superuser", ["manage.py", "createsuperuser", "--noinput"], environment | variables)
            except ChildEnded as error:
                # An earlier run that was interrupted here has created the account already.
                if "already taken" not in str(error):
                    raise
        config.admin_made.touch()


def start_service(supervisor: Supervisor, config: LocalConfig, environment: dict[str, str]) -> None:
    celery = ["celery", "-A", "enterprise_catalog"]
    web_bind = {"WEB_BIND": f"127.0.0.1:{config.port}"}
    supervisor.start("web", ["gunicorn", "enterprise_catalog.wsgi"], environment | web_bind)
    # The file-system broker has no broadcasts, which gossip between workers needs.
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    # No pool: with this broker its processes share one queue, and a worker whose processes had been killed, one at work
    # and one idle, was seen to execute nothing any more. So the worker is one process, and its end is seen.
    worker = ["worker", "--pool", "solo", "--loglevel", "INFO", *alone]
    supervisor.start("worker", [*celery, *worker], environment)
    supervisor.start("beat", [*celery, "beat", "--loglevel", "INFO"], environment)
    supervisor.wait_for_answer(f"{config.url}/health/", seconds=START_SECONDS)


def operator_token(config: LocalConfig) -> str:
    claims = {"username": "operator", "roles": "enterprise_openedx_operator:*", "lifetime": str(TOKEN_SECONDS)}
    answer = requests.get(f"{config.sandbox_url}/sandbox/token", params=claims, timeout=5)
    token: str = answer.json()["token"]
    write_private(config.token_file, token)
    return token


def customers_of_sandbox(config: LocalConfig) -> list[dict[str, Any]]:
    customers: list[dict[str, Any]] = requests.get(f"{config.sandbox_url}/sandbox/", timeout=5).json()["customers"]
    return customers


def tell(config: LocalConfig, reports: list[sample_data.Report], *, admin_password: str, seconds: float) -> None:
    say(f"\nReady after {seconds:.0f} s. Catalogs, refreshed through discovery's HTTP API:\n")
    for report in reports:
        say(sample_data.describe(report, url=config.url, token_file=config.token_file))
    say(f"The service:     {config.url}/")
    say(f"Its API:         {config.url}/api/docs")
    say(f"Its admin:       {config.url}/admin/   user {ADMIN_USERNAME}, password {admin_password}")
    say(f"                 or “Sign in with the LMS”, where the sandbox believes that you are {LMS_ADMIN_USERNAME}")
    say(f"Operator token:  {config.token_file}")
    say(f"Logs:            {config.logs}")
    say("\nServing until Ctrl-C.")


def serve(config: LocalConfig) -> None:
    refuse_taken_ports(config)
    started = time.monotonic()
    known = config.prepare()
    supervisor = Supervisor(logs=config.logs, cwd=ROOT)
    try:
        say(f"Starting the sandbox (discovery and LMS) on {config.sandbox_url} ...")
        jwk_set = start_sandbox(supervisor, config)
        environment = config.environment(secret_key=known.secret_key, jwk_set=jwk_set)
        say(f"Preparing the database {config.database} ...")
        prepare_database(supervisor, config, environment, known)
        say(f"Starting web, worker and beat on {config.url} ...")
        start_service(supervisor, config, environment)
        say("Making the sample catalogs and refreshing them ...")
        client = sample_data.Client(config.url, operator_token(config))
        reports = sample_data.provision(client, customers_of_sandbox(config), still_alive=supervisor.check)
        tell(config, reports, admin_password=known.admin_password, seconds=time.monotonic() - started)
        supervisor.watch()
    finally:
        # Another signal must not interrupt the stopping, which has a time limit of its own.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if supervisor.children:
            say("\nStopping ...")
            supervisor.stop()
            say("Every process is stopped; the data stays in " + str(config.directory))


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the whole service locally on sample data.")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--sandbox-port", type=int, default=SANDBOX_PORT)
    parser.add_argument("--directory", type=Path, default=ROOT / ".local", help="where data and logs are kept")
    options = parser.parse_args(arguments)
    # All requests stay on this machine, and a proxy of the shell would not find it.
    os.environ["no_proxy"] = "127.0.0.1"
    # Ctrl-C too: a shell that starts this in the background leaves it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    config = LocalConfig(directory=options.directory.resolve(), port=options.port, sandbox_port=options.sandbox_port)
    try:
        serve(config)
    except KeyboardInterrupt:
        return 0
    except (Refused, ChildEnded, processes.NotReady, sample_data.Unexpected, requests.RequestException) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
