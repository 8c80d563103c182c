"""What can be changed while a sandbox runs: content, customers, settings, and over HTTP too."""

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from enterprise_catalog.sandbox import Sandbox
from enterprise_catalog.sandbox.config import ACME_UUID

PACKAGE = Path(__file__).resolve().parents[1]


def test_a_touched_course_changes_in_search_and_record(client, sandbox):
    key = sandbox.dataset.course_keys()[0]
    before = sandbox.course_record(key)
    title = sandbox.touch(key)
    assert client.search({"key.raw": key}).json()["results"][0]["title"] == title
    after = client.get("/api/v1/courses/", params={"keys": key}).json()["results"][0]
    assert after["title"] == title != before["title"]
    assert after["modified"] != before["modified"]


def test_each_touch_is_another_change(sandbox):
    key = sandbox.dataset.course_keys()[0]
    assert sandbox.touch(key) != sandbox.touch(key)


def test_an_edit_moves_a_course_into_another_search(client, sandbox):
    key = sandbox.dataset.course_keys()[0]
    assert key not in client.found_keys({"course_type": "masters"})
    sandbox.edit(key, course_type="masters")
    assert key in client.found_keys({"course_type": "masters"})


def test_a_removed_course_takes_its_runs_along(client, sandbox):
    key = sandbox.dataset.course_keys()[0]
    sandbox.remove(key)
    assert client.found({"key": key}) == []
    assert client.get("/api/v1/courses/", params={"keys": key}).json()["count"] == 0


def test_a_document_put_in_is_returned_word_for_word(client, sandbox):
    """DISC-17: whatever it is."""
    document = {"content_type": "course", "aggregation_key": "course:Odd+1", "key": "Odd+1", "course_runs": None}
    sandbox.upsert_search(document)
    assert client.search({"key.raw": "Odd+1"}).json()["results"] == [document]


def test_a_document_put_in_twice_is_there_once(client, sandbox):
    document = sandbox.search_document("course", sandbox.dataset.course_keys()[0])
    sandbox.upsert_search({**document, "title": "One"})
    sandbox.upsert_search({**document, "title": "Two"})
    page = client.search({"content_type": "course"}).json()
    assert page["count"] == 60
    assert client.search({"key.raw": document["key"]}).json()["results"][0]["title"] == "Two"


def test_a_document_keeps_what_it_is_found_by(client, sandbox):
    """A course document shows no partner, yet it has one."""
    document = sandbox.search_document("course", sandbox.dataset.course_keys()[0])
    sandbox.upsert_search({**document, "title": "New"})
    assert document["key"] in client.found_keys({"partner": "edx", "content_type": "course"})


def test_a_record_put_in_hides_restricted_runs_as_others_do(client, sandbox):  # DISC-18
    record = sandbox.course_record(sandbox.dataset.course_keys()[0])
    record["course_runs"][0]["restriction_type"] = "custom-b2b-enterprise"
    sandbox.upsert_record(record)
    query = {"keys": record["key"]}
    hidden = client.get("/api/v1/courses/", params=query).json()["results"][0]
    shown = client.get("/api/v1/courses/", params={**query, "include_restricted": "custom-b2b-enterprise"}).json()
    assert len(shown["results"][0]["course_runs"]) == len(hidden["course_runs"]) + 1


def test_a_removed_course_may_return(client, sandbox):
    key = sandbox.dataset.course_keys()[0]
    document, record = sandbox.search_document("course", key), sandbox.course_record(key)
    sandbox.remove(key)
    sandbox.upsert_search(document)
    sandbox.upsert_record(record)
    assert client.found_keys({"key.raw": key}) == {key}
    assert client.get("/api/v1/courses/", params={"keys": key}).json()["count"] == 1


def test_reset_undoes_everything(client, sandbox):
    key, other, third = sandbox.dataset.course_keys()[:3]
    before = sandbox.course_record(key)
    sandbox.touch(key)
    sandbox.remove(other)
    sandbox.upsert_record({**sandbox.course_record(third), "title": "New"})
    sandbox.remove_customer(ACME_UUID)
    sandbox.configure(search_v2=False)
    sandbox.add_fault(endpoint="*", status=500)
    client.search({})
    sandbox.reset()
    assert sandbox.calls() == []
    assert sandbox.course_record(key) == before
    assert client.search({"content_type": "course"}, version=2).json()["count"] == 60
    assert client.search({"key.raw": key}).json()["results"][0]["title"] == before["title"]


def test_calls_are_counted_by_endpoint(client, sandbox):
    client.walk({"content_type": "course"}, version=2, page_size=50)
    client.get("/api/v1/courses/", params={"keys": "a,b"})
    assert [call.page for call in sandbox.calls("search")] == [1, 2]
    assert sandbox.calls("search_v2")[0].body == {"content_type": "course"}
    assert sandbox.calls("courses")[0].query == {"keys": ["a,b"]}
    assert [call.number for call in sandbox.calls()] == sorted(call.number for call in sandbox.calls())


def test_the_log_holds_no_secret(client, sandbox):
    client.token_request()
    assert "client_secret" not in sandbox.calls("token")[0].body


class TestOverHttp:
    def test_calls_can_be_read_and_cleared(self, client):
        client.search({"org": "x"})
        calls = client.get("/sandbox/calls", params={"endpoint": "search"}).json()
        assert [(call["endpoint"], call["body"], call["status"]) for call in calls] == [
            ("search_v1", {"org": "x"}, 200)
        ]
        client.delete("/sandbox/calls")
        assert client.get("/sandbox/calls").json() == []

    def test_faults_can_be_added_and_removed(self, client):
        number = client.post("/sandbox/faults", json={"endpoint": "search", "status": 500}).json()["id"]
        assert client.search({}).status_code == 500
        client.delete("/sandbox/faults", params={"id": number})
        assert client.search({}).status_code == 200

    @pytest.mark.parametrize("fault", [{}, [], {"endpoint": "search", "page": 1}, {"explode": True}])
    def test_a_bad_fault_is_refused(self, client, fault):
        assert client.post("/sandbox/faults", json=fault).status_code == 400

    def test_customers_can_be_added_changed_and_removed(self, client):
        uuid = "11111111-2222-4333-8444-555555555555"
        path, query = "/enterprise/api/v1/enterprise-customer/", {"uuid": uuid}
        client.post("/sandbox/customers", json={"uuid": uuid.upper(), "name": "New", "slug": "new"})
        client.post("/sandbox/customers", json={"uuid": uuid, "enable_learner_portal": False})
        customer = client.get(path, params=query).json()["results"][0]
        assert (customer["name"], customer["slug"], customer["enable_learner_portal"]) == ("New", "new", False)
        client.delete("/sandbox/customers", params=query)
        assert client.get(path, params=query).json()["count"] == 0

    def test_a_customer_needs_a_name(self, client):
        answer = client.post("/sandbox/customers", json={"uuid": "11111111-2222-4333-8444-555555555555"})
        assert answer.status_code == 400

    def test_content_can_be_put_touched_edited_and_removed(self, client, sandbox):
        key = sandbox.dataset.course_keys()[0]
        document = {**sandbox.search_document("course", key), "title": "Put"}
        record = {**sandbox.course_record(key), "title": "Put"}

        def titles():
            found = client.search({"key.raw": key}).json()["results"]
            full = client.get("/api/v1/courses/", params={"keys": key}).json()["results"]
            return [item["title"] for item in (*found, *full)]

        assert client.post("/sandbox/documents", json={"search": document, "record": record}).status_code == 200
        assert titles() == ["Put", "Put"]
        client.post("/sandbox/edit", json={"key": key, "fields": {"title": "Edited"}})
        assert titles() == ["Edited", "Edited"]
        touched = client.post("/sandbox/touch", json={"key": key}).json()["title"]
        assert titles() == [touched, touched]
        client.delete("/sandbox/documents", params={"key": key})
        assert titles() == []

    def test_a_document_can_be_put_beside_one_with_the_same_key(self, client, sandbox):
        """As discovery has them, whose keys are unique per partner only."""
        document = sandbox.search_document("course", sandbox.dataset.course_keys()[0])
        double = {**document, "uuid": "00000000-0000-4000-8000-000000000001"}
        for version in (1, 2):
            for _ in range(2):
                answer = client.post("/sandbox/documents", json={"search": double, "double": True})
                assert answer.status_code == 200
            found = client.search({"key.raw": document["key"]}, version=version).json()
            assert {result["uuid"] for result in found["results"]} == {document["uuid"], double["uuid"]}
            assert found["count"] == len(found["results"]) == 2
        nameless = {name: value for name, value in document.items() if name != "uuid"}
        assert client.post("/sandbox/documents", json={"search": nameless, "double": True}).status_code == 400

    def test_settings_can_be_changed_and_reset(self, client):
        client.post("/sandbox/settings", json={"search_v2": False, "requests_per_hour": 0})
        assert client.search({}, version=2).status_code == 404
        assert client.search({}, version=1).status_code == 429
        client.post("/sandbox/reset")
        assert client.search({}, version=2).status_code == 200
        assert client.post("/sandbox/settings", json={"nonsense": 1}).status_code == 400

    def test_tokens_are_minted(self, client, sandbox):
        query = {"username": "me", "roles": ["enterprise_learner:*", "enterprise_admin:*"]}
        token = client.get("/sandbox/token", params=query).json()["token"]
        claims = sandbox.world.key.verify(token, issuer=sandbox.config.issuer, audience=sandbox.config.audience)
        assert claims["roles"] == query["roles"]
        assert client.get("/sandbox/token").status_code == 400

    def test_a_page_of_another_site_cannot_reach_it(self, client):
        headers = {"Host": "attacker.example.com"}
        assert client.get("/sandbox/token", params={"username": "me"}, headers=headers).status_code == 403

    def test_the_overview_names_what_there_is(self, client):
        overview = client.get("/sandbox/").json()
        assert (len(overview["courses"]), len(overview["programs"]), len(overview["customers"])) == (60, 5, 3)

    def test_what_is_not_there_is_not_found(self, client):
        assert client.get("/sandbox/nothing").status_code == 404
        assert client.get("/nothing/").status_code == 404


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"[]", b'"text"'])
def test_a_search_that_is_no_object_is_refused(client, body):
    assert client.post("/api/v1/search/all/", data=body).status_code == 400


def test_a_stopped_sandbox_refuses_and_returns_at_the_same_place():
    sandbox = Sandbox(courses=1, programs=0)
    with sandbox, requests.Session() as session:
        session.get(f"{sandbox.url}/oauth2/jwks.json", timeout=10)
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{sandbox.url}/oauth2/jwks.json", timeout=10)
        sandbox.start()
        assert session.get(f"{sandbox.url}/oauth2/jwks.json", timeout=10).json() == sandbox.jwks()


def test_the_program_says_when_it_listens_and_ends_when_told(tmp_path):
    command = [sys.executable, "-m", "enterprise_catalog.sandbox", "--port", "0", "--courses", "5", "--programs", "1"]
    with subprocess.Popen([*command, "--data-dir", str(tmp_path)], stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            url = next(word for word in line.split() if word.startswith("http://"))
            assert requests.get(f"{url}/oauth2/jwks.json", timeout=10).json()["keys"]
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=20) == 0
    assert (tmp_path / "jwks.json").exists()


def test_the_sandbox_shares_no_code_with_the_service():
    """A misreading of discovery in the service must not be repeated here."""
    imported: set[str] = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module))
            elif isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
    ours = {name for name in imported if name.startswith("enterprise_catalog")}
    assert all(name.startswith("enterprise_catalog.sandbox") for name in ours)
    assert not {name for name in imported if name.partition(".")[0] in ("django", "rest_framework", "celery")}
