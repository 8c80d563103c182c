"""Refreshes of documents as they really come: doubles, and documents that cannot be used this time (DISC-8, P1, P7)."""

import pytest

from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    ContentDocuments,
    ContentMetadata,
    ContentOverride,
    EnterpriseCatalog,
)
from enterprise_catalog.apps.catalog.storage import content_store
from enterprise_catalog.apps.catalog.storage.consistency import violations
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline import fetching, runner
from enterprise_catalog.testing.callers import admin
from enterprise_catalog.testing.catalogs import make_catalog, path_of
from enterprise_catalog.testing.documents import program_document
from enterprise_catalog.testing.runs import make_query, members, requested

pytestmark = pytest.mark.django_db

EVERYTHING = {"content_type": ["course", "program", "learnerpathway"]}
COURSES = {"content_type": "course"}
OTHER_UUID = "00000000-0000-4000-8000-000000000001"
UNKNOWN_UUID = "00000000-0000-4000-8000-0000000000ff"


def refreshed(query) -> RefreshRun:
    run = requested(query)
    runner.refresh(run.pk)
    run.refresh_from_db()
    query.refresh_from_db()
    assert run.state == RefreshRun.State.PUBLISHED, (run.reason_code, run.reason_detail)
    assert [violation for violation in violations(deep=True) if violation.rule != "customer-missing"] == []
    return run


def quarantined(run) -> dict[str, str]:
    return dict(QuarantinedDocument.objects.filter(refresh_run=run).values_list("content_key", "reason"))


def rendered(key) -> bytes:
    return bytes(ContentDocuments.objects.get(pk=key).rendered)


@pytest.mark.parametrize("version", [1, 2])
def test_two_courses_with_one_key_are_published_as_one(sandbox, version):
    """The one whose uuid courses/ confirms is chosen, and the other is reported (DISC-8)."""
    sandbox.configure(search_v2=version == 2)
    key = sandbox.dataset.course_keys()[0]
    document = sandbox.search_document("course", key)
    sandbox.upsert_search(document | {"uuid": OTHER_UUID, "title": "Of another partner"}, double=True)
    query = make_query(COURSES)
    run = refreshed(query)
    assert members(query) == sandbox.dataset.course_keys()
    assert unpack(ContentDocuments.objects.get(pk=key).search_document)["title"] == document["title"]
    assert run.counts["fetched"] == len(members(query)) + 1
    assert run.counts["quarantined"] == 1
    assert quarantined(run) == {key: f"double: {OTHER_UUID} has the key of {document['uuid']}"}


def test_a_record_that_comes_twice_is_stored_once(sandbox):  # DISC-8
    sandbox.add_fault(endpoint="courses", duplicate=0, count_delta=1)
    query = make_query(COURSES)
    refreshed(query)
    assert not ContentDocuments.objects.filter(full_record=None).exists()


def nested(levels):
    return {"deep": nested(levels - 1)} if levels else {}


def of_another_kind(document):
    return document | {"aggregation_key": f"video:{document['key']}", "content_type": "video"}


UNUSABLE = {
    "too deep": nested(150),
    "too large": {"full_description": "x" * 3 * 1024 * 1024},
    "too many runs": {"course_runs": [{"key": "r"}] * 5001},
    "no key": {"key": None},
    "a key that is a number": {"key": 7},
    "a key with blanks": {"key": "edX Demo X"},
    "a key with control characters": {"key": "edX\x01"},
    "a key that is too long": {"key": "k" * 300},
    "no type": {"aggregation_key": None},
    "an unreadable type": {"aggregation_key": ["course"]},
    "an unreadable source": {"product_source": ["edx"]},
    "an unreadable course type": {"course_type": {"slug": "audit"}},
}


@pytest.mark.parametrize("odd", UNUSABLE.values(), ids=UNUSABLE)
def test_a_member_whose_document_cannot_be_used_stays_as_it_is_stored(sandbox, odd):  # P1, P7, DISC-17
    query = make_query(COURSES)
    refreshed(query)
    key, new = sandbox.dataset.course_keys()[:1][0], "edX+New"
    before, shown = members(query), rendered(key)
    document = sandbox.search_document("course", key)
    sandbox.dataset.remove(key)
    sandbox.upsert_search(document | {"title": "Edited"} | odd)
    sandbox.upsert_search(
        document | {"key": new, "uuid": UNKNOWN_UUID, "aggregation_key": f"course:{new}"} | odd, double=True
    )
    run = refreshed(query)
    # Nothing new becomes a member.
    assert set(members(query)) - {UNKNOWN_UUID} == set(before)
    assert rendered(key) == shown
    assert quarantined(run)[key]
    assert run.counts["quarantined"] == QuarantinedDocument.objects.filter(refresh_run=run).count() > 0
    catalog = make_catalog(query=query)
    assert admin().get(path_of(catalog, f"contains_content_items/?course_run_ids={key}")).json() == {
        "contains_content_items": True
    }


def test_a_course_that_comes_without_its_key_stays_the_course_that_it_is(sandbox):  # P7, REFR-12
    query = make_query(COURSES)
    refreshed(query)
    key = sandbox.dataset.course_keys()[0]
    document = sandbox.search_document("course", key)
    sandbox.remove(key)
    sandbox.upsert_search(document | {"key": None})
    assert refreshed(query).counts["removed"] == 0
    assert not ContentMetadata.objects.filter(pk=document["uuid"]).exists()


def test_another_thing_with_the_key_of_a_member_keeps_nothing(sandbox):  # P7
    query = make_query({})
    refreshed(query)
    key = sandbox.dataset.course_keys()[0]
    document = sandbox.search_document("course", key)
    sandbox.remove(key)
    sandbox.upsert_search(document | {"aggregation_key": f"video:{key}", "content_type": "video"})
    refreshed(query)
    assert key not in members(query)


def test_a_document_that_cannot_be_prepared_keeps_its_member(sandbox, monkeypatch):
    """Unreadable fields of any kind (P7)."""
    query = make_query(COURSES)
    refreshed(query)
    key = members(query)[0]

    def prepare(packed, *, content_key, **arguments):
        if content_key == key:
            raise KeyError
        return prepare_content(packed, content_key=content_key, **arguments)

    prepare_content = fetching.prepare_content
    monkeypatch.setattr(fetching, "prepare_content", prepare)
    run = refreshed(query)
    assert key in members(query)
    assert quarantined(run) == {key: "cannot be read: KeyError"}


@pytest.mark.parametrize("known_as", ["restricted", "open to all"])
def test_a_run_that_became_restricted_is_not_kept_as_it_was(sandbox, known_as):  # V2-2, P7
    run_key = "course-v1:edX+Alone+1T"
    document = {"content_type": "courserun", "key": run_key, "aggregation_key": "courserun:edX+Alone", "title": "Alone"}
    document["restriction_type"] = "custom-b2c" if known_as == "restricted" else None
    sandbox.upsert_search(document)
    query = make_query({"content_type": "courserun"})
    refreshed(query)
    sandbox.upsert_search(document | {"restriction_type": "custom-b2c"} | nested(150))
    refreshed(query)
    assert (run_key in members(query)) is (known_as == "restricted")
    assert not CatalogContentKey.objects.filter(content_id=run_key, visibility_v1__gt=0).exists()


def test_a_record_that_cannot_be_used_is_reported_and_the_stored_one_stays(sandbox):  # P7, DISC-18
    query = make_query(COURSES)
    refreshed(query)
    key = members(query)[0]
    before = ContentDocuments.objects.get(pk=key).full_record
    sandbox.upsert_record(sandbox.course_record(key) | nested(150))
    run = refreshed(query)
    assert ContentDocuments.objects.get(pk=key).full_record == before
    assert quarantined(run).keys() == {key}
    assert "full record: nested too deeply" in quarantined(run)[key]


@pytest.mark.parametrize("mapped", [False, True])
def test_a_forced_course_whose_record_cannot_be_used_stays_forced(sandbox, mapped):  # P7, REFR-19, V2-5
    key, other = sandbox.dataset.course_keys()[:2]
    restricted = {"key": f"course-v1:{key}+B2B", "restriction_type": "custom-b2b-enterprise", "uuid": OTHER_UUID}
    record = sandbox.course_record(key)
    record["course_runs"] = [*record["course_runs"], restricted]
    sandbox.upsert_record(record)
    sandbox.upsert_record(sandbox.course_record(other) | nested(150))
    query = make_query(
        {"content_type": "program", "enterprise_force_include_aggregation_keys": [key, other]}
        | ({"restricted_runs_allowed": {key: [restricted["key"]]}} if mapped else {})
    )
    refreshed(query)
    override = ContentOverride.objects.values().get()
    sandbox.upsert_record(record | nested(150))
    run = refreshed(query)
    assert key in members(query)
    # Never stored.
    assert other not in members(query)
    assert ContentOverride.objects.values().get() == override
    assert quarantined(run).keys() == {key, other}


def put_what_names_runs(sandbox) -> tuple[str, str]:
    """Put a pathway and a program that name a run of a course by its key alone; return the keys of course and run."""
    courses = (sandbox.search_document("course", key) for key in sandbox.dataset.course_keys())
    course = next(course for course in courses if course["course_runs"])
    key, run_key = course["key"], course["course_runs"][0]["key"]
    step = {"courses": [{"key": key, "course_runs": [{"key": run_key}, {"key": "course-v1:edX+Other+1T"}]}]}
    pathway = {"content_type": "learnerpathway", "uuid": OTHER_UUID, "aggregation_key": f"learnerpathway:{OTHER_UUID}"}
    sandbox.upsert_search(pathway | {"title": "A pathway", "steps": [step]})
    sandbox.upsert_search(program_document(UNKNOWN_UUID, curricula=[{"programs": [step]}]))
    return key, run_key


def restrict(sandbox, key, run_key, restriction):
    """Restrict a run in both documents of its course. Discovery leaks it in the search document."""
    restricted = {"restriction_type": restriction}
    record = sandbox.course_record(key, restrictions=["custom-b2c", "custom-b2b-enterprise"])
    for put, document in (
        (sandbox.upsert_record, record),
        (sandbox.upsert_search, sandbox.search_document("course", key)),
    ):
        runs = [run | restricted if run["key"] == run_key else run for run in document["course_runs"]]
        put(document | {"course_runs": runs})


def page(query) -> str:
    catalog = EnterpriseCatalog.objects.filter(catalog_query=query).first() or make_catalog(query=query)
    return admin().get(path_of(catalog, "get_content_metadata/?page_size=100")).content.decode()


def test_pathways_and_programs_hide_a_run_when_its_course_restricts_it(sandbox):
    """They name runs by key alone, so whether to hide one is known from other documents (V2-2)."""
    key, run_key = put_what_names_runs(sandbox)
    query, courses = make_query({"content_type": ["learnerpathway", "program"]}), make_query(COURSES)
    refreshed(query)
    times_named = page(query).count(run_key)
    assert times_named >= 2
    for restriction, times in (("custom-b2b-enterprise", 0), (None, times_named), ("custom-b2c", 0)):
        restrict(sandbox, key, run_key, restriction)
        # Pathways and programs are not found again, and nothing of them changed.
        refreshed(courses)
        assert page(query).count(run_key) == times
        assert "course-v1:edX+Other+1T" in page(query)


@pytest.mark.parametrize("together", [True, False])
def test_a_worker_that_dies_leaves_nothing_shown(sandbox, monkeypatch, together):  # V2-2, P5
    key, run_key = put_what_names_runs(sandbox)
    query, courses = make_query({"content_type": ["learnerpathway", "program"]}), make_query(COURSES)
    refreshed(make_query(EVERYTHING) if together else query)
    restrict(sandbox, key, run_key, "custom-b2c")

    def die(content_keys):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(content_store, "rerender_contents", die)
        with pytest.raises(SystemExit):
            runner.refresh(requested(courses).pk)
    refreshed(query)
    assert run_key not in page(query)
