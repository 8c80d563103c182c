"""Building items from documents of discovery (REFR-14..17, META-10..20, V2-2)."""

import pytest

from enterprise_catalog.apps.catalog.content.course_document import is_active, why_inactive
from enterprise_catalog.apps.catalog.content.items import Review, build_item
from tests.samples import sample


def course_item(search_document, full_record=None, **more):
    return build_item(
        content_key=search_document["key"],
        content_type="course",
        parent_content_key=None,
        search_document=search_document,
        full_record=full_record,
        **more,
    )


@pytest.fixture
def search_course():
    return sample("search_all_page_1")["results"][0]


@pytest.fixture
def full_course():
    return sample("courses_by_keys")["results"][0]


def test_the_full_record_wins_except_for_some_keys_of_search(search_course, full_course):  # REFR-16
    full = full_course | {"title": None, "languages": "from the record", "content_type": "from the record"}
    item = course_item(search_course, full)
    assert item["title"] is None
    assert item["languages"] == search_course["languages"]
    assert item["content_type"] == "course"
    assert item["organizations"] == search_course["organizations"]
    assert item["subjects"] == full["subjects"]


def test_keys_of_search_never_come_from_the_record(search_course, full_course):
    """These keys are those of the search document, and missing if they are missing there (REFR-16)."""
    search = {key: value for key, value in search_course.items() if key not in ("languages", "course_ends")}
    item = course_item(search, full_course | {"languages": ["en"], "course_ends": "Future"})
    assert not {"languages", "course_ends"} & item.keys()


def test_the_aggregation_key_decides_the_type(search_course):
    """An item has its type and its key even if its document has not (REFR-12, META-6)."""
    document = {key: value for key, value in search_course.items() if key not in ("content_type", "key")}
    item = build_item(
        content_key="edX+DemoX",
        content_type="course",
        parent_content_key=None,
        search_document=document,
        full_record=None,
    )
    assert (item["content_type"], item["key"]) == ("course", "edX+DemoX")


def test_a_course_without_record_is_inactive_and_not_normalized(search_course):  # META-18, META-20, REFR-18
    item = course_item(search_course)
    assert item["active"] is False
    assert "normalized_metadata" not in item


@pytest.mark.parametrize(
    ("run", "active"),
    [
        ({"is_enrollable": True, "status": "Published", "is_marketable": True}, True),
        ({"is_enrollable": True, "status": "unpublished", "is_marketable_external": True}, True),
        ({"is_enrollable": True, "status": "published"}, False),
        ({"is_enrollable": False, "status": "published", "is_marketable": True}, False),
        ({"is_enrollable": True, "status": "published", "restriction_type": "custom-b2b-enterprise"}, True),
        ({"is_enrollable": "true", "status": None, "is_marketable": True}, False),
    ],
)  # fmt: skip
def test_active(run, active):  # META-20
    assert is_active({"course_runs": [{"key": "a+b", **run}]}) is active


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ([], "it shows no runs"),
        ([{"is_enrollable": False}, {}], "none of its runs can be enrolled in"),
        ([{"is_enrollable": True}, {"status": "published"}], "no run that can be enrolled in is published"),
        ([{"is_enrollable": True, "status": "Published"}], "no published run that can be enrolled in is marketed"),
        ([{}, {"is_enrollable": True, "status": "published", "is_marketable": True}], None),
        ([{"is_enrollable": True, "is_marketable_external": True}], None),
    ],
)
def test_why_a_course_is_inactive(runs, why):  # ADD-5, META-20
    course = {"course_runs": [{"key": "a+b", **run} for run in runs]}
    assert why_inactive(course) == why
    assert is_active(course) is (why is None)


def test_restricted_runs_are_hidden_and_leave_no_trace(search_course, full_course):  # V2-2, V2-6
    hidden = {"key": "course-v1:hidden", "restriction_type": "custom-b2b-enterprise", "status": "reviewed"}
    full = full_course | {"course_runs": [*full_course["course_runs"], hidden]}
    full |= {"course_run_keys": ["course-v1:hidden"], "course_run_statuses": ["reviewed"]}
    item = course_item(search_course, full)
    assert "course-v1:hidden" not in str(item)
    assert item["course_run_keys"] == [run["key"] for run in full_course["course_runs"]]
    assert item["course_run_statuses"] == sorted({run["status"] for run in full_course["course_runs"]})


def test_a_null_advertised_uuid_advertises_nothing(search_course, full_course):
    """A null must not match runs without uuid (META-30)."""
    for run in full_course["course_runs"]:
        run["uuid"] = None
    item = course_item(search_course, full_course | {"advertised_course_run_uuid": None})
    assert item["normalized_metadata"]["start_date"] is None


def test_normalized_metadata_of_every_nested_run(search_course, full_course):  # META-18, META-30
    item = course_item(search_course, full_course)
    assert set(item["normalized_metadata_by_run"]) == {run["key"] for run in full_course["course_runs"]}
    advertised = next(
        run for run in full_course["course_runs"] if run["uuid"] == full_course["advertised_course_run_uuid"]
    )
    assert item["normalized_metadata"] == item["normalized_metadata_by_run"][advertised["key"]]


@pytest.mark.parametrize(
    ("sent", "served"),
    [
        ("edx", {"name": "edx", "slug": None, "description": None}),
        ({"name": "edX", "slug": "edx", "description": "d"}, {"name": "edX", "slug": "edx", "description": "d"}),
        (None, None),
        ("", ""),
    ],
)
def test_product_source(search_course, sent, served):  # META-17
    assert course_item(search_course | {"product_source": sent})["product_source"] == served


def test_reviews_are_joined(search_course):  # META-19
    item = course_item(search_course, review=Review(120, 4.566667))
    assert (item["reviews_count"], item["avg_course_rating"]) == (120, 4.566667)


def test_a_pathway_has_its_uuid_as_key():  # META-6
    pathway = sample("search_all_page_2")["results"][1]
    item = build_item(
        content_key=pathway["uuid"],
        content_type="learnerpathway",
        parent_content_key=None,
        search_document=pathway,
        full_record=None,
    )
    assert item["key"] == pathway["uuid"]
    assert "active" not in item


def test_programs_of_a_course_say_what_they_are(search_course):  # META-36
    uuid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    program = {"uuid": uuid, "title": "A program", "content_type": None}
    odd = [None, "text", {"title": "no uuid"}, {"uuid": None}, {"uuid": 7}]
    item = course_item(search_course, {"key": search_course["key"], "programs": [program, *odd]})
    described = program | {"content_type": "program", "aggregation_key": f"program:{uuid}"}
    assert item["programs"] == [described, *odd]
    assert program["content_type"] is None


@pytest.mark.parametrize("programs", [None, [], "text", {}])
def test_programs_of_other_types_are_served_unchanged(search_course, programs):  # META-36, DISC-17
    assert course_item(search_course | {"programs": programs})["programs"] == programs


def test_a_program_keeps_its_search_identity():  # REFR-16
    full = sample("programs_by_uuids")["results"][0]
    search = {
        "aggregation_key": f"program:{full['uuid']}",
        "content_type": "program",
        "uuid": full["uuid"],
        "title": "x",
    }
    item = build_item(
        content_key=full["uuid"],
        content_type="program",
        parent_content_key=None,
        search_document=search,
        full_record=full,
    )
    assert (item["aggregation_key"], item["title"]) == (search["aggregation_key"], full["title"])


@pytest.mark.parametrize("runs", [None, "odd", [None, 1, {"no": "key"}]])
def test_odd_runs_do_not_break_an_item(search_course, runs):
    """Runs of unexpected types (DISC-17)."""
    item = course_item(search_course | {"course_runs": runs}, {"key": search_course["key"], "course_runs": runs})
    assert item["course_runs"] == runs
    assert item["normalized_metadata_by_run"] == {}
