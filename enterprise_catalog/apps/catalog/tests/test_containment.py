"""Which keys are contained, and through which members (CONT-1, CONT-2, CONT-8)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    EnterpriseCatalog,
)
from enterprise_catalog.apps.catalog.reading.containment import matches_in_catalogs_of, matching_pairs
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.members import OTHER_RUN, RUN, add_member, store_content

pytestmark = pytest.mark.django_db


@pytest.fixture
def query():
    return CatalogQueryFactory()


def matched(query, *keys):
    return {key for _, key in matching_pairs(query_ids=[query.pk], keys=keys)}


def test_a_member_matches_as_itself(query):
    """Courses, runs, programs and pathways match; case matters (CONT-1.1)."""
    for content_type, key in [("course", "edX+DemoX"), ("courserun", RUN), ("program", "p"), ("learnerpathway", "l")]:
        add_member(query, store_content(content_type, key))
    assert matched(query, "edX+DemoX", RUN, "p", "l") == {"edX+DemoX", RUN, "p", "l"}
    assert matched(query, "edx+demox", "EDX+DEMOX", "P") == set()


def test_a_course_matches_through_its_member_run(query):  # CONT-1.2
    add_member(query, store_content("courserun", RUN, parent="edX+DemoX"))
    assert matched(query, "edX+DemoX", OTHER_RUN) == {"edX+DemoX"}


def test_a_nested_run_matches_through_its_member_course(query):
    """Runs of search document and full record both match, whatever their dates (CONT-1.3)."""
    ended = {"key": RUN, "end": "2001-01-01T00:00:00Z"}
    add_member(
        query, store_content("course", "edX+DemoX", course_runs=[ended], record={"course_runs": [{"key": OTHER_RUN}]})
    )
    assert matched(query, RUN, OTHER_RUN, "course-v1:edX+DemoX+3T") == {RUN, OTHER_RUN}


def test_a_run_document_counts_while_some_query_holds_it(query):  # CONT-1.3, CONT-8
    add_member(query, store_content("course", "edX+DemoX"))
    run = store_content("courserun", RUN, parent="edX+DemoX")
    assert matched(query, RUN) == set()
    add_member(CatalogQueryFactory(), run)
    assert matched(query, RUN) == {RUN}


def test_restricted_runs_never_match(query):
    """Restricted runs do not match, nested or on their own (CONT-2, V2-2)."""
    nested = {"key": RUN, "restriction_type": "custom-b2b-enterprise"}
    add_member(query, store_content("course", "edX+DemoX", course_runs=[nested]))
    add_member(query, store_content("courserun", OTHER_RUN, parent="edX+DemoX", restriction_type="custom-b2c"))
    assert matched(query, RUN, OTHER_RUN, "edX+DemoX") == {"edX+DemoX"}


def test_an_inactive_course_still_matches(query):  # CONT-8
    add_member(query, store_content("course", "edX+DemoX", course_runs=[]))
    assert matched(query, "edX+DemoX") == {"edX+DemoX"}


@pytest.mark.parametrize("key", ["", "nothing", "k" * 256, "a\x00b", "'; DROP TABLE x; --", "%", "数学"])
def test_blank_unknown_and_odd_keys_match_nothing(query, key):  # CONT-2, COM-16
    add_member(query, store_content("course", "edX+DemoX"))
    assert matched(query, key) == set()


def test_other_queries_do_not_match(query):  # P8
    add_member(CatalogQueryFactory(), store_content("course", "edX+DemoX"))
    assert matched(query, "edX+DemoX") == set()


def test_containment_is_one_statement_for_any_number_of_keys_and_queries(query):  # P9
    add_member(query, store_content("course", "edX+DemoX"))
    others = CatalogQueryFactory.create_batch(12)
    with CaptureQueriesContext(connection) as statements:
        pairs = matching_pairs(
            query_ids=[query.pk, *(other.pk for other in others)], keys=[*map(str, range(50)), "edX+DemoX"]
        )
    assert pairs == {(query.pk, "edX+DemoX")}
    assert len(statements) == 1


def test_catalogs_come_with_their_matches_in_their_order_however_many_keys_are_asked_about(query):
    """More keys than one statement takes are read in one snapshot (P2, CONT-7, COM-9)."""
    for key in ("0", "1999"):
        add_member(query, store_content("course", key))
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
