"""URLs in items, over HTTP: the contract's examples, with courses as discovery sends them."""

from uuid import UUID

import pytest

from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.testing.callers import CUSTOMER_UUID, learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of, store
from enterprise_catalog.testing.documents import run_document

pytestmark = pytest.mark.django_db

CATALOG = UUID("7467c9d2-433c-4f7e-ba2e-c5c7798527b2")
COURSE, RUN, SECOND_RUN = "edX+DemoX", "course-v1:edX+DemoX+1T2026", "course-v1:edX+DemoX+2T2026"
EXEC_ED, EXEC_ED_RUN = "GetSmarter+AI", "course-v1:GetSmarter+AI+1T2026"
UTM = "utm_medium=enterprise&utm_source=acme-inc"
PORTAL = "https://enterprise.example.org/acme"
LMS = f"https://lms.example.org/enterprise/{CUSTOMER_UUID}/course"


def course(key, *run_keys, **record):
    """A course with its full record, in the store."""
    document = {"aggregation_key": f"course:{key}", "content_type": "course", "key": key, "course_runs": []}
    runs = [{"key": run_key, "uuid": f"uuid of {run_key}"} for run_key in run_keys]
    store(document, records=[{"key": key, "course_runs": runs, **record}])
    return document


@pytest.fixture
def documents():
    """A course and a run of its own, an exec-ed course and one of its runs."""
    entitlements = [
        {"mode": "paid-executive-education", "sku": "OLD1234"},
        {"mode": "paid-executive-education", "sku": "ABC1234"},
        {"mode": "verified", "sku": "NO"},
    ]
    exec_ed = {"course_type": "executive-education-2u", "entitlements": entitlements}
    return [
        course(COURSE, RUN, SECOND_RUN, advertised_course_run_uuid=f"uuid of {RUN}"),
        course(EXEC_ED, EXEC_ED_RUN, **exec_ed),
        run_document(RUN, COURSE),
        run_document(EXEC_ED_RUN, EXEC_ED),
    ]


def customer(**facts):
    EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, name="Acme", **facts)


def served(documents, **fields):
    """The items that the catalog serves, by key."""
    catalog = make_catalog(*documents, uuid=CATALOG, **fields)
    asked = {"content_keys": [document["key"] for document in documents]}
    answer = learner().post(path_of(catalog, "get_content_metadata/"), asked)
    return {item["key"]: item for item in answer.json()["results"]}


def nested(item):
    return {run["key"]: run.get("enrollment_url", "absent") for run in item["course_runs"]}


def test_with_a_portal(documents):  # ENR-1, META-16
    customer(slug="acme", enable_learner_portal=True)
    items = served(documents)
    run_url = f"{PORTAL}/course/{COURSE}?course_run_key=course-v1%3AedX%2BDemoX%2B1T2026&{UTM}"
    assert items[COURSE]["enrollment_url"] == f"{PORTAL}/course/{COURSE}?{UTM}"
    assert items[RUN]["enrollment_url"] == nested(items[COURSE])[RUN] == run_url
    assert {run["parent_content_key"] for run in items[COURSE]["course_runs"]} == {COURSE}


@pytest.mark.parametrize(
    "facts", [None, {"slug": "acme"}, {"enable_learner_portal": True}], ids=["no copy", "no portal", "no slug"]
)
def test_without_a_portal(documents, facts):  # ENR-2, CUST-1, META-16
    if facts:
        customer(**facts)
    items = served(documents)
    query = f"enroll/?catalog={CATALOG}&{UTM}"
    assert items[COURSE]["enrollment_url"] == items[RUN]["enrollment_url"] == f"{LMS}/{RUN}/{query}"
    assert nested(items[COURSE]) == {key: f"{LMS}/{key}/{query}" for key in (RUN, SECOND_RUN)}


@pytest.mark.parametrize("advertised", [None, "no run of this course"])
def test_a_course_that_advertises_no_run(advertised):  # ENR-2, META-30
    item = served([course(COURSE, RUN, advertised_course_run_uuid=advertised)])[COURSE]
    assert item["enrollment_url"] == f"{LMS}/{COURSE}/enroll/?catalog={CATALOG}&{UTM}"
    assert item["normalized_metadata"]["start_date"] is None
    assert list(item["normalized_metadata_by_run"]) == [RUN]


@pytest.mark.parametrize("portal", [True, False])
def test_with_audit_tracks(documents, portal):  # ENR-1, ENR-2, ENR-3, ENR-4
    customer(slug="acme", enable_learner_portal=portal)
    items = served(documents, publish_audit_enrollment_urls=True)
    assert ("?audit=true&" if portal else "%3Faudit%3Dtrue%26") in items.pop(EXEC_ED)["enrollment_url"]
    urls = [item["enrollment_url"] for item in items.values()] + list(nested(items[COURSE]).values())
    assert len(urls) == 5
    assert all("?audit=true&" in url for url in urls)


def test_exec_ed_with_a_portal(documents):  # ENR-3, META-16
    customer(slug="acme", enable_learner_portal=True)
    items = served(documents)
    assert items[EXEC_ED]["enrollment_url"] == f"{PORTAL}/executive-education-2u/course/{EXEC_ED}?{UTM}"
    assert nested(items[EXEC_ED]) == {EXEC_ED_RUN: "absent"}
    assert "parent_content_key" not in items[EXEC_ED]["course_runs"][0]


def test_exec_ed_without_a_portal(documents):  # ENR-4, META-16
    customer(slug="acme")
    items = served(documents)
    assert items[EXEC_ED]["enrollment_url"] == (
        "https://lms.example.org/enterprise/proxy-login/?enterprise_slug=acme"
        "&next=https%3A%2F%2Fecommerce.example.org%2Fexecutive-education-2u%2Fcheckout"
        "%3Fsku%3DABC1234%26utm_medium%3Denterprise%26utm_source%3Dacme-inc"
    )
    assert nested(items[EXEC_ED]) == {EXEC_ED_RUN: "absent"}


def test_exec_ed_of_a_customer_without_slug(documents):  # ENR-4
    assert served(documents)[EXEC_ED]["enrollment_url"] is None


def test_exec_ed_without_sku():  # ENR-4
    customer(slug="acme")
    unsold = course(EXEC_ED, course_type="executive-education-2u", entitlements=None)
    assert served([unsold])[EXEC_ED]["enrollment_url"] is None


@pytest.mark.parametrize("portal", [True, False])
def test_a_run_of_an_exec_ed_course_is_a_run(documents, portal):  # ENR-1, ENR-2
    customer(slug="acme", enable_learner_portal=portal)
    url = served(documents)[EXEC_ED_RUN]["enrollment_url"]
    query = "course_run_key=course-v1%3AGetSmarter%2BAI%2B1T2026"
    assert url == (
        f"{PORTAL}/course/{EXEC_ED}?{query}&{UTM}" if portal else f"{LMS}/{EXEC_ED_RUN}/enroll/?catalog={CATALOG}&{UTM}"
    )


@pytest.mark.parametrize(
    ("name", "source"),
    [("Université Lyon 1", "&utm_source=universite-lyon-1"), ("数学", ""), ("", "&utm_source=acme")],
    ids=["its own", "no slug", "the customer's"],
)
def test_links_name_the_catalogs_customer(name, source):  # META-22
    customer(slug="other")
    item = served([course(COURSE, marketing_url="https://www.example.org/a?y=")], enterprise_name=name)[COURSE]
    assert item["marketing_url"] == f"https://www.example.org/a?utm_medium=enterprise{source}"
    assert item["enrollment_url"].endswith(f"catalog={CATALOG}&utm_medium=enterprise{source}")
