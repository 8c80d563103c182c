"""Pages and streams of what a catalog lists, and of the members for some keys (META-4, META-5, COM-9)."""

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.apps.catalog.reading.identifiers import read_identifiers
from enterprise_catalog.apps.catalog.reading.pages import (
    PageSlice,
    find_members_for_keys,
    page_for_keys,
    page_of_listed,
    stream_for_keys,
    stream_listed,
)
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.testing.factories import CatalogQueryFactory
from enterprise_catalog.testing.members import OPEN, OTHER_RUN, RUN, add_member, store_content

pytestmark = pytest.mark.django_db


@pytest.fixture
def query():
    return CatalogQueryFactory()


def served(page):
    """The keys of item templates."""
    return [orjson.loads(item.split(b"\x00")[0])["key"] for item in page]


def test_pages_list_active_courses_and_everything_else_in_key_order(query):
    """Keys are ordered by code points: capitals first and non-Latin last (META-4, COM-9)."""
    for key in ["b", "B", "é", "数", "a+1"]:
        add_member(query, store_content("program", key))
    add_member(query, store_content("course", "open", course_runs=[{"key": "r", **OPEN}]))
    add_member(query, store_content("course", "closed", course_runs=[]))
    page = page_of_listed(query=query, cut=PageSlice(0, 10))
    assert served(page) == ["B", "a+1", "b", "open", "é", "数"]
    second = page_of_listed(query=query, cut=PageSlice(2, 2))
    assert served(second) == ["b", "open"]


def test_a_page_beyond_the_end_is_empty(query):  # COM-7
    assert list(page_of_listed(query=query, cut=PageSlice(0, 10))) == []
    add_member(query, store_content("program", "p"))
    assert list(page_of_listed(query=query, cut=PageSlice(10, 10))) == []


def test_a_page_is_one_statement(query):  # P9
    for number in range(30):
        add_member(query, store_content("program", f"p{number:02d}"))
    with CaptureQueriesContext(connection) as statements:
        page_of_listed(query=query, cut=PageSlice(0, 30))
    assert len(statements) == 1


def test_a_page_for_keys_includes_inactive_courses_runs_and_parents(query):  # META-5
    add_member(query, store_content("course", "edX+DemoX", course_runs=[{"key": RUN}, {"key": OTHER_RUN}]))
    add_member(query, store_content("courserun", RUN, parent="edX+DemoX"))
    add_member(query, store_content("courserun", OTHER_RUN, parent="edX+DemoX"))
    add_member(query, store_content("program", "p"))

    def asked(*keys):
        members = find_members_for_keys(query_id=query.pk, content_keys=read_identifiers(keys))
        return served(page_for_keys(query=query, members=members, cut=PageSlice(0, 100)))

    assert asked("edX+DemoX") == [RUN, OTHER_RUN, "edX+DemoX"]
    assert asked(RUN) == [RUN, "edX+DemoX"]
    assert asked("p", "unknown", "[]") == ["p"]
    assert asked("[]") == []


def test_a_stream_yields_every_item_once_in_order(query):  # META-3, P2
    names = [f"p{number:03d}" for number in range(250)]
    for name in names:
        add_member(query, store_content("program", name))
    with snapshot():
        stream = stream_listed(query_id=query.pk)
        assert stream.count == 250
        assert served(stream.items) == names
        asked = stream_for_keys(query_id=query.pk, content_keys=read_identifiers(names))
        assert (asked.count, served(asked.items)) == (250, names)
