"""
Documents that a database of ordinary size cannot store, and the largest that it must store (DISC-17, P7).

The tests' MariaDB takes statements of 4 MB, as production's may (`scripts.services`). Random text hardly compresses, so
stored documents are about as large as what was sent.
"""

import base64
import random
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from enterprise_catalog.apps.catalog.api_versions import V2
from enterprise_catalog.apps.catalog.models import (
    AllowedRun,
    CatalogQuery,
    ContentDocuments,
    ContentMetadata,
    ContentOverride,
    NestedRun,
)
from enterprise_catalog.apps.catalog.reading.containment import matching_pairs
from enterprise_catalog.apps.catalog.rendering import item_template
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.records import CourseReview
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.scheduling.course_reviews import store_reviews
from enterprise_catalog.apps.services.catalogs import save_catalog
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.callers import OPERATOR, complete_values
from enterprise_catalog.testing.factories import CatalogQueryFactory
from enterprise_catalog.testing.runs import claimed, make_query, members, requested, store_keys
from tests.sandbox_services import point_settings_at

# They hold everywhere; on MariaDB, the server itself refuses what is wrong.
pytestmark = pytest.mark.django_db

COURSES = {"content_type": "course"}
MB = 1_000_000
KEY = "edX+Large"


@pytest.fixture(autouse=True)
def other_services(sandbox: Sandbox, settings: Settings) -> None:
    point_settings_at(sandbox, settings)


def noise(length: int) -> str:
    return base64.b64encode(random.randbytes(length)).decode()[:length]


def refreshed(query: CatalogQuery) -> RefreshRun:
    run = requested(query)
    refresh(run.pk)
    run.refresh_from_db()
    query.refresh_from_db()
    return run


def reported(run: RefreshRun) -> dict[str, str]:
    return dict(QuarantinedDocument.objects.filter(refresh_run=run).values_list("content_key", "reason"))


def put(sandbox: Sandbox, key: str = KEY, *, search: dict[str, Any], record: dict[str, Any] | None = None) -> None:
    """Add a course with these fields in its search document and full record."""
    course = {"key": key, "aggregation_key": f"course:{key}", "content_type": "course", "course_runs": []}
    sandbox.upsert_search(course | search)
    if record is not None:
        sandbox.upsert_record({"key": key, "uuid": None, "course_runs": []} | record)


def stored_text(key: str = KEY) -> tuple[str, str]:
    row = ContentDocuments.objects.get(pk=key)
    return unpack(row.search_document)["full_description"], unpack(row.full_record or b"")["outcome"]


@pytest.mark.mariadb
def test_the_server_takes_no_more_than_4_mb():
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        assert cursor.fetchone() == (4 * 1024 * 1024,)


def test_documents_of_1_mb_are_stored_as_they_are(sandbox):
    """A search document and a full record, whatever they compress to (DISC-17)."""
    texts = noise(MB), noise(MB)
    put(sandbox, search={"full_description": texts[0]}, record={"outcome": texts[1]})
    query = make_query(COURSES)
    run = refreshed(query)
    assert (run.state, reported(run)) == (RefreshRun.State.PUBLISHED, {})
    assert stored_text() == texts


def test_a_forced_course_of_1_mb_is_stored_four_times(sandbox):
    """Its record, what stands for its search document, and its items (DISC-17, REFR-19)."""
    put(sandbox, search={}, record={"outcome": noise(MB)})
    run = refreshed(make_query({"content_type": "program", "enterprise_force_include_aggregation_keys": [KEY]}))
    assert (run.state, reported(run)) == (RefreshRun.State.PUBLISHED, {})
    assert ContentOverride.objects.get().content_id == KEY


def test_a_course_too_large_for_a_statement_costs_itself_only(sandbox):
    """Each of its documents is allowed, all of them in one row are not (P7)."""
    put(sandbox, search={"full_description": noise(2 * MB)}, record={"outcome": noise(2 * MB)})
    query = make_query(COURSES)
    run = refreshed(query)
    assert run.state == RefreshRun.State.PUBLISHED
    assert run.counts["quarantined"] == 1
    assert list(reported(run)) == [KEY]
    assert "bytes together as stored" in reported(run)[KEY]
    assert KEY not in members(query) != []


def test_a_course_that_grows_too_large_keeps_what_is_stored(sandbox):  # P7
    put(sandbox, search={"full_description": "small"}, record={"outcome": "small"})
    query = make_query(COURSES)
    refreshed(query)
    put(sandbox, search={"full_description": noise(2 * MB)}, record={"outcome": noise(2 * MB)})
    run = refreshed(query)
    assert (run.state, list(reported(run))) == (RefreshRun.State.PUBLISHED, [KEY])
    assert stored_text() == ("small", "small")
    assert KEY in members(query)


def test_large_courses_are_rendered_anew_in_statements_that_fit(sandbox, monkeypatch):
    """An upgrade writes stored records again, though none arrives (DISC-17)."""
    for number in range(6):
        put(sandbox, f"edX+Large{number}", search={}, record={"outcome": noise(MB)})
    query = make_query(COURSES)
    refreshed(query)
    monkeypatch.setattr(item_template, "RENDERING_VERSION", item_template.RENDERING_VERSION + 1)
    requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    run = RefreshRun.objects.get(state=RefreshRun.State.QUEUED)
    refresh(run.pk)
    run.refresh_from_db()
    assert (run.state, reported(run)) == (RefreshRun.State.PUBLISHED, {})
    assert set(ContentMetadata.objects.values_list("rendering_version", flat=True)) == {item_template.RENDERING_VERSION}


def test_reviews_of_large_courses_fit_too(sandbox):  # META-19
    keys = [f"edX+Large{number}" for number in range(6)]
    for key in keys:
        put(sandbox, key, search={}, record={"outcome": noise(MB)})
    refreshed(make_query(COURSES))
    before = dict(ContentMetadata.objects.filter(pk__in=keys).values_list("pk", "rendered_digest"))
    store_reviews([CourseReview(key, 3, 4.5) for key in keys])
    after = dict(ContentMetadata.objects.filter(pk__in=keys).values_list("pk", "rendered_digest"))
    assert not before.items() & after.items()


def test_a_course_with_very_many_runs_is_stored(sandbox):
    """The rows of its runs are more than one statement takes (DISC-17)."""
    key = "𝄞" * 255
    runs = [{"key": f"r{number}"} for number in range(5000)]
    put(sandbox, key, search={"course_runs": runs})
    run = refreshed(make_query(COURSES))
    assert (run.state, reported(run)) == (RefreshRun.State.PUBLISHED, {})
    assert NestedRun.objects.filter(course_id=key).count() == len(runs)
    put(sandbox, key, search={"course_runs": []})
    refreshed(make_query({"content_type": ["course"]}))
    assert not NestedRun.objects.filter(course_id=key).exists()


def test_an_override_too_large_for_a_statement_costs_itself_only(sandbox):
    """The course is shown as everywhere, and named (P7, V2-5)."""
    put(sandbox, search={}, record={"outcome": noise(2 * MB)})
    other = sandbox.dataset.course_keys()[0]
    query = make_query({"content_type": "course", "enterprise_force_include_aggregation_keys": [KEY, other]})
    run = refreshed(query)
    assert (run.state, run.counts["quarantined"]) == (RefreshRun.State.PUBLISHED, 1)
    assert "as a filter shows it" in reported(run)[KEY]
    assert [row.content_id for row in ContentOverride.objects.all()] == [other]
    assert {KEY, other} <= set(members(query))


def test_an_override_that_grows_too_large_with_its_course_stays_as_it_is(sandbox):
    """Whoever's refresh brings the change (P7)."""
    record = {"outcome": noise(1_200_000)}
    put(sandbox, search={"full_description": "small"}, record=record)
    allowing, plain = make_query(COURSES | {"restricted_runs_allowed": {KEY: ["x"]}}), make_query(COURSES)
    refreshed(allowing)
    before = ContentOverride.objects.get().rendered_v2
    ContentOverride.objects.update(allowed_keys=[noise(1_900_000)])
    put(sandbox, search={"full_description": noise(700_000)}, record=record)
    run = refreshed(plain)
    assert run.state == RefreshRun.State.PUBLISHED
    assert "as a filter shows it" in reported(run)[KEY]
    assert ContentOverride.objects.get().rendered_v2 == before


def test_very_many_allowed_runs_are_stored(sandbox):
    """The course's key stands in each row (V2-1)."""
    key = "𝄞" * 255
    keys = [f"r{number}" for number in range(5000)]
    runs = [{"key": run, "restriction_type": "custom-b2b-enterprise"} for run in keys]
    put(sandbox, key, search={}, record={"course_runs": runs})
    run = refreshed(make_query(COURSES | {"restricted_runs_allowed": {key: keys}}))
    assert (run.state, reported(run)) == (RefreshRun.State.PUBLISHED, {})
    assert AllowedRun.objects.count() == len(keys)


def test_the_largest_filter_is_stored_with_its_history():
    """A text of 1 MiB is three and a half times as long as JSON in SQL (QRY-8)."""
    content_filter = {"q": "é" * ((1024 * 1024 - 20) // 2)}
    saved = save_catalog(catalog=None, values=complete_values(content_filter=content_filter), grants=OPERATOR)
    query = CatalogQuery.objects.get(pk=saved.catalog.catalog_query_id)
    assert query.content_filter == content_filter
    assert query.history.get().content_filter == content_filter


@pytest.mark.parametrize("letter", ["x", "𝄞"])
def test_a_thousand_of_the_longest_keys_can_be_asked_for(letter):  # CONT-1, COM-16
    query = CatalogQueryFactory.create()
    keys = [f"{number:04}" + letter * 251 for number in range(1000)]
    assert matching_pairs(query_ids=[query.pk], keys=keys, api_version=V2) == set()


def rare_text(length: int) -> str:
    return "".join(map(chr, random.choices(range(0x20000, 0x28000), k=length)))


@pytest.mark.parametrize(
    ("key", "state", "said"),
    [(noise, RefreshRun.State.HELD, ""), (rare_text, RefreshRun.State.FAILED, "too large")],
    ids=["held", "refused"],
)
def test_a_set_too_large_to_be_held_is_refused_and_changes_nothing(key, state, said):
    """Twenty thousand long keys can be held for a decision, of four bytes each letter they cannot (REFR-9, REFR-10)."""
    query = make_query()
    old = [f"edX+{number}" for number in range(10)]
    store_keys(old)
    publish_or_hold(claim=claimed(query), content_keys=old, counts={})
    found = {key(255) for _ in range(20_000)}
    assert publish_or_hold(claim=claimed(query), content_keys=found, counts={}) == state
    run = RefreshRun.objects.get(state=state)
    assert run.reason_code == "guard_shrink"
    assert said in run.reason_detail
    assert members(query) == sorted(old)
