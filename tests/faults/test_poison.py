"""Everything that DISC-17 calls odd, in one answer: what is stored, what is quarantined, what fails."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentDocuments, FullRecordRequest, NestedRun
from enterprise_catalog.apps.catalog.storage.consistency import violations
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.admin_clients import page, signed_in
from enterprise_catalog.testing.runs import make_query, members, requested
from enterprise_catalog.testing.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.django_db

SEARCH, RECORDS = "/api/v2/search/all/", "/api/v1/courses/"
LONG = "edX+" + "L" * 252


@pytest.fixture
def peer(settings) -> Iterator[ScriptedServer]:
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = uuid4().hex
    with ScriptedServer() as server:
        settings.DISCOVERY_INTERNAL_ROOT_URL = server.url
        settings.OAUTH2_PROVIDER_URL = f"{server.url}/oauth2"
        server.answers[RECORDS] = [result()]
        yield server


def result(*documents: Any) -> Reply:
    return Reply({"count": len(documents), "next": None, "results": documents})


def course(key: Any, **fields: Any) -> dict[str, Any]:
    return {"aggregation_key": f"course:{key}", "content_type": "course", "key": key, "course_runs": []} | fields


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def refreshed(query: CatalogQuery) -> RefreshRun:
    run = requested(query)
    refresh(run.pk)
    run.refresh_from_db()
    return run


def reported(run: RefreshRun) -> list[tuple[str, str]]:
    rows = QuarantinedDocument.objects.filter(refresh_run=run)
    return sorted(rows.values_list("content_key", "reason"))


POISON = [
    (None, "", "not an object"),
    ("text", "", "not an object"),
    (["a list"], "", "not an object"),
    # Two without an id: each counts as one, and neither stands in the other's way.
    (course(None, aggregation_key="course:"), "", "no key and no uuid"),
    (course(None, aggregation_key="course:"), "", "no key and no uuid"),
    (course(None, aggregation_key="course:edX+Nameless"), "edX+Nameless", "no key and no uuid"),
    (course(7, aggregation_key="course:edX+Seven"), "", "a key that is no text"),
    (course(LONG), LONG[:255], "a key of 256 characters, at most 255 are allowed"),
    (course("edX+N\x00UL"), "edX+NUL", "a key with control characters"),
    (course(" edX+Blank"), " edX+Blank", "a key with blanks"),
    (course("edX+A Blank"), "edX+A Blank", "a key with blanks"),
    (course("edX+Degree", aggregation_key="degree:edX+Degree"), "edX+Degree", "unknown type 'degree'"),
    (course("edX+Big", text="x" * (3 * 1024 * 1024)), "edX+Big", "bytes as stored"),
    (course("edX+Deep", text=nested(150)), "edX+Deep", "nested too deeply, at most 100 levels are allowed"),
]


def test_all_poison_in_one_answer_costs_itself_only(peer):
    """The rest publishes; each is named with its reason, in the run's counts and on its page (P7, DISC-17, RUN-1)."""
    good = [course("edX+Good"), course("𝄞" * 255)]
    peer.answers[SEARCH] = [result(good[0], *(document for document, _, _ in POISON), good[1])]
    query = make_query()
    run = refreshed(query)
    assert run.state == RefreshRun.State.PUBLISHED
    assert members(query) == ["edX+Good", "𝄞" * 255]
    assert {name: run.counts[name] for name in ("fetched", "quarantined", "total")} == {
        "fetched": len(POISON) + 2,
        "quarantined": len(POISON),
        "total": 2,
    }
    found, expected = reported(run), sorted((key, reason) for _, key, reason in POISON)
    assert [key for key, _ in found] == [key for key, _ in expected]
    assert all(reason in said for (_, said), (_, reason) in zip(found, expected, strict=True))
    shown = signed_in("operator", is_superuser=True).get(page(RefreshRun, "change", run.pk)).content.decode()
    assert all(key in shown for key in ("edX+Big", "edX+Deep", LONG[:255], "no key and no uuid"))


def test_two_types_that_share_a_key_are_one_content(peer):
    """And which one does not depend on their order (DISC-8, DISC-17)."""
    pathway = {"aggregation_key": "learnerpathway:same", "content_type": "learnerpathway", "uuid": "same"}
    query = make_query()
    for documents in ([pathway, course("same")], [course("same"), pathway]):
        peer.answers[SEARCH] = [result(*documents)]
        run = refreshed(query)
        assert (run.state, run.counts["quarantined"], members(query)) == (RefreshRun.State.PUBLISHED, 1, ["same"])
        assert query.content_keys.get().content.content_type == "course"


def test_what_is_odd_and_no_poison_is_stored_as_it_is(peer):
    """Four-byte text, naive dates and those of the year 9999, nulls, NUL inside text (DISC-17)."""
    odd = course("edX+Odd", title="𝄞 数学 a\x00b", start="2026-01-01T00:00:00", end_date="9999-12-31T23:59:59Z")
    odd |= {"languages": None, "seat_types": None, "product_source": None}
    peer.answers[SEARCH] = [result(odd)]
    run = refreshed(make_query())
    assert (run.state, run.counts["quarantined"]) == (RefreshRun.State.PUBLISHED, 0)
    assert unpack(ContentDocuments.objects.get().search_document) == odd


def test_runs_inside_a_course_that_no_column_can_hold_cost_themselves_only(peer):
    """They are shown with their course, and cannot be asked for (P7, CONT-1)."""
    keys = ["run", "run ", "L" * 256, "𝄞" * 255]
    peer.answers[SEARCH] = [result(course("edX+Good", course_runs=[{"key": key} for key in keys]))]
    run = refreshed(make_query())
    assert run.state == RefreshRun.State.PUBLISHED
    assert set(NestedRun.objects.values_list("run_key", flat=True)) == {"run", "𝄞" * 255}
    shown = unpack(ContentDocuments.objects.get().search_document)["course_runs"]
    assert [one["key"] for one in shown] == keys
    assert list(violations(deep=True)) == []


def test_allowed_runs_that_no_column_can_hold_cost_themselves_only(peer):  # P7, V2-1
    keys = ["run", "run ", "L" * 256]
    runs = [{"key": key, "restriction_type": "custom-b2b-enterprise"} for key in keys]
    peer.answers[SEARCH] = [result(course("edX+Good"))]
    peer.answers[RECORDS] = [result({"key": "edX+Good", "course_runs": runs})]
    query = make_query({"content_type": "course", "restricted_runs_allowed": {"edX+Good": keys}})
    assert refreshed(query).state == RefreshRun.State.PUBLISHED
    assert list(query.allowed_runs.values_list("run_key", flat=True)) == ["run"]


def test_courses_forced_in_by_keys_that_no_course_can_have_are_ignored(peer):
    """Whatever discovery says of them (P7, REFR-19)."""
    keys = ["edX+Good", LONG, "edX+Blank ", "edX+N\x00UL"]
    peer.answers[SEARCH] = [result()]
    peer.answers[RECORDS] = [result(*({"key": key, "course_runs": []} for key in keys))]
    query = make_query({"content_type": "program", "enterprise_force_include_aggregation_keys": keys})
    assert refreshed(query).state == RefreshRun.State.PUBLISHED
    assert members(query) == ["edX+Good"]
    assert list(FullRecordRequest.objects.values_list("pk", flat=True)) == ["edX+Good"]


@pytest.mark.parametrize(
    "record",
    [
        {"key": "edX+Odd", "text": "x" * (3 * 1024 * 1024)},
        {"key": "edX+Odd", "text": nested(150)},
        {"key": "edX+Odd", "course_runs": "none"},
        {"key": "edX+Odd", "course_runs": [None, 7, {"key": ["x"]}, {"key": None}], "entitlements": {}},
        {"key": ["edX+Odd"]},
        "text",
        None,
    ],
    ids=["too large", "too deep", "text for runs", "odd runs", "list for a key", "text", "null"],
)
def test_a_poison_record_costs_itself_only(peer, record):
    """Its course is served without it, the others with theirs (P7, DISC-18)."""
    peer.answers[SEARCH] = [result(course("edX+Good"), course("edX+Odd"))]
    peer.answers[RECORDS] = [result(record, {"key": "edX+Good", "title": "from the record"})]
    query = make_query()
    assert refreshed(query).state == RefreshRun.State.PUBLISHED
    assert members(query) == ["edX+Good", "edX+Odd"]
    good = ContentDocuments.objects.get(pk="edX+Good")
    assert unpack(good.full_record or b"")["title"] == "from the record"


@pytest.mark.parametrize(
    "poison",
    [b"NaN", b"Infinity", b"[" * 5000 + b"]" * 5000, b'"\xff"', b'"\\ud800"', b"{"],
    ids=["nan", "infinity", "beyond the parser", "no utf-8", "half a character", "cut"],
)
def test_a_page_that_is_no_json_fails_the_fetch(peer, poison):
    """Nobody can tell what else it lost; what was published stays (DISC-17, P1)."""
    peer.answers[SEARCH] = [result(course("edX+Good"))]
    query = make_query()
    refreshed(query)
    body = orjson.dumps(course("edX+New"))
    peer.answers[SEARCH] = [
        Reply(b'{"count": 2, "next": null, "results": [' + body + b', {"key": ' + poison + b"}]}"),
    ]
    run = refreshed(query)
    assert (run.state, run.reason_code) == (RefreshRun.State.FAILED, "discovery_malformed")
    assert members(query) == ["edX+Good"]
