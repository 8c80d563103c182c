"""Headers tell browsers and caches what they may do (SEC-3, COM-18)."""

import re

import pytest

from tests.attacks.conftest import ACME_CATALOG, PASSWORD, SUPERUSER, Target
from tests.outcome_lines import Saw

pytestmark = pytest.mark.attack

PAGES = ("/admin/", "/admin/catalog/enterprisecatalog/", "/admin/catalog/catalogquery/", "/admin/refresh/refreshrun/")
OPEN_PAGES = ("/admin/login/", "/api/docs", "/admin/nowhere/")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


def test_inline_code_on_pages(target: Target, saw: Saw) -> None:
    """No page holds any, and the policy of each allows none (SEC-3)."""
    chief = target.signed_in(SUPERUSER, PASSWORD)
    answers = [chief.get(target.service.url + path, timeout=30) for path in PAGES]
    answers += [target.get(path) for path in OPEN_PAGES]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, answer.url
        assert "frame-ancestors 'none'" in policy, answer.url
        if "html" in answer.headers["Content-Type"]:
            assert INLINE.search(answer.text) is None, (answer.url, INLINE.search(answer.text))
    saw(f"{len(answers)} pages without inline code")


def test_answers_that_caches_might_keep(target: Target, saw: Saw) -> None:
    """What depends on the caller is kept by nobody, or asked for again each time (COM-18)."""
    paths = (ACME_CATALOG, f"{ACME_CATALOG}get_content_metadata/", "/api/v1/enterprise-catalogs/", "/api/v1/nowhere/")
    answers = [caller.ask("GET", path) for path in paths for caller in (target.acme_admin, target.bright_admin)]
    answers += [target.get(path) for path in paths]
    for answer in answers:
        kept = answer.headers["Cache-Control"]
        assert kept in ("private, no-store", "private, max-age=0, must-revalidate"), answer.url
        assert {"Authorization", "Cookie"} <= set(re.split(r",\s*", answer.headers["Vary"])), answer.url
    saw(f"{len(answers)} answers")


def test_headers_that_name_another_address(target: Target, saw: Saw) -> None:
    """Links and redirects name what the caller asked, whatever a header says (COM-16)."""
    misleading = {
        "Script-Name": "/evil",
        "SCRIPT_NAME": "/evil",
        "X-Script-Name": "/evil",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Server": "evil.example",
        "X-Forwarded-Port": "6666",
        "X-Original-URL": "/evil",
        "X-Rewrite-URL": "/evil",
        "Forwarded": "host=evil.example;proto=ftp",
    }
    token = {"Authorization": f"JWT {target.token('operator', 'enterprise_openedx_operator:*')}"}
    path = f"{ACME_CATALOG}get_content_metadata/?page_size=10"
    for name, value in misleading.items():
        answer = target.get(path, token | {name: value})
        assert answer.status_code == 200, name
        assert answer.json()["next"].startswith("https://{}:{}/api/".format(*target.address)), name
        page = target.get("/admin/", {name: value})
        assert "evil" not in page.text + page.url + str(page.headers), name
    wrong = target.get("/health/live", {"Host": "evil.example"})
    assert wrong.status_code == 400
    saw(f"{len(misleading)} headers changed nothing; a foreign Host is 400")
