"""Pages deep inside a large catalog, whatever is published meanwhile (P2, P9)."""

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprise_catalog.apps.catalog.api_versions import API_VERSIONS
from enterprise_catalog.apps.catalog.content.prepared_content import prepare_content
from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata
from enterprise_catalog.apps.catalog.reading.page_offsets import CHECKPOINT_INTERVAL
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_of_listed
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.core.db.snapshots import InconsistentRead
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.testing.factories import CatalogQueryFactory, publish_members

pytestmark = pytest.mark.django_db

KEYS = [f"p{number:03d}" for number in range(3 * CHECKPOINT_INTERVAL + 50)]
DEEP = 2 * CHECKPOINT_INTERVAL + 30


@pytest.fixture
def query():
    now = timezone.now()
    contents = [
        prepare_content(
            pack({"content_type": "program", "key": key}),
            content_key=key,
            content_type="program",
            parent_content_key=None,
            content_uuid=None,
            now=now,
        )
        for key in KEYS
    ]
    store_contents(contents=contents, records={}, assert_lease=lambda: None)
    query = CatalogQueryFactory()
    publish(query, KEYS)
    return query


def publish(query, keys):
    publish_members(query, *ContentMetadata.objects.filter(pk__in=keys))


def keys_on(query, offset, limit=10):
    page = page_of_listed(query=query, cut=PageSlice(offset, limit))
    return [orjson.loads(item.split(b"\x00")[0])["key"] for item in page]


@pytest.mark.parametrize("offset", [0, 90, 95, 100, 101, 199, 200, 345, 349, 350, 4000])
def test_every_page_is_the_one_of_its_offset(query, offset):  # COM-9
    assert keys_on(query, offset) == KEYS[offset : offset + 10]


def test_a_page_larger_than_the_checkpoint_interval(query):
    assert keys_on(query, 110, limit=220) == KEYS[110:330]


def test_only_the_first_page_of_a_generation_reads_checkpoints(query):
    with CaptureQueriesContext(connection) as first:
        keys_on(query, DEEP)
    with CaptureQueriesContext(connection) as others:
        keys_on(query, DEEP)
        keys_on(query, DEEP - 100)
    assert (len(first), len(others)) == (2, 2)


def test_another_generation_has_other_checkpoints(query):
    keys_on(query, DEEP)
    publish(query, KEYS[50:])
    assert keys_on(query, DEEP) == KEYS[50 + DEEP : 50 + DEEP + 10]


def test_a_publish_after_the_query_was_read(query):
    """A page is never of another generation than the row, whether or not checkpoints are cached (P2)."""
    stale = CatalogQuery.objects.get(pk=query.pk)
    keys_on(stale, DEEP)
    unread = CatalogQuery.objects.get(pk=query.pk)
    publish(query, KEYS[50:])
    for old in (stale, unread):
        for offset in (0, DEEP):
            with pytest.raises(InconsistentRead):
                keys_on(old, offset)


def test_generations_that_are_counted_again(query):
    """A restored database gives the same generation to other content."""
    keys_on(query, DEEP)
    generation = query.generation
    publish(query, KEYS[50:])
    query.generation = generation
    query.save()
    assert keys_on(query, DEEP) == KEYS[50 + DEEP : 50 + DEEP + 10]


def test_nothing_left_to_begin_at(query):
    publish(query, [])
    assert keys_on(query, DEEP) == []


@pytest.mark.mariadb
def test_a_deep_page_reads_no_more_rows_than_the_first(query):
    """The database counts at most a hundred more index entries at any depth (P9)."""

    def counted():
        with connection.cursor() as cursor:
            # Also entries that it rejects inside the index, which do not count as read.
            cursor.execute(
                "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Handler_icp_attempts'"
            )
            return sum(int(count) for _, count in cursor.fetchall())

    def read(offset):
        keys_on(query, offset)
        # The entries that counting itself reads.
        own = -counted() + counted()
        before = counted()
        keys_on(query, offset)
        return counted() - before - own

    first = read(0)
    assert all(read(offset) <= first + 2 * CHECKPOINT_INTERVAL for offset in (DEEP, len(KEYS) - 10))
    assert read(DEEP - DEEP % CHECKPOINT_INTERVAL) <= first + 10


@pytest.mark.mariadb
@pytest.mark.parametrize("api_version", API_VERSIONS, ids=lambda api_version: api_version.name)
def test_pages_are_cut_on_their_own_index(query, api_version):
    """MariaDB must not use the index of the members, where it reads all entries before the page (P9)."""
    with CaptureQueriesContext(connection) as captured:
        page_of_listed(query=query, cut=PageSlice(DEEP, 10), api_version=api_version)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured[-1]['sql']}")
        (plan,) = [row for row in dictionaries(cursor) if row["table"] == "member"]
    assert (plan["key"], plan["Extra"]) == (f"pages_of_query_{api_version.name}", "Using where; Using index")


def dictionaries(cursor):
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
