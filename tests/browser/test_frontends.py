"""
Frontends of other origins write through the API with the cookies of their visitor (AUTH-10).

The service runs with production settings behind the shipped nginx, which ends TLS with a certificate of the test's own.
The same nginx serves an empty page under the names of frontends. All names lead to loopback, in Chromium only.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from selenium import webdriver

from scripts import processes
from tests.browser.admin_browser import PASSWORD, AdminBrowser
from tests.browser.conftest import COMMAND_SECONDS, chromium_with
from tests.contract.test_deployment_files import ROOT
from tests.contract.test_proxies import HOST, running
from tests.security.environments import environment, token

# Starts the service; its processes are shared by the tests of this file.
pytestmark = pytest.mark.local_run

CATALOGS = "/api/v1/enterprise-catalogs/"
# A frontend beside the service, as Open edX deploys them, one of another site, and one that is not listed.
BESIDE, ELSEWHERE, UNLISTED = "portal.example.org", "portal.campus.test", "evil.example.org"
CUSTOMER = "6f1d7a52-3c0b-4d52-9d0e-6f2f1c6b7a01"

_FETCH = """
    const [url, options, done] = arguments;
    fetch(url, {credentials: 'include', ...options}).then(
        async answer => done({status: answer.status, body: await answer.text(), type: answer.type}),
        error => done({status: null, body: String(error), type: 'error'}));
"""
_SEND_FORM = """
    const [url, fields] = arguments;
    const form = Object.assign(document.createElement('form'), {method: 'post', action: url});
    for (const [name, value] of Object.entries(fields))
        form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
    document.body.append(form);
    form.submit();
"""


@dataclass(frozen=True)
class Site:
    """The service by https, and where the pages of frontends are."""

    port: int
    frontends_port: int
    certificate: Path

    @property
    def service(self) -> str:
        return f"https://{HOST}:{self.port}"

    def origin(self, host: str) -> str:
        return f"https://{host}:{self.frontends_port}"

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask as other services do, without a browser."""
        url, named = f"https://127.0.0.1:{self.port}{path}", {"Host": f"{HOST}:{self.port}"} | headers
        return requests.get(url, headers=named, verify=str(self.certificate), timeout=60)

    def titles(self) -> set[str]:
        """Return the titles of all catalogs."""
        answer = self.get(f"{CATALOGS}?page_size=1000", Authorization=f"JWT {operator_token()}")
        assert answer.status_code == 200
        return {catalog["title"] for catalog in answer.json()["results"]}


def operator_token() -> str:
    return token(preferred_username="fay")


def write_certificate(directory: Path) -> None:
    """Write a certificate that is signed with its own key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(tz=UTC)
    hosts = [x509.DNSName(host) for host in (HOST, BESIDE, ELSEWHERE, UNLISTED)]
    names = x509.SubjectAlternativeName([*hosts, x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "key.pem").write_bytes(private)


def with_tls(directory: Path, frontends_port: int) -> Callable[[Path], None]:
    """Return an edit of the shipped file, as its comments say: TLS, and beside the service a server for frontends."""
    tls = f"ssl_certificate {directory}/cert.pem; ssl_certificate_key {directory}/key.pem;"
    page = 'default_type text/html; return 200 "<title>A frontend</title>";'
    frontends = f"server {{ listen 127.0.0.1:{frontends_port} ssl; {tls} location / {{ {page} }} }}"

    def change(configuration: Path) -> None:
        before, listen, after = configuration.read_text().partition("listen 127.0.0.1:")
        port, end, rest = after.partition(";")
        head, server, _ = before.rpartition("server {")
        configuration.write_text(f"{head}{frontends}\n{server}\n{listen}{port} ssl{end} {tls}{rest}")

    return change


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    frontends_port = processes.free_port()
    listed = ",".join(f"https://{host}:{frontends_port}" for host in (BESIDE, ELSEWHERE))
    more = {"CORS_ALLOWED_ORIGINS": listed, "STATIC_ROOT": str(directory / "static")}
    variables = environment("production", directory=directory) | more
    write_certificate(directory)
    for command in (["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=variables, check=True)
    account = {f"DJANGO_SUPERUSER_{name}": value for name, value in (("USERNAME", "olga"), ("PASSWORD", PASSWORD))}
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--email", "olga@example.org"]
    subprocess.run(command, cwd=ROOT, env=variables | account, check=True, stdout=subprocess.DEVNULL)
    change = with_tls(directory, frontends_port)
    with running(directory, "nginx", "enterprise_catalog.wsgi", change=change, **more) as front:
        yield Site(front.port, frontends_port, directory / "cert.pem")


@dataclass(frozen=True)
class Visitor:
    """Somebody whom the LMS signed in, with a page of a frontend open."""

    browser: webdriver.Chrome
    site: Site

    def visit(self, host: str) -> None:
        self.browser.get(f"{self.site.origin(host)}/")
        assert self.browser.title == "A frontend"

    def signed_in(self) -> None:
        """Set the two cookies that the LMS sets."""
        head, _, signature = operator_token().rpartition(".")
        for name, value in (("header-payload", head), ("signature", signature)):
            cookie = {"name": f"edx-jwt-cookie-{name}", "value": value, "domain": HOST, "path": "/"}
            self.browser.execute_cdp_cmd(
                "Network.setCookie", cookie | {"secure": True, "sameSite": "None", "httpOnly": name == "signature"}
            )

    def cookies(self) -> dict[str, dict[str, Any]]:
        found = self.browser.execute_cdp_cmd(
            "Network.getCookies", {"urls": [f"{self.site.service}/complete/edx-oauth2/"]}
        )
        return {cookie["name"]: cookie for cookie in found["cookies"]}

    def fetch(self, path: str, **options: Any) -> dict[str, Any]:
        """Return what the frontend's script sees; a status of None if the browser shows it nothing."""
        return self.browser.execute_async_script(_FETCH, self.site.service + path, options)

    def csrf_token(self) -> str:
        answer = self.fetch("/csrf/api/v1/token")
        assert answer["status"] == 200, answer
        return json.loads(answer["body"])["csrfToken"]

    def write(self, method: str, path: str, csrf_token: str | None, body: Any = None) -> dict[str, Any]:
        """Write as frontends do: with the header that asks for cookies, which today's clients still send."""
        headers = {"Content-Type": "application/json", "USE-JWT-COOKIE": "true"}
        headers |= {"X-CSRFToken": csrf_token} if csrf_token is not None else {}
        return self.fetch(path, method=method, headers=headers, **({"body": json.dumps(body)} if body else {}))

    def create(self, csrf_token: str | None) -> tuple[int | None, str, str]:
        """Create a catalog; return the status, the body and the title."""
        title = f"Catalog {uuid4()}"
        body = {
            "title": title,
            "enterprise_customer": CUSTOMER,
            "enterprise_customer_name": "Acme",
            "enabled_course_modes": [],
            "publish_audit_enrollment_urls": False,
            "content_filter": {"content_type": "course", "key": [title]},
        }
        answer = self.write("POST", CATALOGS, csrf_token, body)
        return answer["status"], answer["body"], title

    def refused(self, csrf_token: str | None, *, because: str) -> None:
        """Check that a write is refused with this text, and writes nothing."""
        status, body, title = self.create(csrf_token)
        assert (status, because in body) == (403, True), body
        assert title not in self.site.titles()


@pytest.fixture
def visitor(site: Site, tmp_path: Path) -> Iterator[Visitor]:
    options = ("--host-resolver-rules=MAP * 127.0.0.1", "--ignore-certificate-errors")
    # Debian's Chromium keeps no cookies of another site than the page's, unless the person allows it.
    preferences = {"profile.cookie_controls_mode": 0, "profile.block_third_party_cookies": False}
    with chromium_with(*options, profile=tmp_path / "profile", preferences=preferences) as browser:
        browser.set_script_timeout(COMMAND_SECONDS)
        visitor = Visitor(browser, site)
        visitor.signed_in()
        yield visitor


def sign_in_to_admin(visitor: Visitor, directory: Path) -> AdminBrowser:
    admin = AdminBrowser(visitor.browser, visitor.site.service, screenshots=directory / "screenshots")
    admin.sign_in()
    assert admin.reads("WELCOME, OLGA")
    return admin


@pytest.mark.parametrize("host", [BESIDE, ELSEWHERE])
def test_a_frontend_writes_with_the_cookies_of_its_visitor(visitor, host):  # AUTH-10
    visitor.visit(host)
    csrf_token = visitor.csrf_token()
    status, body, title = visitor.create(csrf_token)
    assert status == 201, body
    path = f"{CATALOGS}{UUID(json.loads(body)['uuid'])}/"
    assert title in visitor.site.titles()
    changed = f"{title}, changed"
    assert visitor.write("PATCH", path, csrf_token, {"title": changed})["status"] == 200
    assert changed in visitor.site.titles()
    assert visitor.write("DELETE", path, csrf_token)["status"] == 204
    assert changed not in visitor.site.titles()


@pytest.mark.parametrize("host", [BESIDE, ELSEWHERE])
def test_a_write_without_the_right_token_is_refused(visitor, host):  # AUTH-8, AUTH-10
    visitor.visit(host)
    visitor.refused(None, because="CSRF cookie not set")
    csrf_token = visitor.csrf_token()
    visitor.refused(None, because="CSRF token missing")
    visitor.refused("", because="CSRF token from the 'X-Csrftoken' HTTP header has incorrect length")
    visitor.refused(csrf_token[::-1], because="CSRF token from the 'X-Csrftoken' HTTP header incorrect")
    # Of somebody else's browser.
    other = visitor.site.get("/csrf/api/v1/token").json()["csrfToken"]
    visitor.refused(other, because="CSRF token from the 'X-Csrftoken' HTTP header incorrect")
    assert visitor.create(csrf_token)[0] == 201


def test_a_token_from_before_a_sign_in_is_stale(visitor, tmp_path):  # AUTH-10
    visitor.visit(BESIDE)
    stale = visitor.csrf_token()
    sign_in_to_admin(visitor, tmp_path)
    visitor.visit(BESIDE)
    visitor.refused(stale, because="CSRF token from the 'X-Csrftoken' HTTP header incorrect")
    assert visitor.create(visitor.csrf_token())[0] == 201


def test_an_origin_that_is_not_listed_reads_and_writes_nothing(visitor, tmp_path):  # AUTH-8, AUTH-10
    """It is beside the service, so that every cookie is sent, and knows a token that is right."""
    visitor.visit(BESIDE)
    csrf_token = visitor.csrf_token()
    before = visitor.site.titles()
    visitor.visit(UNLISTED)
    assert visitor.fetch("/csrf/api/v1/token")["status"] is None
    assert visitor.fetch(CATALOGS)["status"] is None
    # The browser asks first, and is not told that it may.
    assert visitor.create(csrf_token)[0] is None
    # What browsers send without asking arrives, and is refused.
    plain = {"method": "POST", "mode": "no-cors", "body": "{}", "headers": {"Content-Type": "text/plain"}}
    assert visitor.fetch(CATALOGS, **plain)["type"] == "opaque"
    visitor.browser.execute_script(_SEND_FORM, visitor.site.service + CATALOGS, {"csrfmiddlewaretoken": csrf_token})
    page = AdminBrowser(visitor.browser, visitor.site.service, screenshots=tmp_path / "screenshots")
    assert page.reads("CSRF Failed: Origin checking failed")
    assert visitor.site.titles() == before


def test_the_admin_is_as_strict_beside_frontends(visitor, tmp_path):  # AUTH-10, SEC-3
    """A frontend that is listed may use the API; the pages of the admin trust themselves only."""
    admin = sign_in_to_admin(visitor, tmp_path)
    cookies = visitor.cookies()
    session, csrf = cookies["sessionid"], cookies["csrftoken"]
    assert (session["sameSite"], session["secure"], session["httpOnly"]) == ("Lax", True, True)
    assert (csrf["sameSite"], csrf["secure"]) == ("None", True)
    visitor.visit(BESIDE)
    csrf_token = visitor.csrf_token()
    # The session's cookie is sent, since both are one site.
    assert visitor.fetch("/admin/")["status"] is None
    form = {"csrfmiddlewaretoken": csrf_token}
    visitor.browser.execute_script(_SEND_FORM, f"{visitor.site.service}/admin/logout/", form)
    assert admin.reads("Not accepted")
    admin.open("/admin/")
    assert admin.reads("WELCOME, OLGA")
    admin.press("Log out")
    assert admin.reads("Logged out")
