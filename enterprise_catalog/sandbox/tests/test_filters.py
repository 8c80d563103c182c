"""What a filter selects, traps included (DISC-10 to DISC-14), asked over HTTP."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from enterprise_catalog.sandbox.facts import EXEC_ED
from enterprise_catalog.sandbox.matching import words


def course_where(sandbox, condition):
    return next(course for course in sandbox.dataset.courses.values() if condition(course))


def test_fields_are_anded_and_values_ored(client):  # DISC-12
    found = client.found({"content_type": "course", "level_type": ["Introductory", "Advanced"]})
    assert {document["level_type"][0] for document in found} == {"Introductory", "Advanced"}
    assert {document["content_type"] for document in found} == {"course"}


def test_a_list_of_one_equals_the_value(client):  # DISC-12
    assert client.found_keys({"content_type": "program"}) == client.found_keys({"content_type": ["program"]})


def test_values_are_stripped_and_blanks_dropped(client):  # DISC-12
    plain = client.found_keys({"content_type": "program"})
    assert client.found_keys({"content_type": ["  program ", "", "  "], "level_type": "", "org": []}) == plain


def test_terms_split_on_double_underscores(client):  # DISC-12
    both = client.found_keys({"content_type": ["course", "program"]})
    assert client.found_keys({"content_type__terms": "course__program"}) == both


@pytest.mark.parametrize(
    "ignored",
    [
        "uuid",
        "content_uuid",
        "key__in",
        "key__exclude",
        "level_type__exclude",
        "status__exclude",
        "content_type__exact",
        "aggregation__key",
        "aggregration__key",
        "org__exempt",
        "organizations",
    ],
)
def test_unknown_fields_and_lookups_select_nothing(client, ignored):
    """DISC-10: they give too much."""
    everything = client.search({"content_type": "course"}).json()["count"]
    assert client.search({"content_type": "course", ignored: "nonsense"}).json()["count"] == everything


def test_key_is_a_phrase(client, sandbox):
    """DISC-11: a course key brings its runs and longer keys, not keys with other words in between."""
    course = course_where(sandbox, lambda course: len(course.visible_runs) > 1)
    longer = {**sandbox.search_document("course", course.key), "key": course.key + "+More"}
    sandbox.upsert_search(longer)
    runs = {run.key for run in course.visible_runs}
    assert client.found_keys({"key": [course.key]}) == {course.key, longer["key"], *runs}
    assert client.found_keys({"key": course.key.lower()}) == {course.key, longer["key"], *runs}
    assert client.found_keys({"key": course.key[:-1]}) == set()


def test_raw_key_is_exact(client, sandbox):  # DISC-10
    key = sandbox.dataset.course_keys()[0]
    assert client.found_keys({"key.raw": key}) == {key}
    assert key not in client.found_keys({"key.raw__exclude": [key]})


def test_aggregation_key_of_a_run_names_its_course(client, sandbox):  # DISC-10
    course = course_where(sandbox, lambda course: len(course.visible_runs) > 1)
    found = client.found_keys({"aggregation_key": f"courserun:{course.key}"})
    assert found == {run.key for run in course.visible_runs}


def test_exclude_leaves_out(client, sandbox):  # DISC-10
    key = sandbox.dataset.course_keys()[0]
    courses = client.found_keys({"content_type": "course"})
    without = client.found_keys({"content_type": "course", "aggregation_key__exclude": [f"course:{key}"]})
    assert courses - without == {key}
    kept = client.found({"content_type": "course", "course_type__exclude": EXEC_ED})
    assert kept
    assert EXEC_ED not in {document["course_type"] for document in kept}


def test_organizations_can_be_chosen_and_excluded(client, sandbox):  # DISC-10
    org = sandbox.dataset.course_keys()[0].partition("+")[0]
    chosen = client.found_keys({"content_type": "course", "org": org})
    others = client.found_keys({"content_type": "course", "org__exclude": [org]})
    assert chosen
    assert {key.partition("+")[0] for key in chosen} == {org}
    assert chosen | others == client.found_keys({"content_type": "course"})


@pytest.mark.parametrize(
    ("lookup", "value", "expected"),
    [
        ("lt", "99", {49}),
        ("lte", "99", {49, 99}),
        ("gt", "199", {249, 299}),
        ("gte", 249, {249, 299}),
        ("in", "49__299", {49, 299}),
        ("range", "99__199", {99, 149, 199}),
    ],
)
def test_prices_compare_as_numbers(client, lookup, value, expected):
    """DISC-10; 8.4: a price comes as text or number."""
    found = client.found({"content_type": "courserun", f"first_enrollable_paid_seat_price__{lookup}": value})
    assert {document["first_enrollable_paid_seat_price"] for document in found} == expected


@pytest.mark.parametrize("lookup", ["lt", "lte", "gt", "gte"])
def test_dates_compare(client, lookup):  # DISC-10
    limit = (datetime.now(UTC) - timedelta(days=200)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = client.found({"content_type": "courserun", f"start__{lookup}": limit})
    assert found
    assert all((document["start"] < limit) == lookup.startswith("lt") for document in found)


def test_a_price_that_is_no_number_is_refused(client):
    assert client.search({"first_enrollable_paid_seat_price__lte": "cheap"}).status_code == 400


def test_booleans_match_as_text(client):
    published = client.found({"content_type": "courserun", "published": True})
    assert published
    assert all(document["published"] for document in published)
    assert client.found_keys({"content_type": "courserun", "published": "true"}) == {d["key"] for d in published}


def test_description_is_a_phrase(client, sandbox):  # DISC-10
    document = sandbox.search_document("course", sandbox.dataset.course_keys()[0])
    sandbox.upsert_search({**document, "short_description": "About wholly singular phrases."})
    assert client.found_keys({"short_description": "singular phrases"}) == {document["key"]}
    assert client.found_keys({"short_description": "phrases singular"}) == set()


def test_no_partner_is_assumed_and_persons_come_along(client):  # DISC-13
    found = client.found({})
    assert {"edx", "other"} <= {document.get("partner") for document in found}
    assert "person" in {document["content_type"] for document in found}


def test_partner_covers_courses_too(client, sandbox):
    """8.4: `{"partner": "edx"}` is a usual filter although course documents do not show a partner."""
    courses = client.found_keys({"partner": "other", "content_type": "course"})
    assert courses == {course.key for course in sandbox.dataset.courses.values() if course.partner == "other"}


def test_pathways_need_their_flag(client):
    """8.2; as URL parameter or in the body."""
    only = {"content_type": "learnerpathway"}
    assert client.found(only) == []
    assert len(client.found(only, include_learner_pathways="True")) == 2
    assert len(client.found({**only, "include_learner_pathways": "True"})) == 2


def test_mixed_filters_list_runs_and_programs(client):
    """8.4: runs are `published`, programs `active`."""
    found = client.found({"partner": "edx", "status": ["published", "active"], "content_type": ["course", "program"]})
    assert {document["content_type"] for document in found} == {"course", "program"}


def test_the_default_filter_finds_most_courses(client):
    """8.4."""
    default = {
        "content_type": "course",
        "partner": "edx",
        "level_type": ["Introductory", "Intermediate", "Advanced"],
        "availability": ["Current", "Starting Soon", "Upcoming"],
        "status": "published",
    }
    assert 40 < client.search(default).json()["count"] < 60


def test_restricted_runs_need_to_be_asked_for(client, sandbox):
    restricted = {run.key for course in sandbox.dataset.courses.values() for run in course.runs if run.restriction}
    hidden = client.found({"content_type": ["course", "courserun"]})
    assert not restricted.intersection(json.dumps(hidden).split('"'))
    shown = client.found_keys({"content_type": "courserun"}, include_restricted="custom-b2b-enterprise,custom-b2c")
    assert restricted <= shown


class TestExpiredRuns:  # DISC-14
    @pytest.fixture
    def archived(self, sandbox):
        return course_where(sandbox, lambda course: not any(run.is_enrollable for run in course.runs))

    def course(self, client, archived, **body):
        query = {"exclude_expired_course_run": "True"}
        return client.search({"key.raw": archived.key, **body}, **query).json()["results"][0]

    def test_are_trimmed_while_their_course_stays(self, client, archived):
        document = self.course(client, archived)
        assert document["course_runs"] == document["languages"] == document["seat_types"] == []

    def test_come_back_when_a_request_value_is_theirs(self, client, archived):
        document = self.course(client, archived, status="published")
        published = [run.key for run in archived.runs if run.status == "published"]
        assert [run["key"] for run in document["course_runs"]] == published

    def test_stay_without_the_flag(self, client, archived):
        document = client.search({"key.raw": archived.key}).json()["results"][0]
        assert [run["key"] for run in document["course_runs"]] == [run.key for run in archived.visible_runs]

    def test_keep_documents_of_their_own(self, client, archived):
        found = client.found_keys({"aggregation_key": f"courserun:{archived.key}"}, exclude_expired_course_run="True")
        assert found == {run.key for run in archived.visible_runs}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("course-v1:edX+DemoX+1T2026", " course v1 edx demox 1t2026 "),
        ("edX+CS50.1x", " edx cs50.1x "),
        ("1T2026d_R", " 1t2026d_r "),
        ("数据+入門", " 数据 入門 "),
    ],
)
def test_keys_split_into_words(text, expected):  # DISC-11
    assert words(text) == expected
