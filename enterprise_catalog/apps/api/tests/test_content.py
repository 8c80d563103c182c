"""Content independently of any catalog, over HTTP (CM-1, CM-2, PERM-8)."""

from urllib.parse import quote
from uuid import UUID

import pytest

from enterprise_catalog.apps.catalog.models import ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.discovery.records import CourseReview
from enterprise_catalog.apps.refresh.scheduling.course_reviews import store_reviews
from enterprise_catalog.testing.callers import client_for
from enterprise_catalog.testing.catalogs import make_catalog, publish, store
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import keys
from tests.samples import sample

pytestmark = pytest.mark.django_db

CONTENTS = "/api/v1/content-metadata/"
COURSE_UUID = "aaaaaaaa-0000-4000-8000-00000000000a"
PROGRAM = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
RUN = "course-v1:edX+A+1T"


def ask(identifier="", query="", **headers):
    path = f"{CONTENTS}{quote(identifier)}/" if identifier else CONTENTS
    return client_for("anybody").get(f"{path}?{query}", headers=headers)


def named(response):
    return [item.get("key") or item["uuid"] for item in response.json()["results"]]


@pytest.fixture
def contents():
    """A course with a run of its own and one that is only nested, another course, and a program."""
    nested = [{"key": RUN, "status": "published"}, {"key": "course-v1:edX+A+2T"}]
    store(
        course_document("edX+A", uuid=COURSE_UUID, marketing_url="https://example.org/a?x=1", course_runs=nested),
        course_document("edX+B"),
        run_document(RUN, "edX+A"),
        program_document(PROGRAM, marketing_url="https://example.org/p"),
    )


class TestOne:
    @pytest.mark.parametrize("identifier", ["edX+A", "edX A", COURSE_UUID, COURSE_UUID.upper(), UUID(COURSE_UUID).hex])
    def test_it_is_found_by_key_and_by_uuid(self, contents, identifier):  # CM-1, COM-12
        response = ask(identifier)
        assert (response.status_code, response.json()["key"]) == (200, "edX+A")

    def test_null_for_the_runs_stays_null(self):  # REFR-16, DISC-17
        store(course_document("edX+A", course_runs=None))
        assert ask("edX+A").json()["course_runs"] is None

    @pytest.mark.parametrize("path", ["edX+A", "edX%2BA/", "edX%20A", "edX+A/"])
    def test_every_spelling_of_the_path_answers(self, contents, path):  # COM-1, COM-12
        assert client_for("anybody").get(f"{CONTENTS}{path}").json()["key"] == "edX+A"

    @pytest.mark.parametrize(
        "identifier", ["edX+Other", "1", COURSE_UUID[:-1] + "b", "x" * 300, "a\x00b", "edX+A.json", "edx+a", "-"]
    )
    def test_others_are_not_found(self, contents, identifier):  # CM-1, COM-4: a dot is part of a key
        response = ask(identifier)
        text = {"detail": "No ContentMetadata matches the given query."}
        assert (response.status_code, response.json()) == (404, text)

    def test_digits_are_a_key(self):  # CM-1: row ids are not exposed
        store(course_document("6002"))
        assert ask("6002").json()["key"] == "6002"

    def test_the_key_wins_over_the_uuid_of_another(self):
        store(course_document("edX+A", uuid=PROGRAM), program_document(PROGRAM))
        assert ask(PROGRAM).json()["content_type"] == "program"

    def test_keys_of_old_courses_hold_slashes(self):
        store(course_document("edX/DemoX/2014"))
        for path in ("edX/DemoX/2014", "edX/DemoX/2014/", "edX%2FDemoX%2F2014/"):
            assert client_for("anybody").get(f"{CONTENTS}{path}").json()["key"] == "edX/DemoX/2014"

    def test_a_course_as_it_is_shown_for_no_catalog(self, contents):  # META-11 to META-16
        item = ask("edX+A").json()
        modified = ContentMetadata.objects.get(pk="edX+A").modified
        assert item["content_last_modified"] == modified.isoformat().replace("+00:00", "Z")
        assert item["marketing_url"] == "https://example.org/a?x=1"
        assert (item["parent_content_key"], item["active"]) == (None, False)
        assert not {"enrollment_url", "xapi_activity_id"} & item.keys()
        assert all(not {"enrollment_url", "parent_content_key"} & run.keys() for run in item["course_runs"])

    def test_runs_and_programs_as_they_are_shown_for_no_catalog(self, contents):  # META-10, META-13
        run, program = ask(RUN).json(), ask(PROGRAM).json()
        assert run["parent_content_key"] == "edX+A"
        assert not {"enrollment_url", "xapi_activity_id", "active"} & run.keys()
        assert program["enrollment_url"] is None
        assert program["marketing_url"] == "https://example.org/p"

    def test_normalized_metadata_and_reviews_are_shown(self):  # META-18, META-19
        record = sample("courses_by_keys")["results"][0]
        document = sample("search_all_page_1")["results"][0]
        store(document, records=[record])
        store_reviews([CourseReview(record["key"], 12, 4.5)])
        item = ask(record["key"]).json()
        assert item["normalized_metadata"].keys() >= {"start_date", "content_price"}
        assert (item["reviews_count"], item["avg_course_rating"]) == (12, 4.5)

    def test_xml(self, contents):  # COM-4, COM-5
        assert b"<root><" in ask("edX+A", "format=xml").content
        assert ask("edX+A", Accept="application/xml")["Content-Type"] == "application/xml; charset=utf-8"


class TestSeveral:
    """Several stored contents answer to one identifier (CM-1, CM-2)."""

    def both(self, query=""):
        """What one item and the list of one identifier say, which has to be the same."""
        listed = named(ask(query=f"content_identifiers={COURSE_UUID}&{query}"))
        assert listed == [ask(COURSE_UUID.upper(), query).json()["key"]]
        return listed[0]

    @pytest.mark.parametrize("query", ["", "coerce_to_parent_course=1"])
    def test_what_a_query_holds_comes_first(self, query):
        make_catalog(course_document("edX+A", uuid=COURSE_UUID))
        store(course_document("edX+B", uuid=COURSE_UUID), course_document("edX+0", uuid=COURSE_UUID))
        assert self.both(query) == "edX+A"

    @pytest.mark.parametrize(("first", "last"), [("edX+A", "edX+B"), ("edX+B", "edX+A")])
    def test_then_the_last_stored(self, first, last):
        store(course_document(first, uuid=COURSE_UUID))
        store(course_document(last, uuid=COURSE_UUID))
        assert self.both() == last
        make_catalog(course_document(first, uuid=COURSE_UUID), course_document(last, uuid=COURSE_UUID))
        assert self.both() == last

    @pytest.mark.parametrize("held", ["edX+A", "edX+B"])
    def test_a_run_becomes_the_course_that_a_query_holds(self, held):
        """After discovery changed the key of a course, two stored courses list its runs."""
        make_catalog(course_document(held, course_runs=[{"key": RUN}]))
        other = {"edX+A": "edX+B", "edX+B": "edX+A"}[held]
        store(course_document(other, course_runs=[{"key": RUN}]))
        assert ask(RUN, "coerce_to_parent_course=1").json()["key"] == held


class TestCommas:
    def test_the_first_part_that_names_a_content(self, contents):  # CM-1
        assert ask("nope,edX+B,edX+A").json()["key"] == "edX+B"
        assert ask("nope,,neither").status_code == 404

    def test_each_part_in_a_list(self, contents):  # CM-2
        assert named(ask(query=f"content_identifiers=edX%2BB,nope,{PROGRAM.upper()}")) == [PROGRAM, "edX+B"]

    def test_a_key_with_a_comma_is_a_whole_first(self, contents):  # CM-1, CM-2
        store(course_document("edX+A,edX+B"))
        assert ask("edX+A,edX+B").json()["key"] == "edX+A,edX+B"
        assert named(ask(query="content_identifiers=edX%2BA,edX%2BB")) == ["edX+A,edX+B"]

    def test_parts_count_as_identifiers(self, contents):  # COM-16, ERR-4
        text = "content-metadata requests support up to 100 content_identifiers."
        assert named(ask(query=f"content_identifiers={',' * 98}edX%2BA")) == ["edX+A"]
        response = ask(query=f"content_identifiers={',' * 100}edX%2BA")
        assert (response.status_code, response.json()) == (400, {"content_identifiers": [text]})

    def test_a_path_with_more_parts_names_nothing(self, contents):  # COM-16
        assert ask(f"{',' * 99}edX+A").json()["key"] == "edX+A"
        assert ask(f"{',' * 100}edX+A").status_code == 404


class TestRestricted:
    def test_a_restricted_run_is_hidden(self):  # V2-2
        store(run_document(RUN, "edX+A", restriction_type="custom-b2c"))
        assert ask(RUN).status_code == 404
        assert named(ask()) == []
        assert named(ask(query=f"content_identifiers={quote(RUN)}")) == []

    def test_a_restricted_nested_run_leads_nowhere(self):  # V2-2
        store(course_document("edX+A", course_runs=[{"key": RUN, "restriction_type": "custom-b2b-enterprise"}]))
        assert ask(RUN, "coerce_to_parent_course=true").status_code == 404
        assert ask("edX+A").json()["course_runs"] == []


class TestCoercion:
    @pytest.mark.parametrize("identifier", [RUN, "course-v1:edX+A+2T", "edX+A", COURSE_UUID])
    def test_a_run_becomes_its_course(self, contents, identifier):  # CM-1
        assert ask(identifier, "coerce_to_parent_course=True").json()["key"] == "edX+A"

    def test_without_it_a_run_stays_a_run(self, contents):  # CM-1, COM-11
        assert ask(RUN, "coerce_to_parent_course=false").json()["key"] == RUN
        assert ask("course-v1:edX+A+2T").status_code == 404

    def test_others_stay_what_they_are(self, contents):  # CM-1
        assert ask(PROGRAM, "coerce_to_parent_course=1").json()["uuid"] == PROGRAM

    def test_a_run_of_an_unknown_course_is_not_found(self):  # CM-1
        store(run_document(RUN, "edX+Unknown"))
        assert ask(RUN, "coerce_to_parent_course=1").status_code == 404

    def test_the_course_that_a_run_names_comes_first(self):
        store(course_document("edX+0", course_runs=[{"key": RUN}]), course_document("edX+A"))
        store(run_document(RUN, "edX+A"))
        assert ask(RUN, "coerce_to_parent_course=1").json()["key"] == "edX+A"

    def test_anything_else_is_refused(self, contents):  # COM-11
        response = ask("edX+A", "coerce_to_parent_course=perhaps")
        error = {"coerce_to_parent_course": ["Must be a valid boolean."]}
        assert (response.status_code, response.json()) == (400, error)

    def test_what_is_not_there_comes_before_bad_parameters(self):  # AUTH-9
        assert ask("edX+A", "coerce_to_parent_course=perhaps").status_code == 404


class TestList:
    def test_all_content_in_the_order_of_keys(self, contents):  # CM-2, COM-6, COM-9
        response = ask()
        assert list(response.json()) == ["count", "next", "previous", "results"]
        assert named(response) == [PROGRAM, RUN, "edX+A", "edX+B"]
        assert response.json()["results"][2] == ask("edX+A").json()

    def test_without_runs(self, contents):  # CM-2
        assert named(ask(query="coerce_to_parent_course=true")) == [PROGRAM, "edX+A", "edX+B"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("content_identifiers=edX%2BB&content_identifiers=edX+A", ["edX+A", "edX+B"]),
            (f"content_identifiers={COURSE_UUID}&content_identifiers=edX%2BA", ["edX+A"]),
            (f"content_identifiers=nope&content_identifiers={PROGRAM}", [PROGRAM]),
            ("content_identifiers=", []),
            (f"content_identifiers={'x' * 300}&content_identifiers=a%00b", []),
            (f"content_identifiers={quote(RUN)}", [RUN]),
            ("content_identifiers=course-v1:edX%2BA%2B2T", []),
        ],
    )
    def test_only_what_is_named(self, contents, query, found):  # CM-2, COM-12, COM-16
        response = ask(query=query)
        assert (named(response), response.json()["count"]) == (found, len(found))

    def test_courses_of_named_runs_come_once(self, contents):  # CM-2
        runs = "&".join(f"content_identifiers=course-v1:edX%2BA%2B{number}T" for number in (1, 2, 3))
        query = f"coerce_to_parent_course=1&{runs}&content_identifiers=edX%2BA&content_identifiers={PROGRAM}"
        assert named(ask(query=query)) == [PROGRAM, "edX+A"]

    def test_pages(self):  # COM-7, COM-8, COM-10
        store(*(course_document(key) for key in keys(23)))
        query = "page_size=10&" + "&".join(f"content_identifiers={quote(key)}" for key in keys(23))
        pages = [ask(query=f"{query}&page={number}") for number in (1, 2, "last")]
        assert [key for page in pages for key in named(page)] == keys(23)
        assert pages[0].json()["next"].endswith("&page=2")
        assert ask(query="page=4").json() == {"detail": "Invalid page."}

    def test_a_hundred_identifiers_at_most(self):  # COM-16, ERR-4
        query = "&".join(f"content_identifiers={key}" for key in keys(101))
        text = "content-metadata requests support up to 100 content_identifiers."
        assert ask(query=query.rpartition("&")[0]).status_code == 200
        response = ask(query=query)
        assert (response.status_code, response.json()) == (400, {"content_identifiers": [text]})


def test_what_is_in_no_query_any_more_still_answers():  # CM-1
    catalog = make_catalog("edX+A", "edX+B")
    publish(catalog.catalog_query, course_document("edX+B"))
    EnterpriseCatalog.objects.all().delete()
    assert ask("edX+A").json()["key"] == "edX+A"
    assert named(ask()) == ["edX+A", "edX+B"]


class TestConditional:  # COM-18
    def test_a_caller_with_the_current_tag_gets_no_body(self, contents):
        first = ask("edX+A")
        second = ask("edX+A", **{"If-None-Match": first["ETag"]})
        assert (second.status_code, second.content) == (304, b"")
        assert second["Cache-Control"] == first["Cache-Control"] == "private, max-age=0, must-revalidate"

    @pytest.mark.parametrize(
        "change",
        [
            lambda: store(course_document("edX+A", title="changed")),
            lambda: store_reviews([CourseReview("edX+A", 12, 4.5)]),
        ],
        ids=["document", "review"],
    )
    def test_what_changes_the_item_changes_its_tag(self, contents, change):
        before = ask("edX+A")["ETag"]
        others = ask("edX+B")["ETag"]
        change()
        assert ask("edX+A", **{"If-None-Match": before}).status_code == 200
        assert ask("edX+B")["ETag"] == others

    def test_each_url_has_its_tag(self, contents):
        answers = [ask("edX+A"), ask("edX+A", "format=xml"), ask("edX+A", Host="localhost"), ask("edX+B"), ask(RUN)]
        answers.append(ask(RUN, "coerce_to_parent_course=1"))
        assert len({answer["ETag"] for answer in answers}) == len(answers)

    def test_last_modified_is_the_items(self, contents):
        modified = ContentMetadata.objects.get(pk="edX+A").modified
        assert ask("edX+A")["Last-Modified"] == modified.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def test_the_list_has_no_tag(self, contents):
        assert "ETag" not in ask()
