"""`make run` as a newcomer meets it: it starts everything, prints the result, and leaves no process behind."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from scripts import processes
from scripts.sample_data import SAMPLES
from tests.contract.test_deployment_files import ROOT
from tests.launched import Launched, all_gone

pytestmark = pytest.mark.local_run


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "local"


@pytest.fixture(scope="module")
def first_start(directory: Path) -> Iterator[Launched]:
    launched = Launched(directory)
    try:
        launched.wait_until_serving()
        yield launched
    finally:
        if launched.process.poll() is None:
            launched.interrupt()


def curl_lines(printed: str) -> list[str]:
    return re.findall(r"^ *(curl .*)$", printed, re.M)


def test_six_catalogs_of_three_customers_are_published(first_start):
    stories = re.findall(r"^  ([\d,]+) items, (.*)$", first_start.printed, re.M)
    assert len(stories) == 6
    # Two share a search. The second joins the first's refresh, unless a worker has begun with that already (REFR-3).
    own = [story for _, story in stories if story.startswith("fetched and published in ")]
    shared = [story for _, story in stories if story.startswith("same search as ")]
    assert (len(own), len(shared)) in {(5, 1), (6, 0)}
    assert max(int(items.replace(",", "")) for items, _ in stories) >= 1000


def test_every_catalog_answers_contains(first_start):
    assert re.findall(r"^  contains .*\? (\w+)$", first_start.printed, re.M) == ["True"] * 6


def test_printed_curl_lines_can_be_pasted(first_start):
    for line in curl_lines(first_start.printed):
        done = subprocess.run(["sh", "-c", f"{line} --silent"], capture_output=True, text=True, check=True)
        assert done.stdout == '{"contains_content_items":true}'


def test_admin_password_is_printed_and_opens_the_admin(first_start):
    password = re.search(r"user admin, password (\S+)", first_start.printed)
    assert password
    session = requests.Session()
    url = f"http://127.0.0.1:{first_start.port}/admin/login/?next=/admin/"
    session.get(url, timeout=10)
    form = {"username": "admin", "password": password[1], "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    assert session.post(url, data=form, timeout=10).url.endswith("/admin/")


def test_token_signed_by_another_key_is_refused(first_start):  # AUTH-4
    token = re.search(r"cat '?([^')]+)", curl_lines(first_start.printed)[0])
    assert token
    claims = jwt.decode(Path(token[1]).read_text(), options={"verify_signature": False})
    forged = jwt.encode(claims, rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm="RS512")
    url = f"http://127.0.0.1:{first_start.port}/api/v1/enterprise-catalogs/"
    assert requests.get(url, headers={"Authorization": f"JWT {forged}"}, timeout=10).status_code == 401


def test_secrets_are_readable_by_their_owner_only(first_start, directory):
    assert not [
        path for path in (directory / "secrets.json", directory / "operator.jwt") if path.stat().st_mode & 0o077
    ]


def test_second_launcher_refuses_a_taken_port(first_start, tmp_path):
    options = ["--port", str(first_start.port), "--directory", str(tmp_path / "other")]
    command = [sys.executable, "-m", "scripts.run_local", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Port {first_start.port}" in done.stderr
    assert not (tmp_path / "other").exists()


def test_taken_sandbox_port_is_refused_too(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        options = [
            "--port",
            str(processes.free_port()),
            "--sandbox-port",
            str(taken),
            "--directory",
            str(tmp_path / "x"),
        ]
        command = [sys.executable, "-m", "scripts.run_local", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Port {taken}" in done.stderr


def test_ctrl_c_stops_everything_and_the_next_start_keeps_the_data(first_start, directory):
    # What somebody made of the samples meanwhile is kept, too.
    token = (directory / "operator.jwt").read_text()
    url = f"http://127.0.0.1:{first_start.port}/api/v1/enterprise-catalogs/{SAMPLES[1].uuid}/"
    changes = {"title": "Mathematics", "content_filter": SAMPLES[0].content_filter}
    assert requests.patch(url, json=changes, headers={"Authorization": f"JWT {token}"}, timeout=10).ok
    family = first_start.family()
    assert len(family) >= 4
    assert first_start.interrupt() == 0
    assert all_gone(family)

    second = Launched(directory)
    second.wait_until_serving()
    assert second.printed.count("kept from an earlier start") == 6

    family = second.family()
    second.child("worker").kill()
    assert second.process.wait(60) == 1
    assert "worker ended with exit code -9" in second.printed
    assert all_gone(family)
