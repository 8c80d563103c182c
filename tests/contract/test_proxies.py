"""
The shipped proxies of docker/ before the service's own server; only addresses and paths are changed.

docs/deployment.rst lists what a proxy must do (SEC-1, COM-16).
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests

from scripts import debian, processes
from tests.contract.echo import LARGE
from tests.contract.test_deployment_files import NGINX, ROOT
from tests.security.environments import environment

# Starts the service; its servers are shared by the tests of this file.
pytestmark = pytest.mark.local_run

START_SECONDS = 60
HOST = "catalog.example.org"
LONGEST_ID = "%2B" * 255
MB = 1024 * 1024


@dataclass(frozen=True)
class Front:
    """A proxy, and the file in which the application behind it writes what reached it."""

    name: str
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers={"Host": HOST} | headers, timeout=60)

    def said(self, **headers: str) -> dict[str, str]:
        """Return what reaches the application from a request with these headers."""
        said = self.get("/said", **headers).json()
        return {name: str(value) for name, value in said.items()}

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def has_happened(self, line: str) -> bool:
        return line in self.log.read_text().splitlines()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def program(name: str) -> str:
    if name in debian.NEEDS:
        debian.ensure([name])
    path = debian.find_program(name)
    assert path
    return path


def nginx_command(directory: Path, *, port: int, web: int) -> list[str]:
    """Return the command for the shipped file, with this test's addresses and paths."""
    buffers = directory / "buffers"
    buffers.mkdir()
    text = NGINX
    for shipped, here in {
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "server web:8160;": f"server 127.0.0.1:{web};",
        "/var/cache/nginx": str(buffers),
        "/tmp/nginx.pid": str(directory / "nginx.pid"),
        "/dev/stdout": str(directory / "access.log"),
        "/dev/stderr": str(directory / "error.log"),
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    # Paths that only matter where nginx was built with others.
    unused = ("fastcgi", "uwsgi", "scgi")
    text = text.replace("http {", "http {\n" + "".join(f"{kind}_temp_path {buffers}/{kind};\n" for kind in unused))
    (directory / "nginx.conf").write_text(text)
    # Debian's own user may not enter a test's directory.
    user = "user root; " if os.geteuid() == 0 else ""
    return [program("nginx"), "-c", str(directory / "nginx.conf"), "-p", str(directory), "-g", f"{user}daemon off;"]


def caddy_command(directory: Path, *, port: int, web: int) -> list[str]:
    text = (ROOT / "docker/Caddyfile").read_text()
    for shipped, here in {":8080 {": f"http://:{port} {{\n\tbind 127.0.0.1", "web:8160": f"127.0.0.1:{web}"}.items():
        assert shipped in text
        text = text.replace(shipped, here)
    caddy = program("caddy")
    version = subprocess.run([caddy, "version"], capture_output=True, text=True, check=True).stdout
    if tuple(int(part) for part in version.split()[0].lstrip("v").split(".")) < (2, 6, 4):
        # As its comment says.
        assert "request_buffers 6MiB" in text
        text = text.replace("request_buffers 6MiB", "buffer_requests\n\t\tmax_buffer_size 6MiB")
    (directory / "Caddyfile").write_text(text)
    return [caddy, "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]


COMMANDS = {"nginx": nginx_command, "caddy": caddy_command}
FILES = {"nginx": "nginx.conf", "caddy": "Caddyfile"}


@contextmanager
def running(
    directory: Path,
    proxy: str,
    application: str,
    *,
    change: Callable[[Path], None] = lambda configuration: None,
    **more: str,
) -> Iterator[Front]:
    """
    Run the proxy before a gunicorn with one process (docs/deployment.rst).

    `change` may edit the proxy's file; `more` are variables of the service.
    """
    port, web = processes.free_port(), processes.free_port()
    log = directory / "echo"
    log.touch()
    variables = environment("production", directory=directory) | {
        "HOME": str(directory),
        "ALLOWED_HOSTS": HOST,
        "WEB_CONCURRENCY": "1",
        "ECHO_LOG": str(log),
        **more,
    }
    commands = {
        "web": [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{web}"],
        "proxy": COMMANDS[proxy](directory, port=port, web=web),
    }
    change(directory / FILES[proxy])
    started = []
    try:
        for name, number in (("web", web), ("proxy", port)):
            process = processes.spawn(commands[name], log=directory / name, env=variables, cwd=ROOT)
            started.append(process)
            processes.wait_until(
                partial(processes.port_taken, number),
                process=process,
                log=directory / name,
                what=name,
                seconds=START_SECONDS,
            )
        yield Front(proxy, port, log)
    finally:
        processes.stop(*reversed(started), grace_seconds=10)


@pytest.fixture(scope="module", params=COMMANDS)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A proxy before the service."""
    directory = tmp_path_factory.mktemp("service")
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment("production", directory=directory), check=True)
    with running(directory, request.param, "enterprise_catalog.wsgi") as front:
        yield front


@pytest.fixture(scope="module", params=COMMANDS)
def echo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A proxy before an application that returns what reached it."""
    with running(tmp_path_factory.mktemp("echo"), request.param, "tests.contract.echo") as front:
        yield front


# What is passed on


def test_request_line_of_1000_longest_ids_passes(service):  # COM-16
    query = "&".join(f"course_run_ids={LONGEST_ID}" for _ in range(1000))
    assert service.get(f"/health/?{query}").status_code == 200


def test_body_of_5_mib_passes(echo):  # COM-16
    answer = requests.post(f"{echo.url}/body", data=b"x" * 5 * MB, timeout=60)
    assert (answer.status_code, answer.json()["body_bytes"]) == (200, 5 * MB)


def test_larger_body_is_refused_by_the_proxy(echo):  # COM-16
    answer = requests.post(f"{echo.url}/larger", data=b"x" * (5 * MB + 1), timeout=60)
    if echo.name == "nginx":
        assert answer.status_code == 413
        assert not echo.has_happened("arrived /larger")
    else:
        # Caddy begins to pass it on, and before 2.8 says 502, as docker/Caddyfile has it. The web process behind it may
        # answer sooner: it reads nothing of a body that is too large by its length (SEC-1).
        assert answer.status_code in (413, 502) or answer.json()["body_bytes"] == 0


def test_answers_of_the_service_pass_unchanged(service):
    answer = service.get("/health/live")
    assert (answer.status_code, answer.headers["X-Request-ID"] != "") == (200, True)
    assert service.get("/api/v1/enterprise-catalogs/").status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics", "/health/freshness", "/health/freshness/"],
)
def test_what_is_for_monitors_inside_is_not_there(service, path):
    """METRICS_TOKEN is not set, so /metrics is checked by whose answer this is (ADD-7)."""
    connection = service.connect()
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
    answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 404")
    # Every answer of the service itself has one.
    assert "x-request-id" not in answer.lower()


# What callers say of themselves


def test_only_the_proxy_says_how_it_was_reached(echo):  # COM-10, SEC-1
    forged = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example.org",
        "X-Forwarded-For": "198.51.100.7",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Protocol": "ssl",
        "X-Forwarded-Server": "evil.example.org",
        "X-Forwarded-Ssl": "on",
        "X-Real-IP": "198.51.100.7",
        "Forwarded": "proto=https;host=evil.example.org",
    }
    said = echo.said(**forged)
    assert said["HTTP_HOST"] == HOST
    forwarded = {name: value for name, value in said.items() if "FORWARDED" in name or "REAL_IP" in name}
    assert forwarded == {
        "HTTP_X_FORWARDED_PROTO": "http",
        "HTTP_X_FORWARDED_HOST": HOST,
        "HTTP_X_FORWARDED_FOR": "127.0.0.1",
    }


def test_no_header_becomes_a_variable_of_the_server(echo):  # COM-16
    forged = {
        "SCRIPT_NAME": "/evil",
        "Script-Name": "/evil",
        "X-Script-Name": "/evil",
        "PATH_INFO": "/evil",
        "Path-Info": "/evil",
        "REMOTE_USER": "evil",
        "Remote-User": "evil",
        "Proxy": "http://evil.example.org",
        "X_FORWARDED_PROTO": "evil",
        "Another_One": "evil",
    }
    said = echo.said(**forged)
    assert (said["SCRIPT_NAME"], said["PATH_INFO"]) == ("", "/said")
    assert [name for name, value in said.items() if "evil" in value] == []


def test_other_headers_pass(echo):
    said = echo.said(
        Authorization="JWT token", **{"X-Request-ID": "abc", "If-None-Match": '"x"', "Use-Jwt-Cookie": "1"}
    )
    assert [said[f"HTTP_{name}"] for name in ("AUTHORIZATION", "X_REQUEST_ID", "IF_NONE_MATCH", "USE_JWT_COOKIE")] == [
        "JWT token",
        "abc",
        '"x"',
        "1",
    ]


# Slow callers


def test_a_body_arrives_when_it_is_whole(echo):  # SEC-1
    size = 100_000
    connection = echo.connect()
    connection.sendall(f"POST /slow HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n".encode())
    connection.sendall(b"x" * (size - 1))
    # By then the proxy has long read what there is of the other.
    for _ in range(20):
        echo.said()
    assert not echo.has_happened("arrived /slow")
    connection.sendall(b"x")
    assert b" 200 OK" in connection.recv(65536)
    assert echo.has_happened("arrived /slow")


def test_slow_callers_hold_nothing_of_the_service(echo):
    """64 of each kind, and one process with four threads behind the proxy (SEC-1)."""
    head = f"POST /held HTTP/1.1\r\nHost: {HOST}\r\n".encode()
    kinds = (b"", b"P", head, head + b"Content-Length: 1000\r\n\r\nx")
    held = []
    for sent in kinds:
        for _ in range(64):
            connection = echo.connect()
            connection.sendall(sent)
            held.append(connection)
    assert echo.said()["HTTP_HOST"] == HOST
    assert not echo.has_happened("arrived /held")
    for connection in held:
        connection.close()


def test_a_reader_that_reads_nothing_does_not_hold_the_service(echo):
    """Only nginx; Caddy has no file for what it has not passed on (SEC-1)."""
    if echo.name == "caddy":
        pytest.skip("docker/Caddyfile says that it leaves slow readers to the service")
    connection = echo.connect()
    connection.sendall(f"GET /large HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
    until(lambda: echo.has_happened("taken /large"))
    # And it gets all of it, when it reads.
    received = sum(len(part) for part in iter(lambda: connection.recv(MB), b""))
    assert received > LARGE


def test_one_address_has_so_many_connections(tmp_path):
    """Only nginx; docker/Caddyfile says that Caddy has no such limit (SEC-1)."""
    with running(tmp_path, "nginx", "tests.contract.echo") as front:
        half = f"POST /held HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\n".encode()

        def is_refused_beside_others() -> bool:
            # Opened for each try: nginx gives up on bodies after 20 seconds, which a slow first try may take.
            with ExitStack() as held:
                for _ in range(150):
                    held.enter_context(front.connect()).sendall(half)
                return front.get("/said").status_code == 429

        until(lambda: front.get("/said").status_code == 200)
        until(is_refused_beside_others)
        until(lambda: front.get("/said").status_code == 200)


# Files and logs


def test_nginx_finds_no_fault_in_the_file(tmp_path):
    command = nginx_command(tmp_path, port=processes.free_port(), web=1)
    done = subprocess.run([*command[:-2], "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_lines_of_nginx_are_json_without_path_and_address(tmp_path):
    with running(tmp_path, "nginx", "tests.contract.echo") as front:
        front.get("/said?user=ann", Authorization='JWT "quoted"')
        connection = front.connect()
        connection.sendall(b"nonsense\r\n\r\n")
        assert b" 400 " in connection.recv(100)
        log = tmp_path / "access.log"
        until(lambda: log.read_text().count("\n") == 2)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["event"], line["status"]) for line in lines] == [("proxied_request", 200), ("proxied_request", 400)]
    assert not [word for word in ("ann", "said", "quoted", "127.0.0.1") if word in log.read_text()]


def test_tls_works_as_nginx_conf_says(tmp_path):
    """The lines that are commented out, with a certificate of the test's own."""
    with running(tmp_path, "nginx", "tests.contract.echo", change=with_tls) as front:
        url = front.url.replace("http:", "https:")
        said = requests.get(f"{url}/said", headers={"Host": HOST}, verify=tmp_path / "fullchain.pem", timeout=60)
        assert said.json()["HTTP_X_FORWARDED_PROTO"] == "https"


def with_tls(configuration: Path) -> None:
    directory = configuration.parent
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={HOST}"]
    request += ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(directory / "privkey.pem"), "-out", str(directory / "fullchain.pem")]
    subprocess.run([program("openssl"), *request, *files], check=True, capture_output=True)
    text = configuration.read_text()
    (address,) = re.findall(r"^ *listen (127\.0\.0\.1:\d+);\n", text, re.M)
    text = text.replace(f"listen {address};\n", "")
    commented = re.findall(r"^ *# ((?:listen 8443|ssl_).*;)$", text, re.M)
    assert len(commented) == 6
    for line in commented:
        text = text.replace(f"# {line}", line)
    configuration.write_text(text.replace("8443", address).replace("/etc/nginx/tls", str(directory)))
