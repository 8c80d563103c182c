"""Resolution of requested queries by callers who may edit a query or not (QRY-1 to QRY-6, QRY-9)."""

import uuid

import pytest
from django.db import transaction

from enterprise_catalog.apps.catalog.exceptions import QueryConflict
from enterprise_catalog.apps.catalog.models import CatalogContentChange, CatalogQuery
from enterprise_catalog.apps.catalog.queries import resolution
from enterprise_catalog.apps.catalog.queries.resolution import RequestedQuery, plan_query, resolve_query
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory, publish_members

pytestmark = pytest.mark.django_db

COURSES = {"content_type": "course"}
PROGRAMS = {"content_type": "program"}
UNKNOWN = uuid.UUID(int=7)


def everybody(query):
    return True


def nobody(query):
    return False


def resolved(content_filter, uuid=None, title=None, may_edit=nobody):
    return resolve_query(requested=RequestedQuery(content_filter, uuid, title), may_edit=may_edit)


def stored(query):
    return CatalogQuery.objects.get(pk=query.pk)


class TestWithoutUuid:
    def test_an_unknown_filter_makes_a_query_with_the_title(self):  # QRY-1
        query = stored(resolved(COURSES, title="Courses").query)
        assert (query.content_filter, query.title, query.named) == (COURSES, "Courses", True)

    def test_a_query_without_uuid_and_title_is_unnamed(self):
        assert not resolved(COURSES).query.named

    def test_the_empty_filter_is_a_filter(self):
        assert resolved({}).query == resolved({}).query

    def test_a_known_filter_is_attached_as_it_is(self):
        """Even a caller who may edit does not rename it (QRY-1)."""
        query = CatalogQueryFactory.create(content_filter=COURSES)
        assert resolved(COURSES, title="Courses", may_edit=everybody).query == query
        assert (stored(query).title, stored(query).named) == (None, False)

    def test_another_spelling_of_the_same_search_is_another_query(self):
        """Equal searches share a fetch, not a query (HASH-1)."""
        assert resolved(COURSES).query != resolved({"content_type": ["course"]}).query


class TestKnownUuidSameFilter:
    def test_a_caller_who_may_edit_renames(self):  # QRY-2
        query = CatalogQueryFactory.create(content_filter=COURSES, title="Old", named=True)
        resolved(COURSES, query.uuid, "New", everybody)
        assert stored(query).title == "New"

    def test_a_title_names_the_query(self):
        query = CatalogQueryFactory.create(content_filter=COURSES)
        resolved(COURSES, query.uuid, "New", everybody)
        assert stored(query).named

    def test_a_caller_who_may_not_edit_attaches_only(self):  # QRY-2
        query = CatalogQueryFactory.create(content_filter=COURSES, title="Old")
        assert resolved(COURSES, query.uuid, "New", nobody).query == query
        assert stored(query).title == "Old"

    def test_no_title_leaves_the_title(self):  # QRY-2
        query = CatalogQueryFactory.create(content_filter=COURSES, title="Old")
        resolved(COURSES, query.uuid, None, everybody)
        assert stored(query).title == "Old"


class TestKnownUuidOtherFilter:
    def test_a_caller_who_may_edit_rewrites_in_place_and_members_stay(self):
        """Members stay until the next publish (QRY-3)."""
        query = CatalogQueryFactory.create(content_filter=COURSES)
        publish_members(query, "edX+A")
        result = resolved(PROGRAMS, query.uuid, "Programs", everybody)
        assert (result.query, result.filter_changed) == (query, True)
        rewritten = stored(query)
        assert (rewritten.content_filter, rewritten.title) == (PROGRAMS, "Programs")
        assert rewritten.content_filter_hash != rewritten.published_filter_hash
        assert rewritten.equivalence_key != query.equivalence_key
        assert rewritten.member_count == rewritten.content_keys.count() == 1

    def test_a_caller_who_may_not_edit_gets_a_query_of_its_own(self):
        """The query is copied, and the title is ignored (QRY-3)."""
        query = CatalogQueryFactory.create(content_filter=COURSES, title="Courses")
        copy = resolved(PROGRAMS, query.uuid, "Programs", nobody).query
        assert (copy.title, copy.named, copy.content_filter) == (None, False, PROGRAMS)
        assert (stored(query).content_filter, stored(query).title) == (COURSES, "Courses")

    def test_copy_on_write_ignores_a_title_that_is_taken(self):
        """Only titles that would be applied can conflict (QRY-6)."""
        query = CatalogQueryFactory.create(content_filter=COURSES)
        CatalogQueryFactory.create(title="Taken")
        assert resolved(PROGRAMS, query.uuid, "Taken", nobody).query.title is None

    def test_repeating_a_copy_on_write_changes_nothing(self):  # QRY-9
        query = CatalogQueryFactory.create(content_filter=COURSES)
        first = resolved(PROGRAMS, query.uuid).query
        assert resolved(PROGRAMS, query.uuid).query == first
        assert CatalogQuery.objects.count() == 2

    def test_a_rewrite_leaves_a_trace_in_the_history(self):
        query = CatalogQueryFactory.create(content_filter=COURSES)
        resolved(PROGRAMS, query.uuid, may_edit=everybody)
        assert [row.content_filter for row in query.history.all()] == [PROGRAMS, COURSES]


class TestTakeOver:
    """An unnamed query with the requested filter replaces the edited one (QRY-3)."""

    @pytest.fixture
    def edited(self):
        return CatalogQueryFactory.create(content_filter=COURSES, title="Mine", named=True)

    @pytest.fixture
    def unnamed(self):
        query = CatalogQueryFactory.create(content_filter=PROGRAMS)
        publish_members(query, "edX+Both", "edX+Joins")
        return query

    def take_over(self, edited, title=None):
        return resolved(PROGRAMS, edited.uuid, title, everybody)

    def test_it_takes_over_uuid_and_title_and_the_old_row_disappears(self, edited, unnamed):
        result = self.take_over(edited)
        assert (result.query, result.replaced_query_id) == (unnamed, edited.pk)
        row = CatalogQuery.objects.get()
        assert (row.pk, row.uuid, row.title, row.named) == (unnamed.pk, edited.uuid, "Mine", True)

    def test_a_new_title_wins(self, edited, unnamed):
        self.take_over(edited, title="New")
        assert stored(unnamed).title == "New"

    def test_catalogs_of_the_edited_query_follow_and_serve_the_published_set(self, edited, unnamed):
        catalogs = EnterpriseCatalogFactory.create_batch(2, catalog_query=edited)
        self.take_over(edited)
        for catalog in catalogs:
            catalog.refresh_from_db()
            assert catalog.catalog_query == unnamed
            assert catalog.catalog_query.member_count == 2

    def test_following_is_no_change_of_the_catalog(self, edited, unnamed):
        """A change of the query does not change `modified` of catalogs, but their history (CRUD-1)."""
        catalog = EnterpriseCatalogFactory.create(catalog_query=edited)
        self.take_over(edited)
        before = catalog.modified
        catalog.refresh_from_db()
        assert catalog.modified == before
        assert [row.catalog_query_id for row in catalog.history.all()] == [unnamed.pk, edited.pk]

    def test_what_joins_and_leaves_is_recorded_for_each_catalog_that_follows(self, edited, unnamed):  # CHG-2
        publish_members(edited, "edX+Leaves", unnamed.content_keys.get(content_id="edX+Both").content)
        mine = EnterpriseCatalogFactory.create_batch(2, catalog_query=edited)
        EnterpriseCatalogFactory.create(catalog_query=unnamed)
        self.take_over(edited)
        changes = CatalogContentChange.objects.values_list("enterprise_catalog", "change", "content_key")
        expected = [("removed", "edX+Leaves"), ("added", "edX+Joins")]
        assert sorted(changes) == sorted((catalog.pk, *change) for catalog in mine for change in expected)

    def test_a_named_query_is_not_taken(self, edited):  # QRY-6
        other = CatalogQueryFactory.create(content_filter=PROGRAMS, named=True)
        with pytest.raises(QueryConflict) as refusal:
            self.take_over(edited)
        assert refusal.value.owners == {"content_filter": other}

    def test_both_conflicts_are_reported_together(self, edited):  # QRY-6
        CatalogQueryFactory.create(content_filter=PROGRAMS, named=True)
        CatalogQueryFactory.create(title="Taken")
        with pytest.raises(QueryConflict) as refusal:
            self.take_over(edited, title="Taken")
        assert set(refusal.value.owners) == {"content_filter", "query_title"}

    def test_a_query_that_others_use_keeps_its_names(self, edited, unnamed):
        """The catalogs move nevertheless (P8, QRY-4, ADR 0015)."""
        mine = EnterpriseCatalogFactory.create(catalog_query=edited)
        EnterpriseCatalogFactory.create(catalog_query=unnamed)
        before = (unnamed.uuid, unnamed.title, unnamed.named)
        CatalogQueryFactory.create(title="Taken")
        result = resolved(PROGRAMS, edited.uuid, "Taken", lambda query: query == edited)
        row = stored(unnamed)
        assert (result.query, result.uuid_changed, (row.uuid, row.title, row.named)) == (unnamed, False, before)
        mine.refresh_from_db()
        assert mine.catalog_query == unnamed
        assert not CatalogQuery.objects.filter(pk=edited.pk).exists()
        # The same again changes nothing (QRY-9).
        assert resolved(PROGRAMS, edited.uuid, "Taken", lambda query: query == edited).query == unnamed
        assert stored(unnamed).uuid == before[0]

    def test_a_query_that_nobody_uses_takes_the_names_over(self, edited, unnamed):
        resolved(PROGRAMS, edited.uuid, "New", lambda query: query == edited)
        assert (stored(unnamed).uuid, stored(unnamed).title) == (edited.uuid, "New")

    def test_keeping_its_own_title_is_no_collision(self, edited, unnamed):
        assert self.take_over(edited, title="Mine").query == unnamed


class TestUnknownUuid:
    def test_an_unknown_filter_makes_a_query_of_that_name(self):  # QRY-5
        query = resolved(COURSES, UNKNOWN, "Courses").query
        assert (query.uuid, query.title, query.named) == (UNKNOWN, "Courses", True)

    def test_an_unnamed_query_without_catalogs_adopts_the_name(self):  # QRY-4
        query = CatalogQueryFactory.create(content_filter=COURSES)
        resolved(COURSES, UNKNOWN, "Courses", nobody)
        adopted = stored(query)
        assert (adopted.uuid, adopted.title, adopted.named) == (UNKNOWN, "Courses", True)

    def test_an_unnamed_query_adopts_the_name_from_a_caller_who_may_edit(self):  # QRY-4
        query = EnterpriseCatalogFactory.create(catalog_query__content_filter=COURSES).catalog_query
        resolved(COURSES, UNKNOWN, None, everybody)
        assert stored(query).uuid == UNKNOWN

    def test_a_query_that_others_use_drops_the_name(self):  # QRY-4
        query = EnterpriseCatalogFactory.create(catalog_query__content_filter=COURSES).catalog_query
        assert resolved(COURSES, UNKNOWN, "Courses", nobody).query == query
        assert (stored(query).uuid, stored(query).title) == (query.uuid, None)

    def test_a_named_query_keeps_its_name(self):
        """Not even a caller who may edit changes it (QRY-4)."""
        query = CatalogQueryFactory.create(content_filter=COURSES, named=True)
        resolved(COURSES, UNKNOWN, "Courses", everybody)
        assert (stored(query).uuid, stored(query).title) == (query.uuid, None)

    def test_repeating_an_adoption_changes_nothing(self):  # QRY-9
        CatalogQueryFactory.create(content_filter=COURSES)
        first = resolved(COURSES, UNKNOWN, "Courses").query
        history = first.history.count()
        assert resolved(COURSES, UNKNOWN, "Courses").query == first
        assert first.history.count() == history


@pytest.mark.parametrize("uuid_known", [True, False])
@pytest.mark.parametrize("filter_known", [True, False])
def test_a_title_that_is_taken_is_refused_where_it_would_be_applied(uuid_known, filter_known):  # QRY-6
    taken = CatalogQueryFactory.create(title="Taken")
    query = CatalogQueryFactory.create(content_filter=COURSES)
    uuid_sent = query.uuid if uuid_known else UNKNOWN
    with pytest.raises(QueryConflict) as refusal:
        resolved(COURSES if filter_known else PROGRAMS, uuid_sent, "Taken", everybody)
    assert refusal.value.owners == {"query_title": taken}


def test_planning_writes_nothing():
    query = CatalogQueryFactory.create(content_filter=COURSES)
    with transaction.atomic():
        plan_query(requested=RequestedQuery(PROGRAMS, query.uuid, "New"), may_edit=everybody)
    assert (stored(query).content_filter, stored(query).title) == (COURSES, None)


def test_the_loser_of_a_race_finds_the_query_of_the_winner(monkeypatch):
    """Two callers create a query with one filter at once."""
    really_plan = resolution.plan_query
    winners: list[CatalogQuery] = []

    def plan_then_lose(**kwargs):
        step = really_plan(**kwargs)
        if not winners:
            winners.append(CatalogQueryFactory.create(content_filter=COURSES))
        return step

    monkeypatch.setattr(resolution, "plan_query", plan_then_lose)
    assert resolved(COURSES).query == winners[0]
