"""
A discovery that fails, refuses, truncates or lies, at each point of a fetch.

Readers keep what they have, and the run says why (P1, P10, REFR-7, DISC-5, DISC-8, DISC-9).
"""

from datetime import timedelta

import pytest

from enterprise_catalog.apps.catalog.models import ContentDocuments, NestedRun
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import approve_held
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.runs import make_query, members, requested
from tests.faults.scene import COURSES, Scene, ends_like_a_clean_run, published_catalog

pytestmark = pytest.mark.django_db(transaction=True)

UNAVAILABLE, THROTTLED = "discovery_unavailable", "discovery_throttled"
INCOMPLETE, MALFORMED, REJECTED = "discovery_incomplete", "discovery_malformed", "discovery_rejected"

LIES = {
    "no answer": (UNAVAILABLE, {"endpoint": "search", "drop": True}),
    "500": (UNAVAILABLE, {"endpoint": "search", "page": 2, "status": 500}),
    "503 on the last page": (UNAVAILABLE, {"endpoint": "search", "page": 3, "status": 503}),
    "a body that is cut": (UNAVAILABLE, {"endpoint": "search", "page": 2, "truncate": True}),
    "429": (THROTTLED, {"endpoint": "search", "page": 2, "status": 429, "retry_after": 0}),
    "400": (REJECTED, {"endpoint": "search", "status": 400}),
    "403": (REJECTED, {"endpoint": "search", "page": 2, "status": 403}),
    "401 for ever": (REJECTED, {"endpoint": "search", "status": 401}),
    "404 for a page that was promised": (REJECTED, {"endpoint": "search", "page": 2, "status": 404}),
    "a count too high": (INCOMPLETE, {"endpoint": "search", "count_delta": 1}),
    "a count too low": (INCOMPLETE, {"endpoint": "search", "count_delta": -1}),
    "a count that moves": (INCOMPLETE, {"endpoint": "search", "page": 2, "count_delta": 5}),
    "an item lost between pages": (INCOMPLETE, {"endpoint": "search", "page": 2, "missing": 0}),
    "an end before the end": (INCOMPLETE, {"endpoint": "search", "page": 1, "no_next": True}),
    "pages in a circle": (INCOMPLETE, {"endpoint": "search", "page": 2, "looping_next": True}),
    "no JSON": (MALFORMED, {"endpoint": "search", "page": 2, "malformed": True}),
    "NaN": (MALFORMED, {"endpoint": "search", "page": 2, "nan": True}),
    "nesting beyond the parser": (MALFORMED, {"endpoint": "search", "page": 2, "raw": "[" * 100_000}),
    "a page for people": (MALFORMED, {"endpoint": "search", "raw": "<html>Maintenance</html>"}),
    "a list": (MALFORMED, {"endpoint": "search", "page": 2, "raw": "[]"}),
    "results that are no list": (MALFORMED, {"endpoint": "search", "page": 2, "merge": {"results": {"a": 1}}}),
    "a count that is text": (MALFORMED, {"endpoint": "search", "page": 2, "merge": {"count": "30"}}),
    "no token": (UNAVAILABLE, {"endpoint": "token", "status": 500}),
    "records: 502": (UNAVAILABLE, {"endpoint": "courses", "status": 502}),
    "records: 403": (REJECTED, {"endpoint": "courses", "status": 403}),
    "records: a count too high": (INCOMPLETE, {"endpoint": "courses", "count_delta": 1}),
    "records: no JSON": (MALFORMED, {"endpoint": "courses", "malformed": True}),
}


@pytest.fixture(autouse=True)
def quick(settings):
    settings.DISCOVERY_PAGE_SIZE = 10
    settings.SERVICE_ATTEMPTS = 2
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0


@pytest.fixture
def scene(transactional_db, sandbox, quick) -> Scene:
    return published_catalog(sandbox)


def refreshed(scene: Scene) -> RefreshRun:
    run = requested(scene.query)
    refresh(run.pk)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("lie", LIES)
def test_discovery_answers(lie, scene, sandbox, settings, saw):
    """The catalog stays as it was, and the run says why; the next one brings what is new."""
    code, fault = LIES[lie]
    if fault["endpoint"] == "token":
        settings.BACKEND_SERVICE_EDX_OAUTH2_KEY += " of somebody new"
    sandbox.add_fault(**fault)
    run = refreshed(scene)
    assert (run.state, run.reason_code, scene.shown()) == (RefreshRun.State.FAILED, code, scene.before)
    saw(f"failed, {run.reason_code}: {run.reason_detail}")
    sandbox.clear_faults()
    if fault["endpoint"] == "token":
        settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = sandbox.config.client_id
    assert refreshed(scene).state == RefreshRun.State.PUBLISHED
    ends_like_a_clean_run(scene)


MOVES = {
    "an item that comes twice": {"page": 2, "duplicate": 0},
    "a count that moved once": {"page": 2, "count_delta": 5, "times": 1},
    "an item that moved between two pages once": {"page": 2, "missing": 0, "times": 1},
    "a page that failed once": {"page": 2, "status": 503, "times": 1},
}


@pytest.mark.parametrize("move", MOVES)
def test_discovery_is_in_motion(move, scene, sandbox):
    """What a second look cures is cured: the complete set is published."""
    sandbox.add_fault(endpoint="search", **MOVES[move])
    assert refreshed(scene).state == RefreshRun.State.PUBLISHED
    ends_like_a_clean_run(scene)


def test_next_leads_to_another_host(scene, sandbox):
    """Nobody is asked there: a page that names no cursor of ours fails the fetch (DISC-5)."""
    sandbox.add_fault(endpoint="search", page=1, foreign_next=True)
    run = refreshed(scene)
    assert (run.state, run.reason_code, scene.shown()) == (RefreshRun.State.FAILED, MALFORMED, scene.before)


def test_more_hits_than_the_old_search_can_page_through(scene, sandbox, settings):
    """It fails by name, and truncates nothing (DISC-9)."""
    sandbox.configure(search_v2=False)
    settings.DISCOVERY_WINDOW = 20
    run = refreshed(scene)
    assert (run.state, run.reason_code, scene.shown()) == (RefreshRun.State.FAILED, "window_exceeded", scene.before)


def test_a_filter_lets_ended_runs_through(sandbox):
    """`status` in the filter defeats discovery's own trimming; nobody sees a run that has ended (DISC-14, REFR-13)."""
    query = make_query(COURSES | {"status": "published"})
    run = requested(query)
    refresh(run.pk)
    documents = [unpack(row.search_document) for row in ContentDocuments.objects.filter(pk__in=members(query))]
    ends = [nested["end"] for it in documents for nested in it["course_runs"] if nested["end"]]
    kept = sum(len(it["course_runs"]) for it in documents)
    assert NestedRun.objects.count() > kept > 0, "discovery sent runs that have ended"
    assert min(ends) > f"{database_now() - timedelta(minutes=1):%Y-%m-%dT%H:%M}"


def test_everything_is_gone(scene, sandbox, saw):
    """Believed when somebody approves it; until then readers keep the old set (REFR-8, REFR-9)."""
    empty = sandbox.add_fault(endpoint="search", merge={"count": 0, "results": [], "next": None})
    run = refreshed(scene)
    assert (run.state, run.reason_code, scene.shown()) == (RefreshRun.State.HELD, "guard_shrink", scene.before)
    approve_held(run.pk)
    assert scene.shown() == []
    assert sandbox.fault_applied(empty) >= 1
    saw("held, approved, empty")
    sandbox.clear_faults()
    assert refreshed(scene).state == RefreshRun.State.PUBLISHED
    ends_like_a_clean_run(scene)


def test_everything_stays_gone(scene, sandbox):
    """A day later it is still so, and is believed without a human (REFR-10)."""
    sandbox.add_fault(endpoint="search", merge={"count": 0, "results": [], "next": None})
    held = refreshed(scene)
    RefreshRun.objects.filter(pk=held.pk).update(held_since=database_now() - timedelta(hours=20, minutes=1))
    assert (refreshed(scene).state, scene.shown()) == (RefreshRun.State.PUBLISHED, [])
    held.refresh_from_db()
    assert (held.state, held.reason_code, held.held_keys) == (RefreshRun.State.FAILED, "superseded", None)
