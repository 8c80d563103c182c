"""Containment (CONT-1, CONT-2, CONT-8) and pages (META-4, META-5, COM-9)."""

from datetime import timedelta
from uuid import uuid4

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprise_catalog.apps.catalog.content.preparation import prepare_content
from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    Standing,
)
from enterprise_catalog.apps.catalog.reading.containment import matches_in_catalogs_of, matching_pairs
from enterprise_catalog.apps.catalog.reading.pages import (
    Cut,
    asked_members,
    asked_page,
    listed_page,
    walk_asked,
    walk_listed,
)
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.catalog.storage.visibility import members_of
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db

RUN = "course-v1:edX+DemoX+1T"
OTHER_RUN = "course-v1:edX+DemoX+2T"
OPEN = {"is_enrollable": True, "status": "published", "is_marketable": True}


@pytest.fixture
def query():
    return CatalogQueryFactory()


def store(content_type, key, parent=None, record=None, **document):
    document = {"content_type": content_type, "key": key, **document}
    content = prepare_content(
        pack(document),
        content_key=key,
        content_type=content_type,
        parent_content_key=parent,
        content_uuid=None,
        now=timezone.now(),
    )
    records = {key: pack(record)} if record else {}
    store_contents(contents=[content], records=records, still_ours=lambda: None)
    return ContentMetadata.objects.get(pk=key)


def hold(query, content):
    CatalogContentKey.objects.bulk_create(members_of(query=query, contents=[content]))
    listed = CatalogContentKey.objects.filter(catalog_query=query, standing_v1=Standing.LISTED).count()
    CatalogQuery.objects.filter(pk=query.pk).update(count_v1=listed)


def matched(query, *keys):
    return {key for _, key in matching_pairs(query_ids=[query.pk], keys=keys)}


def test_a_member_matches_as_itself(query):
    """CONT-1.1: course, run, program and pathway alike; case matters."""
    for content_type, key in [("course", "edX+DemoX"), ("courserun", RUN), ("program", "p"), ("learnerpathway", "l")]:
        hold(query, store(content_type, key))
    assert matched(query, "edX+DemoX", RUN, "p", "l") == {"edX+DemoX", RUN, "p", "l"}
    assert matched(query, "edx+demox", "EDX+DEMOX", "P") == set()


def test_a_course_matches_through_its_member_run(query):
    """CONT-1.2."""
    hold(query, store("courserun", RUN, parent="edX+DemoX"))
    assert matched(query, "edX+DemoX", OTHER_RUN) == {"edX+DemoX"}


def test_a_nested_run_matches_through_its_member_course(query):
    """CONT-1.3: whatever its dates, from the search document or the full record."""
    ended = {"key": RUN, "end": "2001-01-01T00:00:00Z"}
    hold(query, store("course", "edX+DemoX", course_runs=[ended], record={"course_runs": [{"key": OTHER_RUN}]}))
    assert matched(query, RUN, OTHER_RUN, "course-v1:edX+DemoX+3T") == {RUN, OTHER_RUN}


def test_a_run_document_counts_while_some_query_holds_it(query):
    """CONT-1.3, CONT-8."""
    hold(query, store("course", "edX+DemoX"))
    run = store("courserun", RUN, parent="edX+DemoX")
    assert matched(query, RUN) == set()
    hold(CatalogQueryFactory(), run)
    assert matched(query, RUN) == {RUN}


def test_restricted_runs_never_match(query):
    """CONT-2, V2-2: nested or on their own."""
    nested = {"key": RUN, "restriction_type": "custom-b2b-enterprise"}
    hold(query, store("course", "edX+DemoX", course_runs=[nested]))
    hold(query, store("courserun", OTHER_RUN, parent="edX+DemoX", restriction_type="custom-b2c"))
    assert matched(query, RUN, OTHER_RUN, "edX+DemoX") == {"edX+DemoX"}


def test_an_inactive_course_still_matches(query):
    """CONT-8."""
    hold(query, store("course", "edX+DemoX", course_runs=[]))
    assert matched(query, "edX+DemoX") == {"edX+DemoX"}


@pytest.mark.parametrize("key", ["", "nothing", "k" * 256, "a\x00b", "'; DROP TABLE x; --", "%", "数学"])
def test_blank_unknown_and_odd_keys_match_nothing(query, key):
    """CONT-2, COM-16."""
    hold(query, store("course", "edX+DemoX"))
    assert matched(query, key) == set()


def test_other_queries_are_not_looked_into(query):
    """P8."""
    hold(CatalogQueryFactory(), store("course", "edX+DemoX"))
    assert matched(query, "edX+DemoX") == set()


def test_containment_is_one_statement_for_any_number_of_keys_and_queries(query):
    """P9."""
    hold(query, store("course", "edX+DemoX"))
    others = CatalogQueryFactory.create_batch(12)
    with CaptureQueriesContext(connection) as statements:
        pairs = matching_pairs(
            query_ids=[query.pk, *(other.pk for other in others)], keys=[*map(str, range(50)), "edX+DemoX"]
        )
    assert pairs == {(query.pk, "edX+DemoX")}
    assert len(statements) == 1


def test_catalogs_come_with_their_matches_in_their_order_however_many_keys_are_asked_about(query):
    """CONT-7, COM-9; with more keys than one statement takes, all of one moment (P2)."""
    for key in ("0", "1999"):
        hold(query, store("course", key))
    customer = uuid4()
    last = EnterpriseCatalogFactory(enterprise_uuid=customer, catalog_query=query)
    first = EnterpriseCatalogFactory(enterprise_uuid=customer)
    EnterpriseCatalog.objects.filter(pk=first.pk).update(created=last.created - timedelta(hours=1))
    EnterpriseCatalogFactory(catalog_query=query)
    with CaptureQueriesContext(connection) as statements:
        found = matches_in_catalogs_of(customer, keys=[str(number) for number in range(2000)])
    assert found == [(first.uuid, customer, set()), (last.uuid, customer, {"0", "1999"})]
    assert [match.contained for match in matches_in_catalogs_of(customer, keys=["", "k" * 256])] == [set(), set()]
    assert sum(CatalogContentKey._meta.db_table in statement["sql"] for statement in statements) == 2


def served(page):
    """The keys of rendered items."""
    return [orjson.loads(item.split(b"\x00")[0])["key"] for item in page]


def test_pages_list_active_courses_and_everything_else_in_key_order(query):
    """META-4, COM-9: code points, so capitals first and non-Latin last."""
    for key in ["b", "B", "é", "数", "a+1"]:
        hold(query, store("program", key))
    hold(query, store("course", "open", course_runs=[{"key": "r", **OPEN}]))
    hold(query, store("course", "closed", course_runs=[]))
    page = listed_page(query=query, cut=Cut(0, 10))
    assert served(page.items) == ["B", "a+1", "b", "open", "é", "数"]
    assert page.count == 6
    second = listed_page(query=query, cut=Cut(2, 2))
    assert served(second.items) == ["b", "open"]


def test_an_empty_page_still_knows_the_count(query):
    """COM-7."""
    assert listed_page(query=query, cut=Cut(0, 10)).count == 0
    hold(query, store("program", "p"))
    beyond = listed_page(query=query, cut=Cut(10, 10))
    assert (beyond.count, list(beyond.items)) == (1, [])


def test_a_page_is_one_statement(query):
    """P9."""
    for number in range(30):
        hold(query, store("program", f"p{number:02d}"))
    with CaptureQueriesContext(connection) as statements:
        listed_page(query=query, cut=Cut(0, 30))
    assert len(statements) == 1


def test_asking_by_key_includes_inactive_courses_runs_and_parents(query):
    """META-5."""
    hold(query, store("course", "edX+DemoX", course_runs=[{"key": RUN}, {"key": OTHER_RUN}]))
    hold(query, store("courserun", RUN, parent="edX+DemoX"))
    hold(query, store("courserun", OTHER_RUN, parent="edX+DemoX"))
    hold(query, store("program", "p"))

    def asked(*keys):
        members = asked_members(query_id=query.pk, content_keys=keys)
        return served(asked_page(query=query, members=members, cut=Cut(0, 100)).items)

    assert asked("edX+DemoX") == [RUN, OTHER_RUN, "edX+DemoX"]
    assert asked(RUN) == [RUN, "edX+DemoX"]
    assert asked("p", "unknown", "[]") == ["p"]
    assert asked("[]") == []


def test_a_walk_yields_every_item_once_in_order(query):
    """META-3, P2."""
    names = [f"p{number:03d}" for number in range(250)]
    for name in names:
        hold(query, store("program", name))
    with snapshot():
        walk = walk_listed(query_id=query.pk)
        assert walk.count == 250
        assert served(walk.items) == names
        asked = walk_asked(query_id=query.pk, content_keys=names)
        assert (asked.count, served(asked.items)) == (250, names)
