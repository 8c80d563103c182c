"""Overrides of one query: allowed restricted runs and forced courses (V2-1..8, REFR-19)."""

from datetime import timedelta

import orjson
import pytest

from enterprise_catalog.apps.catalog.api_versions import V1, V2
from enterprise_catalog.apps.catalog.models import AllowedRun, CatalogContentKey, ContentMetadata, ContentOverride
from enterprise_catalog.apps.catalog.reading.containment import matching_pairs
from enterprise_catalog.apps.catalog.reading.member_diff import difference_from_members
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_of_listed, rendered_items, stream_listed
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller
from enterprise_catalog.apps.catalog.storage.consistency import violations
from enterprise_catalog.apps.core.datetimes import EPOCH
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline import runner
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import make_query, members, requested

pytestmark = pytest.mark.django_db

B2B = "custom-b2b-enterprise"


def refreshed(query) -> RefreshRun:
    run = requested(query)
    runner.refresh(run.pk)
    run.refresh_from_db()
    query.refresh_from_db()
    return run


def item(query, key, api_version):
    catalog = EnterpriseCatalogFactory.build(catalog_query=query)
    items = rendered_items(query_id=query.pk, content_keys=[key], api_version=api_version)
    link = TemplateFiller(catalog=catalog, customer=None)
    return next(map(orjson.loads, map(link, items)), None)


def contained(query, api_version, *keys):
    return {key for _, key in matching_pairs(query_ids=[query.pk], keys=keys, api_version=api_version)}


def restricted_course(sandbox: Sandbox) -> tuple[str, str]:
    """A course with a run that only enterprises may see, made from one of the sandbox's."""
    for key in sandbox.dataset.course_keys():
        record = sandbox.course_record(key, restrictions=[B2B])
        restricted = [run["key"] for run in record["course_runs"] if run["restriction_type"] == B2B]
        if restricted:
            return key, restricted[0]
    raise AssertionError("the sandbox has none")


@pytest.fixture
def sandbox(sandbox):
    sandbox.stop()
    with Sandbox(courses=60, programs=2, port=int(sandbox.url.rpartition(":")[2])) as larger:
        yield larger


@pytest.fixture
def course(sandbox):
    return restricted_course(sandbox)


def allowing(course_key, *run_keys, prefix="course:"):
    return make_query({"content_type": "course", "restricted_runs_allowed": {f"{prefix}{course_key}": list(run_keys)}})


@pytest.mark.parametrize("prefix", ["course:", ""])
def test_an_allowed_run_is_seen_on_v2_only(course, prefix):  # V2-1, V2-2, V2-3
    key, run = course
    query = allowing(key, run, prefix=prefix)
    assert refreshed(query).state == RefreshRun.State.PUBLISHED
    assert contained(query, V2, run) == {run}
    assert contained(query, V1, run) == set()
    assert run in item(query, key, V2)["course_run_keys"]
    assert run not in str(item(query, key, V1))


def test_v2_shows_unrestricted_runs_first_and_describes_what_it_shows(sandbox, course):  # V2-5
    key, run = course
    query = allowing(key, run)
    refreshed(query)
    shown = item(query, key, V2)
    record = sandbox.course_record(key, restrictions=[B2B])
    unrestricted = [one["key"] for one in record["course_runs"] if one["restriction_type"] is None]
    assert [one["key"] for one in shown["course_runs"]] == [*unrestricted, run] == shown["course_run_keys"]
    assert shown["course_run_statuses"] == sorted({one["status"] for one in shown["course_runs"]})
    assert set(shown["normalized_metadata_by_run"]) == {*unrestricted, run}
    assert all("enrollment_url" in one for one in shown["course_runs"])


@pytest.mark.parametrize("mapping", ["another course", "not listed", "no list", "no object"])
def test_a_run_that_is_not_allowed_stays_hidden(sandbox, course, mapping):  # V2-1
    key, run = course
    other = next(one for one in sandbox.dataset.course_keys() if one != key)
    allowed = {"another course": {other: [run]}, "not listed": {key: ["x"]}, "no list": {key: run}, "no object": run}
    query = make_query({"content_type": "course", "restricted_runs_allowed": allowed[mapping]})
    refreshed(query)
    assert contained(query, V2, run) == set()
    assert run not in str(item(query, key, V2))


def test_the_mapping_never_adds_members(course):  # V2-4
    key, run = course
    query = make_query({"content_type": "program", "restricted_runs_allowed": {key: [run]}})
    refreshed(query)
    assert key not in members(query)
    assert contained(query, V2, run) == set()


def test_nothing_leaks_between_queries(course):  # V2-7, P8
    key, run = course
    allowing_query, other = allowing(key, run), make_query({"content_type": "course"})
    before = ContentMetadata.objects.filter(pk=key)
    for query in (allowing_query, other, allowing_query):
        refreshed(query)
    assert run not in str(item(other, key, V2))
    assert contained(other, V2, run) == set()
    assert before.get().modified == ContentMetadata.objects.get(pk=key).modified


def test_a_removed_mapping_removes_its_allowed_runs(course):
    key, run = course
    query = allowing(key, run)
    refreshed(query)
    query.content_filter = {"content_type": "course"}
    query.save()
    refreshed(query)
    assert contained(query, V2, run) == set()
    assert not ContentOverride.objects.exists()
    assert not AllowedRun.objects.exists()


def test_nothing_new_writes_no_override(course):  # REFR-20
    key, run = course
    query = allowing(key, run)
    refreshed(query)
    before = list(ContentOverride.objects.values()), query.generation, query.content_modified
    refreshed(query)
    assert (list(ContentOverride.objects.values()), query.generation, query.content_modified) == before


def test_a_change_of_the_shared_course_reaches_its_overrides(sandbox, course):
    """The override is merged with the shared search document."""
    key, run = course
    query, other = allowing(key, run), make_query({"content_type": "course"})
    refreshed(query)
    sandbox.upsert_search(sandbox.search_document("course", key) | {"organizations": ["New: Organization"]})
    refreshed(other)
    assert item(query, key, V2)["organizations"] == ["New: Organization"]
    assert run in item(query, key, V2)["course_run_keys"]


def test_pages_and_streams_show_the_override(course):  # META-3, V2-5
    key, run = course
    query = allowing(key, run)
    refreshed(query)
    page = list(page_of_listed(query=query, cut=PageSlice(0, 100), api_version=V2))
    with snapshot():
        walk = stream_listed(query_id=query.pk, api_version=V2)
        walked = list(walk.items)
    assert walked == page
    assert (walk.count, len(page)) == (query.count_v2, query.count_v2)
    assert any(run.encode() in rendered for rendered in page)


def forcing(*keys):
    return make_query({"content_type": "program", "enterprise_force_include_aggregation_keys": list(keys)})


def test_a_forced_course_becomes_a_member_of_this_query_only(sandbox):  # REFR-19
    key = sandbox.dataset.course_keys()[0]
    query, other = forcing(f"course:{key}"), make_query({"content_type": "program"})
    run = refreshed(query)
    refreshed(other)
    assert key in members(query)
    assert key not in members(other)
    assert run.counts["total"] == len(members(other)) + 1
    shown = item(query, key, V1)
    assert shown["enterprise_force_included"] is True
    assert shown["aggregation_key"] == f"course:{key}"
    assert {run["status"] for run in shown["course_runs"]} == {"published"}
    assert {run["availability"] for run in shown["course_runs"]} == {"Current"}
    assert shown["course_run_statuses"] == ["published"] * len(shown["course_runs"])


def test_a_forced_course_without_allowed_runs_is_the_same_in_both_versions(sandbox):  # V2-8
    key = sandbox.dataset.course_keys()[0]
    query = forcing(key)
    refreshed(query)
    assert len(item(query, key, V1)["course_runs"]) > 1
    shown = [rendered_items(query_id=query.pk, content_keys=[key], api_version=api_version) for api_version in (V1, V2)]
    assert shown[0] == shown[1]


def test_a_forced_course_counts_as_modified_when_it_was_forced_in(sandbox):
    """Later publishes do not move the date back (META-11, DIFF-2, CRUD-1)."""
    key = sandbox.dataset.course_keys()[0]
    query = forcing(key)
    refreshed(query)
    forced_in = ContentOverride.objects.get().modified
    ContentMetadata.objects.update(modified=forced_in - timedelta(days=1))
    CatalogContentKey.objects.exclude(content_id=key).first().delete()
    assert refreshed(query).counts["added"] == 1
    assert query.content_modified == forced_in
    difference = difference_from_members(query_id=query.pk, content_keys=[key], modified_at_least=EPOCH)
    assert difference.found == [(key, forced_in)]


def test_other_queries_never_show_a_forced_course_as_forced(sandbox):
    """The order of the refreshes does not matter (REFR-19)."""
    key = sandbox.dataset.course_keys()[0]
    query, other = forcing(key), make_query({"content_type": "course"})
    for one in (query, other, query):
        refreshed(one)
    assert "enterprise_force_included" not in item(other, key, V1)
    assert item(other, key, V1)["organizations"]
    assert item(query, key, V1)["enterprise_force_included"] is True


def test_refreshes_of_two_queries_do_not_rewrite_a_forced_course_in_turn(sandbox):  # REFR-20
    key = sandbox.dataset.course_keys()[0]
    query, other = forcing(key), make_query({"content_type": "course"})
    for one in (query, other, query):
        refreshed(one)
    before = list(ContentMetadata.objects.order_by("pk").values())
    for one in (other, query, other):
        refreshed(one)
    assert list(ContentMetadata.objects.order_by("pk").values()) == before


def test_an_unknown_forced_course_is_reported(sandbox):  # REFR-19
    query = forcing("edX+Unknown")
    run = refreshed(query)
    assert run.state == RefreshRun.State.PUBLISHED
    assert QuarantinedDocument.objects.get(refresh_run=run).content_key == "edX+Unknown"


def test_the_consistency_check_covers_overrides(sandbox, course):
    """`check_consistency` over overrides, and that it would notice."""
    key, run = course
    query = allowing(key, run)
    refreshed(query)
    refreshed(forcing(key))
    assert [str(violation) for violation in violations(deep=True)] == []
    AllowedRun.objects.all().delete()
    ContentOverride.objects.filter(forced=True).update(digest="0" * 32)
    assert {violation.rule for violation in violations(deep=False)} == {"allowed-runs", "override-digest"}
    query.content_keys.filter(content_id=key).delete()
    assert "orphan-override" in {violation.rule for violation in violations(deep=False)}
