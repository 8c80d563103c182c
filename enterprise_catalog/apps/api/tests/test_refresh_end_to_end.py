"""Refreshes over HTTP: requested by a client, fetched from a discovery server, and read by a client."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db.models import F

from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline import runner
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, admin, client_for, learner, operator
from enterprise_catalog.testing.catalogs import CATALOGS

pytestmark = pytest.mark.django_db

GLOBEX = {"enterprise_customer": str(OTHER_CUSTOMER_UUID), "enterprise_customer_name": "Globex"}
VALUES = {
    "title": "All Content",
    "enterprise_customer": str(CUSTOMER_UUID),
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


def later(*, minutes=11):
    """Make the ends of runs older."""
    RefreshRun.objects.update(finished_at=F("finished_at") - timedelta(minutes=minutes))


def refreshed(path):
    """Ask, some time after the last publish, let a worker do it, and read the run."""
    later()
    run_id = asked(path)
    runner.refresh(run_id)
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
    runner.refresh(run_id)
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


class TestAfterARecentPublish:
    """A request shortly after a publish (RUN-8)."""

    def test_a_second_request_gets_the_recent_run_without_a_fetch(self, sandbox, path):
        published = refreshed(path)
        sandbox.clear_calls()
        response = admin().post(f"{path}refresh_metadata/")
        assert (response.status_code, response.json()) == (200, {"async_task_id": published["id"]})
        assert runner.refresh_next() == []
        assert sandbox.calls() == []
        assert not RefreshRun.objects.exclude(state="published").exists()

    def test_an_edit_is_pulled_by_the_next_request_after_that_time(self, sandbox, path):  # REFR-4
        published = refreshed(path)
        later(minutes=9)
        assert asked(path) == published["id"]
        later(minutes=2)
        assert run_of(asked(path))["state"] == "queued"

    def test_an_operator_gets_a_refresh_at_once(self, sandbox, path):  # REFR-4
        refreshed(path)
        edited = contents(path)[1]["results"][0]["key"]
        sandbox.edit(edited, title="Edited")
        run_id = operator().post(f"{path}refresh_metadata/").json()["async_task_id"]
        runner.refresh(run_id)
        assert contents(path)[1]["results"][0]["title"] == "Edited"

    def test_a_run_that_waits_for_somebody_else_is_not_hurried_by_it(self, path):
        """What waits is the operator's; who asks now has what was published."""
        published = refreshed(path)
        waiting = operator().post(f"{path}refresh_metadata/").json()["async_task_id"]
        assert asked(path) == published["id"]
        assert RefreshRun.objects.get(pk=waiting).asked_by == ["operators"]

    def test_another_filter_is_fetched(self, path):
        refreshed(path)
        programs = admin().patch(path, {"content_filter": {"content_type": "program"}})["X-Refresh-Run"]
        assert run_of(programs)["state"] == "queued"
        runner.refresh(programs)
        assert {item["content_type"] for item in contents(path)[1]["results"]} == {"program"}

    def test_a_former_filter_of_the_query_is_fetched(self, path):
        """The last publish replaced what the former filter found, however recent that was."""
        query = {"catalog_query_uuid": NAMED["catalog_query_uuid"]}
        for content_filter in ({"content_type": "program"}, {"content_type": "course", "level_type": "Advanced"}):
            runner.refresh(admin().patch(path, query | {"content_filter": content_filter})["X-Refresh-Run"])
        again = admin().patch(path, query | {"content_filter": {"content_type": "program"}})["X-Refresh-Run"]
        assert run_of(again)["state"] == "queued"
        assert asked(path) == again

    def test_a_catalog_that_is_made_on_a_published_query_gets_that_publish(self, path):  # CRUD-10
        published = refreshed(path)
        response = admin().post(CATALOGS, VALUES)
        assert (response.status_code, response["X-Refresh-Run"]) == (201, published["id"])
        other = client_for("globex", f"enterprise_admin:{OTHER_CUSTOMER_UUID}").post(CATALOGS, VALUES | GLOBEX)
        assert (other.status_code, other["X-Refresh-Run"]) == (201, published["id"])

    def test_what_was_held_and_approved_was_fetched_before(self, sandbox, path):
        refreshed(path)
        for key in contents(path)[0]:
            sandbox.remove(key)
        held = refreshed(path)
        assert held["state"] == "held"
        assert operator().post(f"/api/v1/refresh-runs/{held['id']}/approve/").status_code == 200
        assert run_of(asked(path))["state"] == "queued"

    def test_a_failure_is_not_a_publish(self, sandbox, path, settings):
        settings.SERVICE_ATTEMPTS = 1
        refreshed(path)
        sandbox.add_fault(endpoint="search", status=400)
        assert refreshed(path)["state"] == "failed"
        assert run_of(asked(path))["state"] == "queued"

    def test_zero_minutes_switch_it_off(self, path, settings):
        settings.REFRESH_JOIN_MINUTES = 0
        runner.refresh(asked(path))
        assert run_of(asked(path))["state"] == "queued"


class TestWhoIsCharged:
    """Who is charged for the requests to discovery of a refresh (RUN-7)."""

    @pytest.mark.parametrize(
        ("who", "name"), [(admin, str(CUSTOMER_UUID)), (operator, "operators")], ids=["admin", "operator"]
    )
    def test_a_request(self, path, who, name):
        RefreshRun.objects.all().delete()
        run_id = who().post(f"{path}refresh_metadata/").json()["async_task_id"]
        assert RefreshRun.objects.get(pk=run_id).asked_by == [name]
        runner.refresh(run_id)
        assert request_budget.last_hour().used_by(name) == request_budget.requests_last_hour() > 0

    def test_a_catalog_that_is_made_or_changed(self, path):
        """For callers who are not operators, the limit is one of the catalog's customer."""
        provisioner = client_for("provisioner", "enterprise_provisioning_admin:*")
        made = provisioner.post(CATALOGS, VALUES | GLOBEX | {"content_filter": {"content_type": "program"}})
        assert RefreshRun.objects.get(pk=made["X-Refresh-Run"]).asked_by == [str(OTHER_CUSTOMER_UUID)]
        changed = admin().patch(path, {"content_filter": {"content_type": "learnerpathway"}})
        assert RefreshRun.objects.get(pk=changed["X-Refresh-Run"]).asked_by == [str(CUSTOMER_UUID)]

    def test_a_query_that_customers_share(self, path):
        """For each of them who asked, once."""
        globex = client_for("globex", f"enterprise_admin:{OTHER_CUSTOMER_UUID}")
        made = globex.post(CATALOGS, VALUES | GLOBEX)
        asked(path)
        run = RefreshRun.objects.get(pk=made["X-Refresh-Run"])
        assert (run.asked_by, run.requests) == ([str(CUSTOMER_UUID), str(OTHER_CUSTOMER_UUID)], 3)


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
def test_a_failure_is_reported_and_changes_nothing(sandbox, path, settings, fault, code):  # REFR-7, RUN-4, P1, P10
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
    monkeypatch.setattr(runner, "store_contents", change_and_store)
    runner.refresh(run_id)
    run = run_of(run_id)
    assert (run["state"], run["reason"]["code"]) == ("failed", "filter_changed")
    assert contents(path)[0] == {}
    waiting = changed[0]["X-Refresh-Run"]
    assert run_of(waiting)["state"] == "queued"
    runner.refresh(waiting)
    assert {item["content_type"] for item in contents(path)[1]["results"]} == {"program"}


def test_a_run_finishes_when_the_last_catalog_is_gone(path):  # RUN-5, CRUD-9
    run_id = asked(path)
    assert admin().delete(path).status_code == 204
    runner.refresh(run_id)
    run = operator().get(f"/api/v1/refresh-runs/{run_id}/").json()
    assert (run["state"], run["reason"]) == ("published", None)
    query = operator().get(f"/api/v1/catalog-queries/{run['catalog_query_uuid']}/").json()
    assert query["content_filter"] == VALUES["content_filter"]


class TestTooMuchGone:
    """More than half of what a catalog holds (REFR-9)."""

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
