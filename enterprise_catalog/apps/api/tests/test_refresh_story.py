"""A refresh as clients see it: asked for over HTTP, done against a discovery that speaks HTTP, read over HTTP."""

import pytest
from django.conf import settings as django_settings

from enterprise_catalog.apps.access.tests.tokens import E, admin, learner, operator
from enterprise_catalog.apps.api.tests.builders import CATALOGS
from enterprise_catalog.apps.catalog.store import store_contents
from enterprise_catalog.apps.refresh import pipeline

pytestmark = pytest.mark.django_db

VALUES = {
    "title": "All Content",
    "enterprise_customer": str(E),
    "enterprise_customer_name": "Acme, Inc.",
    "enabled_course_modes": [],
    "publish_audit_enrollment_urls": False,
    "content_filter": {"content_type": "course"},
}
NAMED = {"catalog_query_uuid": "2f4d9699-41d0-4129-b48d-6692e8c9bd09", "query_title": "Named"}


@pytest.fixture
def path(sandbox) -> str:
    """A catalog of all courses, created and not refreshed yet."""
    return f"{CATALOGS}{admin().post(CATALOGS, VALUES).json()['uuid']}/"


def asked(path):
    """The id of the run that a request for a refresh is answered with."""
    return admin().post(f"{path}refresh_metadata/").json()["async_task_id"]


def run_of(run_id):
    return admin().get(f"/api/v1/refresh-runs/{run_id}/").json()


def refreshed(path):
    """Ask, let a worker do it, and read the run."""
    run_id = asked(path)
    pipeline.refresh(run_id)
    return run_of(run_id)


def contents(path):
    """What the catalog holds: every member with its modification, and the browsed page."""
    diff = learner().post(f"{path}generate_diff/", {"content_keys": []}).json()["items_not_included"]
    keys = [item["content_key"] for item in diff]
    found = learner().post(f"{path}generate_diff/", {"content_keys": keys}).json()["items_found"]
    page = learner().get(f"{path}get_content_metadata/?page_size=100").json()
    return {item["content_key"]: item["date_updated"] for item in found}, page


def test_from_the_request_to_the_content(path):  # REFR-1, REFR-2, RUN-1, RUN-2, RUN-3, P10
    run_id = asked(path)
    waiting = run_of(run_id)
    assert (waiting["state"], waiting["counts"], waiting["attempts"]) == ("queued", None, 0)
    pipeline.refresh(run_id)
    run = run_of(run_id)
    assert (run["state"], run["reason"], run["attempts"]) == ("published", None, 1)
    assert run["requested_at"] <= run["started_at"] <= run["finished_at"]
    members, page = contents(path)
    counts = [run["counts"][name] for name in ("quarantined", "added", "removed", "total")]
    assert counts == [0, len(members), 0, len(members)]
    assert len(members) > 5
    assert 0 < page["count"] <= len(members)
    assert admin().get(path).json()["content_freshness"] == "fresh"


def test_a_catalog_on_a_published_query_serves_at_once(path):  # REFR-2
    refreshed(path)
    other = admin().post(CATALOGS, VALUES).json()
    assert contents(f"{CATALOGS}{other['uuid']}/")[0].keys() == contents(path)[0].keys()


def test_an_edit_is_pulled_by_the_next_run_and_touches_nothing_else(sandbox, path):  # REFR-4, REFR-20, META-21
    refreshed(path)
    before, page = contents(path)
    edited = page["results"][0]["key"]
    sandbox.edit(edited, title="Edited")
    run = refreshed(path)
    assert (run["state"], run["counts"]["added"], run["counts"]["removed"]) == ("published", 0, 0)
    after, page = contents(path)
    assert page["results"][0]["title"] == "Edited"
    assert {key for key in before if before[key] != after[key]} == {edited}
    assert after[edited] > before[edited]


def test_an_edit_of_the_full_record_alone_is_pulled_too(sandbox, path):  # REFR-4, REFR-16
    refreshed(path)
    before, page = contents(path)
    edited = page["results"][0]["key"]
    sandbox.upsert_record(sandbox.course_record(edited) | {"title": "Edited"})
    refreshed(path)
    after, page = contents(path)
    assert page["results"][0]["title"] == "Edited"
    assert {key for key in before if before[key] != after[key]} == {edited}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"endpoint": "search", "status": 400}, "discovery_rejected"),
        ({"endpoint": "search", "status": 401}, "discovery_rejected"),
        ({"endpoint": "search", "status": 403}, "discovery_rejected"),
        ({"endpoint": "search", "status": 503}, "discovery_unavailable"),
        ({"endpoint": "search", "status": 429}, "discovery_throttled"),
        ({"endpoint": "search", "count_delta": 1}, "discovery_incomplete"),
        ({"endpoint": "search", "malformed": True}, "discovery_malformed"),
        ({"endpoint": "courses", "status": 503}, "discovery_unavailable"),
    ],
)
def test_a_failure_is_told_and_changes_nothing(sandbox, path, settings, fault, code):  # REFR-7, RUN-4, P1, P10
    settings.SERVICE_ATTEMPTS = 1
    refreshed(path)
    before = contents(path), admin().get(path).json()
    for key in before[0][0]:
        sandbox.touch(key)
    sandbox.add_fault(**fault)
    run = refreshed(path)
    assert (run["state"], run["reason"]["code"]) == ("failed", code)
    assert (contents(path), admin().get(path).json()) == before
    for secret in (django_settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET, "JWT "):
        assert secret not in run["reason"]["detail"]


def test_a_filter_that_changes_meanwhile(path, monkeypatch):  # REFR-5, RUN-4, REFR-3
    run_id, changed = asked(path), []

    def change_and_store(**arguments):
        if not changed:
            changed.append(admin().put(path, VALUES | NAMED | {"content_filter": {"content_type": "program"}}))
        return store_contents(**arguments)

    admin().put(path, VALUES | NAMED)
    monkeypatch.setattr(pipeline, "store_contents", change_and_store)
    pipeline.refresh(run_id)
    run = run_of(run_id)
    assert (run["state"], run["reason"]["code"]) == ("failed", "filter_changed")
    assert contents(path)[0] == {}
    waiting = changed[0]["X-Refresh-Run"]
    assert run_of(waiting)["state"] == "queued"
    pipeline.refresh(waiting)
    assert {item["content_type"] for item in contents(path)[1]["results"]} == {"program"}


def test_a_run_finishes_when_the_last_catalog_is_gone(path):  # RUN-5, CRUD-9
    run_id = asked(path)
    assert admin().delete(path).status_code == 204
    pipeline.refresh(run_id)
    run = operator().get(f"/api/v1/refresh-runs/{run_id}/").json()
    assert (run["state"], run["reason"]) == ("published", None)
    query = operator().get(f"/api/v1/catalog-queries/{run['catalog_query_uuid']}/").json()
    assert query["content_filter"] == VALUES["content_filter"]


class TestTooMuchGone:
    """REFR-9: more than half of what a catalog holds."""

    @pytest.fixture
    def before(self, sandbox, path):
        """What the catalog held before all its courses left discovery."""
        refreshed(path)
        before = contents(path)
        assert len(before[0]) >= 10
        for key in before[0]:
            sandbox.remove(key)
        return before

    def test_it_is_held_and_readers_keep_what_they_have(self, path, before):  # REFR-8, REFR-10, RUN-4
        run = refreshed(path)
        assert (run["state"], run["reason"]["code"]) == ("held", "guard_shrink")
        assert (run["counts"]["removed"], run["counts"]["total"]) == (len(before[0]), 0)
        assert contents(path) == before

    def test_it_is_published_when_an_operator_says_so(self, path, before):  # REFR-8, RUN-6
        run = refreshed(path)
        assert operator().post(f"/api/v1/refresh-runs/{run['id']}/approve/").json()["state"] == "published"
        members, page = contents(path)
        assert (members, page["count"], page["num_pages"]) == ({}, 0, 1)

    def test_a_held_run_blocks_no_other(self, sandbox, path, before):  # REFR-3, REFR-10, RUN-2
        held = refreshed(path)
        again = refreshed(path)
        assert (run_of(held["id"])["state"], run_of(held["id"])["reason"]["code"]) == ("failed", "superseded")
        assert again["state"] == "held"
        sandbox.reset()
        restored = refreshed(path)
        assert restored["state"] == "published"
        assert run_of(again["id"])["reason"]["code"] == "superseded"
        assert contents(path)[0].keys() == before[0].keys()
