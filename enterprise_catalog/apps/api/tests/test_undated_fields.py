"""
Undated fields are stored and shown at once, and move no date, no difference and no change feed (META-21).

Real-shaped search documents and full records are edited at random: the dates move exactly when something else differs.
"""

import json
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import assume, given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.content.prepared_content import prepare_content
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.storage.consistency import violations
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.callers import learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.generated_documents import ANYTHING, edited, pairs
from enterprise_catalog.testing.properties import examples
from enterprise_catalog.testing.runs import claimed, make_query

pytestmark = pytest.mark.django_db

UNDATED = ["b2c_subscription_inclusion", "data_modified_timestamp", "enrollment_count", "recent_enrollment_count"]
MISSING = object()
# Search documents with fewer of these fields, or other runs, may be worse variants of the same content, and are not
# stored then (see `catalog.content.search_document_variants`).
VARIANT = ["course_runs", "languages", "seat_types", "level_type", "outcome", "modified"]


def key_of(document: dict[str, Any]) -> str:
    return document.get("key") or document["uuid"]


def store(document: dict[str, Any], record: dict[str, Any] | None) -> bool:
    """Store a content; return False if it could not be built."""
    key, content_type = key_of(document), document["content_type"]
    prepared = prepare_content(
        pack(document), content_key=key, content_type=content_type,
        parent_content_key=document["aggregation_key"].partition(":")[2] if content_type == "courserun" else None,
        content_uuid=None, now=timezone.now(),
    )  # fmt: skip
    records = {} if record is None else {key: pack(record)}
    return not store_contents(contents=[prepared], records=records, assert_lease=lambda: None).unusable


def publish(catalog: EnterpriseCatalog, *keys: str, forced: dict[str, dict[str, Any]] | None = None) -> None:
    """Publish these members, some with an override made of the record."""
    overrides = [WantedOverride(key, pack(record), True, frozenset()) for key, record in (forced or {}).items()]
    publish_or_hold(claim=claimed(catalog.catalog_query), content_keys=keys, counts={}, overrides=overrides)


def item_of(catalog: EnterpriseCatalog, key: str) -> dict[str, Any]:
    answer = learner().get(path_of(catalog, "get_content_metadata/"), {"content_keys": key}).json()
    return next(item for item in answer["results"] if key in (item.get("key"), item.get("uuid")))


def date_of_content(catalog: EnterpriseCatalog) -> str:
    return operator().get(path_of(catalog)).json()["content_last_modified"]


def dates(catalog: EnterpriseCatalog, key: str) -> tuple[Any, ...]:
    """Return everything that integrated channels look at to find what has changed."""
    difference = operator().post(path_of(catalog, "generate_diff/"), {"content_keys": [key, "gone"]})
    changes = operator().get(path_of(catalog, "changes/"))
    assert (difference.status_code, changes.status_code) == (200, 200)
    item = item_of(catalog, key)
    return date_of_content(catalog), item["content_last_modified"], difference.json(), changes.json()["results"]


def dated(document: dict[str, Any] | None) -> str:
    """Return what a date depends on, as comparable text."""
    return json.dumps({name: value for name, value in (document or {}).items() if name not in UNDATED}, sort_keys=True)


@st.composite
def undated_edit(draw: st.DrawFn, document: dict[str, Any] | None) -> Any:
    """Return a copy of a document in which some undated fields appear, change or disappear."""
    if document is None:
        return None
    # What has a restriction type is hidden as a run (V2-2).
    values = ANYTHING.filter(lambda value: "restriction_type" not in json.dumps(value))
    changes = draw(st.dictionaries(st.sampled_from(UNDATED), values | st.just(MISSING)))
    return {name: value for name, value in (document | changes).items() if value is not MISSING}


@st.composite
def any_edit(draw: st.DrawFn, document: dict[str, Any] | None, *, keep: list[str]) -> Any:
    copy = draw(undated_edit(document))
    if copy is None or draw(st.booleans()):
        return copy
    changed = draw(edited(copy))
    rest = {name: value for name, value in changed.items() if name not in keep}
    return rest | {name: copy[name] for name in keep if name in copy}


@st.composite
def edits(draw: st.DrawFn) -> tuple[Any, ...]:
    """Return a sample, and the sample with edits."""
    document, record = draw(st.sampled_from([*SAMPLES, FORCED, FORCED]))
    # A run that becomes restricted is shown no longer.
    keep = ["aggregation_key", "content_type", "key", "uuid", "restriction_type", *VARIANT]
    changed = draw(any_edit(document, keep=keep))
    return document, record, changed, draw(any_edit(record, keep=["key", "uuid"]))


SAMPLES = pairs()
FORCED = next(pair for pair in SAMPLES if pair[0]["content_type"] == "course" and pair[1])


@pytest.fixture
def plain() -> EnterpriseCatalog:
    """A catalog with all samples."""
    return make_catalog(
        *(document for document, _ in SAMPLES), records=[record for _, record in SAMPLES if record is not None]
    )


def test_dates_move_exactly_when_something_else_than_undated_fields_changes(plain, settings):  # META-21
    """A second catalog, whose filter forces a course in, shows that one's record by itself (V2-7)."""
    assert settings.UNDATED_FIELDS == UNDATED
    forcing = make_catalog(query=make_query({"key": ["forcing"]}))

    @given(edits())
    @examples(40)
    def every(edit: tuple[Any, ...]) -> None:
        document, record, changed_document, changed_record = edit
        key = key_of(document)
        catalogs = [plain, forcing] if document is FORCED[0] else [plain]
        assert store(document, record)
        publish(forcing, key_of(FORCED[0]), forced={key_of(FORCED[0]): FORCED[1]})
        before = [dates(catalog, key) for catalog in catalogs]
        assume(store(changed_document, changed_record))
        if forcing in catalogs:
            publish(forcing, key, forced={key: changed_record})
        after = [dates(catalog, key) for catalog in catalogs]
        if (dated(document), dated(record)) == (dated(changed_document), dated(changed_record)):
            assert after == before
            for catalog in catalogs:
                item = item_of(catalog, key)
                # A course that is forced in shows its record alone (REFR-19).
                shown = (changed_document if catalog is plain else {}) | (changed_record or {})
                assert [item.get(name, MISSING) for name in UNDATED] == [shown.get(name, MISSING) for name in UNDATED]
        else:
            for new, old in zip(after, before, strict=True):
                assert (new[0] > old[0], new[1] > old[1]) == (True, True)

    every()
    assert [violation for violation in violations(deep=True) if violation.rule != "customer-missing"] == []


def test_a_nested_field_of_that_name_moves_the_date(plain):  # META-21
    document, record = FORCED
    before = dates(plain, key_of(document))
    run, *others = record["course_runs"]
    store(document, record | {"course_runs": [run | {"enrollment_count": 987}, *others]})
    assert dates(plain, key_of(document))[:2] > before[:2]


def test_operators_choose_the_undated_fields(settings):  # META-21
    settings.UNDATED_FIELDS = ["in_year_value"]
    catalog = make_catalog("edX+A")
    before = dates(catalog, "edX+A")
    store(course_document("edX+A", in_year_value=3), None)
    assert (dates(catalog, "edX+A"), item_of(catalog, "edX+A")["in_year_value"]) == (before, 3)
    store(course_document("edX+A", in_year_value=3, enrollment_count=1), None)
    assert dates(catalog, "edX+A")[:2] > before[:2]


def test_a_conditional_request_sees_an_undated_field_at_once():  # META-21, COM-18
    catalog = make_catalog("edX+A")
    path = path_of(catalog, "get_content_metadata/")
    etag = learner().get(path)["ETag"]
    assert learner().get(path, headers={"If-None-Match": etag}).status_code == 304
    store(course_document("edX+A", enrollment_count=1), None)
    response = learner().get(path, headers={"If-None-Match": etag})
    assert (response.status_code, response.json()["results"][0]["enrollment_count"]) == (200, 1)


def test_a_worse_variant_brings_its_counters_and_nothing_else():
    """A filter for which discovery leaves details out does not take them away from the others (META-21, DISC-14)."""
    best = course_document("edX+A", level_type="Introductory", outcome="O", modified="M", languages=["English"])
    catalog = make_catalog(best)
    before = dates(catalog, "edX+A")
    store(course_document("edX+A", languages=[], enrollment_count=5), None)
    item = item_of(catalog, "edX+A")
    assert dates(catalog, "edX+A") == before
    assert (item["level_type"], item["languages"], item["enrollment_count"]) == ("Introductory", ["English"], 5)
    store(best | {"enrollment_count": 5}, None)
    assert dates(catalog, "edX+A") == before
    assert [violation for violation in violations(deep=True) if violation.rule != "customer-missing"] == []
