"""Items of the legacy API: URLs, `active`, and fields that stay as discovery sent them (LEG-7, LEG-8, LEG-14)."""

from datetime import UTC, datetime, timedelta

import pytest

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, operator
from enterprise_catalog.testing.catalogs import legacy_path_of, make_catalog
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import make_query, requested

pytestmark = pytest.mark.django_db

LMS = f"https://lms.example.org/enterprise/{CUSTOMER_UUID}"
UTM = "utm_medium=enterprise&utm_source=acme-inc"
PROGRAM = "9f1b3c5e-0000-4000-8000-000000000001"


def items_of(catalog, client=None):
    answer = (client or admin()).get(f"{legacy_path_of(catalog)}?page_size=1000").json()
    return {item.get("key") or item["uuid"]: item for item in answer["results"]}


def only_item(*documents, **fields):
    (item,) = items_of(make_catalog(*documents, **fields)).values()
    return item


def course_with(*runs, **fields):
    numbered = [{"key": f"course-v1:edX+A+{number}T"} | run for number, run in enumerate(runs)]
    return only_item(course_document("edX+A", course_runs=numbered, **fields))


def in_days(days):
    return (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")


OPEN_RUN = {"status": "published", "availability": "Current"}


@pytest.fixture
def three():
    return (
        course_document("edX+A", advertised_course_run_uuid="u", course_type="executive-education-2u"),
        run_document("course-v1:edX+A+1T", "edX+A", has_enrollable_seats=True),
        program_document(PROGRAM, is_program_eligible_for_one_click_purchase=True),
    )


@pytest.mark.parametrize("portal", [True, False, None])
@pytest.mark.parametrize("audit", [True, False])
def test_enrollment_is_always_at_the_lms(three, portal, audit):  # LEG-8
    """Portal or not, executive education or not; a course never by its advertised run."""
    if portal is not None:
        EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, name="Acme", slug="acme", enable_learner_portal=portal)
    catalog = make_catalog(*three, publish_audit_enrollment_urls=audit)
    items = items_of(catalog)
    query = f"{'audit=true&' if audit else ''}catalog={catalog.uuid}&{UTM}"
    assert items["edX+A"]["enrollment_url"] == f"{LMS}/course/edX+A/enroll/?{query}"
    assert items["course-v1:edX+A+1T"]["enrollment_url"] == f"{LMS}/course/course-v1:edX+A+1T/enroll/?{query}"
    assert items[PROGRAM]["enrollment_url"] == f"{LMS}/program/{PROGRAM}/enroll/?{query}"


def test_each_catalog_has_links_of_its_own(three):  # LEG-8
    first = make_catalog(*three)
    second = make_catalog(query=first.catalog_query, enterprise_name="Beta")
    for catalog, slug in ((first, "acme-inc"), (second, "beta")):
        url = items_of(catalog)["edX+A"]["enrollment_url"]
        assert url.endswith(f"?catalog={catalog.uuid}&utm_medium=enterprise&utm_source={slug}")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example.org/c?utm_source=w&utm_medium=a&x=1&y=", f"https://x.example.org/c?{UTM}&x=1"),
        ("/course/a+b#top", f"/course/a+b?{UTM}#top"),
        ("", ""),
        (None, None),
        ("http://[broken", "http://[broken"),
    ],
)
def test_marketing_urls(url, expected):  # LEG-7, META-12, META-22, META-23
    assert only_item(course_document("edX+A", marketing_url=url))["marketing_url"] == expected


def test_marketing_urls_of_runs_and_programs():  # LEG-7
    url = "https://x.example.org/"
    run = run_document("course-v1:edX+A+1T", "edX+A", has_enrollable_seats=True, marketing_url=url)
    program = program_document(PROGRAM, is_program_eligible_for_one_click_purchase=True, marketing_url=url)
    items = items_of(make_catalog(run, program))
    assert {item["marketing_url"] for item in items.values()} == {f"{url}?{UTM}"}


def test_a_name_without_a_slug():  # META-22
    item = only_item(
        course_document("edX+A", marketing_url="https://x.example.org/?utm_source=w"), enterprise_name="数学"
    )
    assert item["marketing_url"] == "https://x.example.org/?utm_medium=enterprise"
    assert item["enrollment_url"].endswith("&utm_medium=enterprise")


def test_what_is_added_and_nothing_else():  # LEG-7
    """The search document with these fields; v1's own, such as `xapi_activity_id`, are not here."""
    document = course_document("edX+A", title="A", product_source="edx", full_description=None)
    record = document | {"title": "In full", "entitlements": []}
    item = only_item(document, records=[record])
    assert item == document | {
        "active": False,
        "end_date": None,
        "enrollment_url": item["enrollment_url"],
    }


def test_runs_and_programs_get_a_link_only():  # LEG-7
    run = run_document("course-v1:edX+A+1T", "edX+A", has_enrollable_seats=True, active="x", end_date="y")
    item = only_item(run)
    assert item == run | {"enrollment_url": item["enrollment_url"]}


def test_nothing_says_when_content_was_modified():  # LEG-7
    assert "content_last_modified" not in only_item(course_document("edX+A", content_last_modified="2026-01-01"))


@pytest.mark.parametrize(
    ("run", "active"),
    [
        ({}, True),
        ({"availability": "Starting Soon"}, True),
        ({"availability": "Upcoming"}, True),
        ({"availability": "Archived"}, False),
        ({"availability": None}, False),
        ({"availability": ["Current"]}, False),
        ({"availability": {}}, False),
        ({"status": "unpublished"}, False),
        ({"status": "Published"}, False),
        ({"status": None}, False),
        ({"end": None}, True),
        ({"end": in_days(2)}, True),
        ({"end": in_days(0.9)}, False),
        ({"end": "9999-12-31T23:59:59-12:00"}, True),
        ({"enrollment_start": None, "enrollment_end": None}, True),
        ({"enrollment_start": in_days(-1)}, True),
        ({"enrollment_start": in_days(1)}, False),
        ({"enrollment_end": in_days(1)}, True),
        ({"enrollment_end": in_days(-1)}, False),
        ({"enrollment_start": in_days(-1).rstrip("Z"), "enrollment_end": "someday"}, True),
        ({"enrollment_end": 7}, True),
        ({"restriction_type": "custom-b2b-enterprise"}, False),
    ],
)
def test_active(run, active):  # LEG-14, V2-2, DISC-17
    assert course_with(OPEN_RUN | run)["active"] is active


def test_one_run_that_is_open_suffices():  # LEG-14
    assert course_with({"status": "archived"}, OPEN_RUN)["active"] is True
    assert course_with({"status": "archived"}, {"status": "published"})["active"] is False
    assert course_with()["active"] is False


@pytest.mark.parametrize("runs", [None, "none", {}, [None, 1, "x", {}, {"key": None}]])
def test_odd_lists_of_runs(runs):  # DISC-17
    item = only_item(course_document("edX+A", course_runs=runs))
    assert (item["active"], item["end_date"], item["course_runs"]) == (False, None, runs)


def test_a_course_says_when_its_last_run_ends():  # LEG-14
    """Dates with or without a zone; the document's own `end_date` does not count."""
    late, later = "2098-05-05T12:00:00", "2098-05-05T14:30:00+02:00"
    assert course_with({"end": late}, {"end": "2097-01-01"}, {"end": "x"}, {"end": None})["end_date"] == late
    assert course_with({"end": late}, {"end": later}, end_date="2020-01-01")["end_date"] == later
    assert course_with({"end": None}, end_date="2020-01-01")["end_date"] is None
    hidden = {"end": "2099-01-01", "restriction_type": "custom-b2c"}
    assert course_with({"end": late}, hidden)["end_date"] == late


def test_nested_runs_are_as_discovery_sent_them():  # LEG-7, REFR-13
    """Runs that have ended are left out at the refresh."""
    ended, running = {"key": "r1", "end": in_days(-1)}, {"key": "r2", "end": in_days(9), "x": {"y": [1]}}
    assert only_item(course_document("edX+A", course_runs=[ended, running]))["course_runs"] == [running]


@pytest.mark.parametrize("restriction", ["custom-b2b-enterprise", "custom-b2c"])
def test_restricted_runs_do_not_show(restriction):  # V2-2, V2-3
    document = course_document("edX+A")
    hidden = {"key": "course-v1:edX+A+hidden", "restriction_type": restriction}
    catalog = make_catalog(document | {"course_runs": [*document["course_runs"], hidden]})
    assert "hidden" not in admin().get(legacy_path_of(catalog)).content.decode()


def test_a_program_that_is_named_by_its_key():  # DISC-17, LEG-8
    document = {"aggregation_key": "program:p", "content_type": "program", "key": "p", "title": "P"}
    item = only_item(document | {"is_program_eligible_for_one_click_purchase": True})
    assert item["enrollment_url"].startswith(f"{LMS}/program/p/enroll/?catalog=")


def refreshed_catalog(content_filter):
    query = make_query(content_filter)
    refresh(requested(query).pk)
    return make_catalog(query=query)


def test_items_of_a_real_refresh_are_search_documents(sandbox):  # LEG-5, LEG-7, REFR-14
    sandbox.edit(next(iter(sandbox.dataset.courses)), title="數學 \U0001f600")
    catalog = refreshed_catalog({"content_type": ["course", "courserun", "program"]})
    items = items_of(catalog, operator())
    types = {item["content_type"] for item in items.values()}
    assert types == {"course", "courserun", "program"}
    for key, item in items.items():
        document = sandbox.search_document(item["content_type"], key)
        # The last three are what discovery trims (DISC-14).
        other = {"enrollment_url", "marketing_url", "active", "end_date", "course_runs", "languages", "seat_types"}
        assert {name: value for name, value in item.items() if name not in other} == {
            name: value for name, value in document.items() if name not in other
        }
        assert item["enrollment_url"].startswith(f"{sandbox.url}/enterprise/{CUSTOMER_UUID}/")
    assert {item["active"] for item in items.values() if item["content_type"] == "course"} == {True, False}


def test_a_course_forced_in_is_the_altered_record(sandbox):  # REFR-19
    """Only the query that forces the course in has the altered record."""
    key, other, *_ = sandbox.dataset.courses
    forcing = {"key": [other], "content_type": "course", "enterprise_force_include_aggregation_keys": [f"course:{key}"]}
    item = items_of(refreshed_catalog(forcing))[key]
    record = sandbox.course_record(key)
    assert (item["enterprise_force_included"], item["aggregation_key"]) == (True, f"course:{key}")
    assert [run["key"] for run in item["course_runs"]] == [run["key"] for run in record["course_runs"]]
    assert {(run["status"], run["availability"]) for run in item["course_runs"]} == {("published", "Current")}
    assert set(record) - set(item) == set()
    elsewhere = items_of(refreshed_catalog({"content_type": "course"}))[key]
    assert "enterprise_force_included" not in elsewhere
    assert "entitlements" not in elsewhere
    assert EnterpriseCatalog.objects.count() == 2
