"""Cookies go over https only, or over plain http after a setting and with a warning at each start (DEP-1)."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import processes
from tests.security.environments import ROOT, environment, run

START_SECONDS = 60
WARNING = "insecure_http"
SERVICES = {
    "web": ["-m", "gunicorn", "enterprise_catalog.wsgi", "--bind", "127.0.0.1:0"],
    "worker": ["-m", "celery", "-A", "enterprise_catalog", "worker", "--pool", "solo"],
    "beat": ["-m", "celery", "-A", "enterprise_catalog", "beat"],
}
# Every way to a cookie, by plain http: a frontend's token, the start of a sign-in through the LMS, and one by password.
VISIT = """
import django, json
django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
get_user_model().objects.create_superuser("olga", "olga@example.org", "correct horse battery staple")
browser, secure = Client(headers={"Host": "localhost"}), {}
def keep(response):
    secure.update({name: [bool(cookie["secure"]), cookie["samesite"]] for name, cookie in response.cookies.items()})
    return response
keep(browser.get("/csrf/api/v1/token"))
begun = keep(browser.post("/login/edx-oauth2/", {}))
form = {"username": "olga", "password": "correct horse battery staple", "next": "/admin/"}
signed_in = keep(browser.post("/admin/login/", form))
print(json.dumps({"cookies": secure, "signed_in": signed_in.status_code, "lms": begun.content.decode()}))
"""


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The directory of the files of the admin's pages."""
    directory = tmp_path_factory.mktemp("static")
    variables = environment("production", directory=directory) | {"STATIC_ROOT": str(directory)}
    assert run(["manage.py", "collectstatic", "--noinput", "--verbosity", "0"], variables).code == 0
    return str(directory)


def visit(directory: Path, static: str, **more: str) -> dict[str, Any]:
    sign_in = {"SOCIAL_AUTH_EDX_OAUTH2_KEY": "K7xw", "SOCIAL_AUTH_EDX_OAUTH2_SECRET": "Xk93ndVq"}
    variables = environment("production", directory=directory) | sign_in | {"STATIC_ROOT": static} | more
    outcome = run(["-c", VISIT], variables)
    assert outcome.code == 0, outcome.errors
    return json.loads(outcome.output)


def test_every_cookie_is_for_https_only(static, tmp_path):  # DEP-1, AUTH-10
    seen = visit(tmp_path, static)
    cookies = seen["cookies"]
    assert {"csrftoken", "sessionid", "lms_sign_in"} < cookies.keys()
    assert [name for name, (is_secure, _) in cookies.items() if not is_secure] == []
    assert {name for name, (_, same_site) in cookies.items() if same_site != "Lax"} == {"csrftoken"}
    assert cookies["csrftoken"][1] == "None"
    assert "redirect_uri=https%3A" in seen["lms"]


def test_a_setting_lets_them_go_over_plain_http(static, tmp_path):  # DEP-1
    seen = visit(tmp_path, static, INSECURE_HTTP="true")
    assert seen["signed_in"] == 302
    assert {"csrftoken", "sessionid", "lms_sign_in"} < seen["cookies"].keys()
    assert {name: cookie for name, cookie in seen["cookies"].items() if cookie != [False, "Lax"]} == {}
    assert "redirect_uri=http%3A" in seen["lms"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_warns_at_its_start(service, tmp_path):  # DEP-1
    variables = environment("production", directory=tmp_path) | {"INSECURE_HTTP": "true"}
    log = tmp_path / "log"
    process = processes.spawn([sys.executable, *SERVICES[service]], log=log, env=variables, cwd=ROOT)
    try:
        processes.wait_until(
            lambda: WARNING in log.read_text(), process=process, log=log, what=service, seconds=START_SECONDS
        )
    finally:
        processes.stop(process, grace_seconds=1)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines if line["event"] == WARNING} == {"warning"}


@pytest.mark.parametrize(("value", "warns"), [("true", True), ("false", False), ("", False)])
def test_a_command_warns(value, warns, tmp_path):  # DEP-1
    outcome = run(["manage.py", "check"], environment("production", directory=tmp_path) | {"INSECURE_HTTP": value})
    assert (outcome.code, WARNING in outcome.errors) == (0, warns)
