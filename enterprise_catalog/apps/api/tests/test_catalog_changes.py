"""CHG-1 to CHG-4 over HTTP: each change of a catalog once, in order, from any point on."""

import re
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from enterprise_catalog.apps.api.v1.catalog_changes import cursor_of, position_of
from enterprise_catalog.apps.catalog.models import CatalogContentChange, CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.publishing import (
    apply_difference,
    lock_for_publishing,
    membership_difference,
)
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, learner, operator
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of, publish, store
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import keys, make_query

pytestmark = pytest.mark.django_db

MALFORMED = {"since": ["Must be an ISO 8601 datetime or a cursor."]}


def ask(catalog, since=None, query="", **headers):
    if since is not None:
        query = f"since={quote(since)}&{query}"
    return learner().get(f"{path_of(catalog, 'changes/')}?{query}", headers=headers)


def told(response):
    return [(entry["change"], entry["content_key"]) for entry in response.json()["results"]]


def added(*names):
    return [("added", name) for name in names]


def removed(*names):
    return [("removed", name) for name in names]


def hold(query, *names):
    publish(query, *(course_document(name) for name in names))


def move(catalog, query):
    answer = operator().patch(path_of(catalog), {"catalog_query_uuid": str(query.uuid)})
    assert answer.json()["catalog_query_uuid"] == str(query.uuid)


@pytest.fixture
def catalog():
    """One that was there before its first publish."""
    return make_catalog()


@pytest.fixture
def query(catalog):
    return catalog.catalog_query


def test_an_entry_says_what_happened_when_and_in_which_run(catalog, query):  # CHG-1, COM-13
    before = timezone.now()
    hold(query, "edX+A")
    response = ask(catalog)
    assert list(response.json()) == ["next", "cursor", "results"]
    (entry,) = response.json()["results"]
    run = RefreshRun.objects.get(state="published")
    assert list(entry) == ["content_key", "content_type", "change", "changed_at", "refresh_run"]
    assert (entry["content_type"], entry["refresh_run"]) == ("course", str(run.pk))
    assert entry["changed_at"].endswith("Z")
    assert before <= datetime.fromisoformat(entry["changed_at"]) <= timezone.now()


def test_what_joins_and_leaves_comes_oldest_first(catalog, query):  # CHG-2
    hold(query, "edX+B", "edX+A")
    hold(query, "edX+A", "edX+C")
    assert told(ask(catalog)) == [*added("edX+A", "edX+B"), *removed("edX+B"), *added("edX+C")]


def test_an_edited_item_is_no_change(catalog, query):  # CHG-2
    hold(query, "edX+A")
    publish(query, course_document("edX+A", title="edited", course_runs=[]))
    assert told(ask(catalog)) == added("edX+A")


def test_a_new_catalog_lists_what_its_query_holds_already():  # CHG-2
    query = make_catalog("edX+A", "edX+B").catalog_query
    hold(query, "edX+A")
    response = ask(make_catalog(query=query))
    assert told(response) == added("edX+A")
    assert response.json()["results"][0]["refresh_run"] is None


def test_a_catalog_that_was_created_over_the_api_has_changes():  # CHG-2, CRUD-4
    query = make_catalog("edX+A").catalog_query
    body = {
        "title": "New",
        "enterprise_customer": str(CUSTOMER_UUID),
        "enterprise_customer_name": "Acme",
        "enabled_course_modes": [],
        "publish_audit_enrollment_urls": False,
        "content_filter": query.content_filter,
    }
    created = EnterpriseCatalog.objects.get(pk=admin().post(CATALOGS, body).json()["uuid"])
    hold(query, "edX+A", "edX+B")
    assert told(ask(created)) == added("edX+A", "edX+B")


class TestMoves:
    """CHG-2: only what happened while the catalog was attached, each change once."""

    @pytest.fixture
    def other(self):
        query = make_query({"key": ["other"]})
        hold(query, "edX+A", "edX+X")
        return query

    def test_a_move_lists_the_difference(self, catalog, query, other):
        hold(query, "edX+A", "edX+B")
        move(catalog, other)
        response = ask(catalog)
        assert told(response) == [*added("edX+A", "edX+B"), *removed("edX+B"), *added("edX+X")]
        assert [entry["refresh_run"] is None for entry in response.json()["results"]] == [False, False, True, True]

    def test_what_happens_to_the_former_query_is_not_told(self, catalog, query, other):
        hold(query, "edX+A")
        move(catalog, other)
        hold(query, "edX+A", "edX+Late")
        hold(other, "edX+A")
        assert told(ask(catalog)) == [*added("edX+A"), *added("edX+X"), *removed("edX+X")]

    def test_what_happened_to_the_new_query_before_is_not_told(self, catalog, query, other):
        hold(other, "edX+A")
        move(catalog, other)
        assert told(ask(catalog)) == added("edX+A")

    def test_there_and_back_again(self, catalog, query, other):
        hold(query, "edX+A", "edX+B")
        move(catalog, other)
        hold(query, "edX+A", "edX+B", "edX+Unseen")
        hold(other, "edX+A", "edX+X", "edX+Y")
        move(catalog, query)
        hold(query, "edX+A")
        assert told(ask(catalog)) == [
            *added("edX+A", "edX+B"),
            *(*removed("edX+B"), *added("edX+X")),
            *added("edX+Y"),
            *(*removed("edX+X", "edX+Y"), *added("edX+B", "edX+Unseen")),
            *removed("edX+B", "edX+Unseen"),
        ]

    def test_pages_and_cursors_tell_the_same(self, catalog, query, other):  # CHG-3
        self.test_there_and_back_again(catalog, query, other)
        whole, walked, url = told(ask(catalog)), [], f"{path_of(catalog, 'changes/')}?page_size=2"
        while url:
            response = learner().get(url)
            walked += told(response)
            url = response.json()["next"]
        assert walked == whole

    def test_each_catalog_of_a_query_that_was_replaced_lists_the_difference(self, catalog, query, other):  # QRY-3
        hold(query, "edX+A", "edX+B")
        CatalogQuery.objects.filter(pk=query.pk).update(named=True)
        body = {"catalog_query_uuid": str(query.uuid), "content_filter": other.content_filter}
        assert operator().patch(path_of(catalog), body).status_code == 200
        hold(other, "edX+A")
        assert told(ask(catalog)) == [
            *added("edX+A", "edX+B"),
            *(*removed("edX+B"), *added("edX+X")),
            *removed("edX+X"),
        ]

    def test_an_empty_move_is_remembered_too(self, catalog, query):
        same = make_query({"key": ["same"]})
        for each in (query, same):
            hold(each, "edX+A")
        move(catalog, same)
        hold(query, "edX+A", "edX+Q")
        hold(same, "edX+A", "edX+S")
        assert told(ask(catalog)) == added("edX+A", "edX+S")


class TestHidden:
    """V2-3."""

    RUN = "course-v1:edX+A+1T"

    def test_a_restricted_run_joins_and_leaves_unseen(self, catalog, query):
        publish(query, course_document("edX+A"), run_document(self.RUN, "edX+A", restriction_type="custom-b2c"))
        hold(query, "edX+A")
        assert told(ask(catalog)) == added("edX+A")

    def test_a_run_that_becomes_restricted_has_left(self, catalog, query):
        publish(query, course_document("edX+A"), run_document(self.RUN, "edX+A"))
        store(run_document(self.RUN, "edX+A", restriction_type="custom-b2c"))
        hold(query, "edX+A")
        assert told(ask(catalog)) == [*added(self.RUN, "edX+A"), *removed(self.RUN)]


class TestReadingOn:
    """CHG-3."""

    @pytest.mark.parametrize(("page_size", "length"), [("", 100), ("2", 2), ("2000", 103), ("0", 100), ("x", 100)])
    def test_sizes_of_pages(self, catalog, query, page_size, length):  # COM-8
        hold(query, *keys(103))
        response = ask(catalog, query=f"page_size={page_size}")
        assert len(told(response)) == length
        assert (response.json()["next"] is None) is (length == 103)

    def test_a_page_holds_a_thousand_at_most(self, catalog):
        now = timezone.now()
        CatalogContentChange.objects.bulk_create(
            CatalogContentChange(
                catalog_query=catalog.catalog_query,
                content_key=f"{number}",
                content_type="course",
                change="added",
                changed_at=now,
            )
            for number in range(1001)
        )
        response = ask(catalog, query="page_size=5000")
        assert (len(told(response)), told(learner().get(response.json()["next"]))) == (1000, added("1000"))

    def test_next_is_an_absolute_url_that_keeps_the_rest(self, catalog, query):  # COM-10
        hold(query, *keys(3))
        response = ask(catalog, query="page_size=2&x=1")
        cursor = response.json()["cursor"]
        path = path_of(catalog, "changes/")
        assert response.json()["next"] == f"http://testserver{path}?page_size=2&x=1&since={cursor}"

    def test_a_cursor_leads_to_what_comes_later(self, catalog, query):
        hold(query, "edX+A")
        cursor = ask(catalog).json()["cursor"]
        assert told(ask(catalog, cursor)) == []
        hold(query, "edX+A", "edX+B")
        assert told(ask(catalog, cursor)) == added("edX+B")
        later = ask(catalog, cursor).json()["cursor"]
        assert told(ask(catalog, later)) == []

    def test_a_cursor_of_nothing_leads_to_all_that_comes(self, catalog, query):
        response = ask(catalog)
        assert response.json()["results"] == []
        hold(query, "edX+A")
        assert told(ask(catalog, response.json()["cursor"])) == added("edX+A")

    def test_a_cursor_survives_a_move(self, catalog, query):
        other = make_query({"key": ["other"]})
        hold(other, "edX+X")
        hold(query, "edX+A")
        cursor = ask(catalog).json()["cursor"]
        move(catalog, other)
        assert told(ask(catalog, cursor)) == [*removed("edX+A"), *added("edX+X")]

    def test_a_moment_is_exclusive(self, catalog, query):
        hold(query, "edX+A")
        hold(query, "edX+A", "edX+B")
        first, second = (entry["changed_at"] for entry in ask(catalog).json()["results"])
        assert told(ask(catalog, first)) == added("edX+B")
        assert told(ask(catalog, second)) == []

    def test_what_a_moment_left_out_is_not_told_later(self, catalog, query):
        hold(query, "edX+A")
        last = ask(catalog).json()["results"][-1]["changed_at"]
        cursor = ask(catalog, last).json()["cursor"]
        assert told(ask(catalog, cursor)) == []
        hold(query, "edX+A", "edX+B")
        assert told(ask(catalog, cursor)) == added("edX+B")

    @pytest.mark.parametrize("moved", [False, True])
    def test_what_a_moment_left_out_after_a_move_is_not_told_later(self, catalog, query, moved):
        other = make_query({"key": ["other"]})
        for each in (other, query):
            hold(each, "edX+A")
        if moved:
            move(catalog, other)
        cursor = ask(catalog, timezone.now().isoformat()).json()["cursor"]
        assert told(ask(catalog, cursor)) == []
        hold(other if moved else query, "edX+A", "edX+B")
        assert told(ask(catalog, cursor)) == added("edX+B")

    def test_changes_dated_before_one_that_was_written_first_are_found(self, catalog):
        """A long publish dates its changes when it begins."""
        now = timezone.now()
        for minutes, key in [(10, "edX+A"), (0, "edX+B"), (20, "edX+C"), (5, "edX+D")]:
            CatalogContentChange.objects.create(
                catalog_query=catalog.catalog_query,
                content_key=key,
                content_type="course",
                change="added",
                changed_at=now - timedelta(minutes=minutes),
            )
        since = (now - timedelta(minutes=15)).isoformat()
        assert told(ask(catalog, since)) == added("edX+A", "edX+B", "edX+D")

    @pytest.mark.parametrize(
        "write",
        [
            lambda moment: moment.isoformat(),
            lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S"),
            lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S"),
            lambda moment: moment.strftime("%Y-%m-%d"),
            lambda moment: moment.strftime("%Y%m%dT%H%M%SZ"),
        ],
    )
    def test_moments_are_read_as_iso_8601(self, catalog, query, write):
        hold(query, "edX+A")
        yesterday, tomorrow = (timezone.now() + timedelta(days=days) for days in (-1, 1))
        assert told(ask(catalog, write(yesterday))) == added("edX+A")
        assert told(ask(catalog, write(tomorrow))) == []

    def test_an_offset_need_not_be_encoded(self, catalog, query):
        hold(query, "edX+A")
        yesterday = (timezone.now() - timedelta(days=1)).isoformat()
        assert yesterday.endswith("+00:00")
        response = learner().get(f"{path_of(catalog, 'changes')}?since={yesterday}")
        assert told(response) == added("edX+A")

    @pytest.mark.parametrize(
        "since",
        [
            *["", "yesterday", "12", "2026-13-01", "MTIz", "!!!!", "é", "\x00", "2026-11-23T25:00:00Z"],
            *[urlsafe_b64encode(text.encode()).decode() for text in ("1:", ":1", "-1:2", "1:2:3", "1e3:2", "x")],
            urlsafe_b64encode(b"1:" + b"9" * 17).decode(),
            urlsafe_b64encode(b"9" * 19 + b":1").decode(),
        ],
    )
    def test_anything_else_is_refused(self, catalog, since):  # CHG-4
        response = ask(catalog, since)
        assert (response.status_code, response.json()) == (400, MALFORMED)


def pass_time(*cursors, **span):
    """All that was written, and all that callers hold, is older by this; the database's clock is its own."""
    CatalogContentChange.objects.update(changed_at=F("changed_at") - timedelta(**span))
    positions = [position_of(cursor) for cursor in cursors]
    return [cursor_of(replace(position, read_until=position.read_until - timedelta(**span))) for position in positions]


class TestRetention:
    """CHG-3, CHG-4."""

    def test_without_a_beginning_it_starts_with_what_is_kept(self, catalog, query):
        hold(query, "edX+A")
        pass_time(days=90)
        hold(query, "edX+A", "edX+B")
        assert told(ask(catalog)) == added("edX+B")

    def test_an_older_moment_is_gone(self, catalog):
        since = timezone.now() - timedelta(days=90)
        assert ask(catalog, (since + timedelta(minutes=1)).isoformat()).status_code == 200
        response = ask(catalog, since.isoformat())
        assert response.status_code == 410
        found = re.fullmatch(
            r"Changes before (.+)Z are no longer kept; read the whole catalog\.", response.json()["detail"]
        )
        told_since = datetime.fromisoformat(f"{found[1]}+00:00")
        assert since <= told_since <= timezone.now() - timedelta(days=90)

    def test_who_reads_on_now_and_then_never_loses_the_thread(self, catalog):
        cursor = ask(catalog).json()["cursor"]
        for _ in range(3):
            (old,) = pass_time(cursor, days=80)
            response = ask(catalog, old)
            assert response.status_code == 200
            cursor = response.json()["cursor"]

    def test_who_was_away_for_too_long_has_lost_it(self, catalog, query):
        hold(query, "edX+A")
        (old,) = pass_time(ask(catalog).json()["cursor"], days=92)
        assert ask(catalog, old).status_code == 410

    def test_a_walk_from_the_beginning_can_be_finished(self, catalog, query):
        """What its first page ends with grows too old while it is being read."""
        hold(query, "edX+A", "edX+B")
        pass_time(days=90, minutes=-1)
        page = ask(catalog, query="page_size=1")
        assert told(page) == added("edX+A")
        (cursor,) = pass_time(page.json()["cursor"], hours=1)
        assert told(ask(catalog, cursor)) == added("edX+B")

    @pytest.mark.parametrize("since", ["0001-01-01", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
    def test_the_ends_of_time(self, catalog, since):
        assert ask(catalog, since).status_code == (200 if since.startswith("9") else 410)


def test_programs_and_xml(catalog, query):  # COM-4, COM-5
    uuid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    publish(query, program_document(uuid))
    assert ask(catalog).json()["results"][0]["content_type"] == "program"
    xml = ask(catalog, query="format=xml")
    assert xml["Content-Type"] == "application/xml; charset=utf-8"
    assert f"<content_key>{uuid}</content_key>".encode() in xml.content


def test_a_deleted_catalog_is_not_found(catalog):  # COM-3
    path = path_of(catalog, "changes/")
    catalog.delete()
    assert operator().get(path).json() == {"detail": "No EnterpriseCatalog matches the given query."}


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_what_is_being_written_meanwhile_is_not_missed():  # CHG-3
    """Another query's later change is committed before an earlier one of this catalog's query."""
    catalog, other = make_catalog("edX+A"), make_catalog("edX+X")
    query, content_keys = catalog.catalog_query, store(course_document("edX+A"), course_document("edX+B"))
    written, committed = Event(), Event()

    def publish_slowly():
        with transaction.atomic():
            difference = membership_difference(query_id=query.pk, content_keys=content_keys)
            locked = lock_for_publishing(
                query_id=query.pk, filter_hash=query.content_filter_hash, difference=difference
            )
            apply_difference(query=locked, difference=difference, run_uuid=uuid4())
            written.set()
            assert committed.wait(60)
        connection.close()

    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        slowly = elsewhere.submit(publish_slowly)
        assert written.wait(30)
        hold(other.catalog_query, "edX+X", "edX+Y")
        cursors = [ask(catalog, since).json()["cursor"] for since in (None, timezone.now().isoformat())]
        committed.set()
        slowly.result()
    assert told(ask(other))[-1:] == added("edX+Y")
    assert [told(ask(catalog, cursor)) for cursor in cursors] == [added("edX+B"), added("edX+B")]
