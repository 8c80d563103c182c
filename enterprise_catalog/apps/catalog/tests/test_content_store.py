"""Storing documents, and the items that are served from them (REFR-16..20, META-10..21, CONT-1)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest
from django.utils import timezone

from enterprise_catalog.apps.catalog.content.prepared_content import prepare_content
from enterprise_catalog.apps.catalog.models import ContentDocuments, ContentMetadata, EnterpriseCatalog, NestedRun
from enterprise_catalog.apps.catalog.rendering.enrollment_urls import run_enrollment_url
from enterprise_catalog.apps.catalog.rendering.item_template import GAP
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller, url_context
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.core.packed_json import pack, unpack, unpack_bytes
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from tests.samples import sample

pytestmark = pytest.mark.django_db

CATALOG = EnterpriseCatalog(
    uuid=UUID("7467c9d2-433c-4f7e-ba2e-c5c7798527b2"),
    title="All Content",
    enterprise_uuid=UUID("6ae013d4-c5c4-474d-8da9-0e559b2448e2"),
    enterprise_name="Acme, Inc.",
    modified=datetime(2026, 1, 1, tzinfo=UTC),
)
CUSTOMER = EnterpriseCustomer(
    uuid=CATALOG.enterprise_uuid,
    slug="acme",
    name="Acme",
    enable_learner_portal=True,
    modified=datetime(2026, 1, 2, tzinfo=UTC),
)
UTM = "utm_medium=enterprise&utm_source=acme-inc"


def store(document, record=None, assert_lease=lambda: None):
    key = document.get("key") or document["uuid"]
    content_type, _, named = document["aggregation_key"].partition(":")
    content = prepare_content(
        pack(document),
        content_key=key,
        content_type=content_type,
        parent_content_key=named if content_type == "courserun" else None,
        content_uuid=None,
        now=timezone.now(),
    )
    records = {key: pack(record)} if record else {}
    return store_contents(contents=[content], records=records, assert_lease=assert_lease).changed


def filled(key, catalog=CATALOG, customer=CUSTOMER):
    rendered = unpack_bytes(ContentDocuments.objects.get(pk=key).rendered)
    return orjson.loads(TemplateFiller(catalog=catalog, customer=customer)(rendered))


@pytest.fixture
def search_course():
    return sample("search_all_page_1")["results"][0]


@pytest.fixture
def record():
    return sample("courses_by_keys")["results"][0]


def test_a_course_as_served(search_course, record):  # META-10..18, ENR-1
    store(search_course, record)
    item = filled(record["key"])
    assert item["parent_content_key"] is None
    assert item["aggregation_key"] == f"course:{record['key']}"
    assert item["enrollment_url"] == f"https://enterprise.example.org/acme/course/{record['key']}?{UTM}"
    assert item["xapi_activity_id"] == f"https://lms.example.org/xapi/activities/course/{record['key']}"
    assert item["marketing_url"].endswith(UTM)
    assert item["active"] in (True, False)
    assert set(item["normalized_metadata"]) == {
        "start_date", "end_date", "enroll_by_date", "enroll_start_date", "content_price",
    }  # fmt: skip
    for run in item["course_runs"]:
        assert run["parent_content_key"] == record["key"]
        assert f"course_run_key={run['key'].replace(':', '%3A').replace('+', '%2B')}" in run["enrollment_url"]


def test_every_value_that_discovery_sent_is_served(search_course, record):
    """Values are served unchanged, and the service adds its own (REFR-16, COM-13)."""
    store(search_course, record)
    item = filled(record["key"])
    ours = {"marketing_url", "course_runs", "product_source"}
    kept = {"aggregation_key", "content_type", "seat_types", "end_date", "course_ends", "languages"}
    sent = search_course | {key: value for key, value in record.items() if key not in kept}
    assert {key: item[key] for key in sent if key not in ours} == {key: sent[key] for key in sent if key not in ours}
    for served, original in zip(item["course_runs"], record["course_runs"], strict=True):
        assert {key: served[key] for key in original} == original


def test_exporters_find_what_they_read(search_course, record):
    """Fields of courses, of their runs, and of runs that are items of their own (CLI-14)."""
    store(search_course, record)
    item = filled(record["key"])
    assert item.keys() >= {
        *[
            "key",
            "uuid",
            "content_type",
            "title",
            "full_description",
            "short_description",
            "enrollment_url",
            "image_url",
        ],
        *["card_image_url", "course_runs", "languages", "organizations", "subjects", "owners", "level_type", "video"],
        *["content_last_modified"],
    }
    for run in item["course_runs"]:
        assert run.keys() >= {
            *["key", "start", "end", "enrollment_start", "enrollment_end", "availability", "pacing_type", "status"],
            *["is_enrollable", "is_marketable", "seats", "min_effort", "max_effort", "weeks_to_complete"],
            *["estimated_hours", "first_enrollable_paid_seat_price", "content_language"],
        }
    run_document = sample("search_all_page_1")["results"][3]
    store(run_document)
    assert filled(run_document["key"]).keys() >= {"key", "title", "start", "end", "first_enrollable_paid_seat_price"}


def test_exec_ed_runs_have_no_enrollment_urls():  # META-16, ENR-3
    record = sample("courses_by_keys")["results"][2]
    store({"aggregation_key": f"course:{record['key']}", "content_type": "course", "key": record["key"]}, record)
    item = filled(record["key"])
    assert "executive-education-2u/course/" in item["enrollment_url"]
    assert all("enrollment_url" not in run and "parent_content_key" not in run for run in item["course_runs"])


def test_a_run_as_served():  # META-10, META-13, META-14
    key = "course-v1:edX+DemoX+1T2026"
    store({"aggregation_key": "courserun:edX+DemoX", "content_type": "courserun", "key": key, "marketing_url": None})
    item = filled(key)
    assert item["parent_content_key"] == "edX+DemoX"
    assert "/acme/course/edX+DemoX?course_run_key=" in item["enrollment_url"]
    assert item["xapi_activity_id"].endswith(f"/courserun/{key}")
    assert item["marketing_url"] is None
    assert "active" not in item


def test_a_program_and_a_pathway_as_served():  # META-6, META-13
    pathway = sample("search_all_page_2")["results"][1]
    program = {"aggregation_key": "program:p", "content_type": "program", "uuid": "p", "marketing_url": "/p"}
    store(pathway)
    store(program)
    assert filled("p")["enrollment_url"] is None
    assert filled("p")["marketing_url"] == f"/p?{UTM}"
    assert filled(pathway["uuid"])["key"] == pathway["uuid"]
    assert "enrollment_url" not in filled(pathway["uuid"])
    assert "xapi_activity_id" not in filled("p")


@pytest.mark.parametrize("portal", [True, False])
def test_runs_have_enrollment_urls_whatever_their_keys_are(search_course, portal):
    """The URLs of a course's runs differ only in the key (META-16)."""
    keys = ["course-v1:edX+A+1T", 'a "quoted" \\ key', "Ünïcode/and%20more", "course-v1:edX+A+2T?x=1&y=2#z"]
    course = search_course | {"course_runs": [{"key": key} for key in keys]}
    store(course)
    customer = EnterpriseCustomer(uuid=CUSTOMER.uuid, slug="acme", enable_learner_portal=portal)
    served = filled(course["key"], customer=customer)["course_runs"]
    context = url_context(CATALOG, customer)
    assert served == [
        {
            "key": key,
            "parent_content_key": course["key"],
            "enrollment_url": run_enrollment_url(context, run_key=key, course_key=course["key"]),
        }
        for key in keys
    ]


@pytest.mark.parametrize("later", ["item", "catalog", "customer"])
def test_last_modified_is_the_latest_of_item_catalog_and_customer(search_course, later):  # META-11, COM-13
    store(search_course)
    moment = timezone.now().replace(microsecond=0) + timedelta(days=1)
    catalog = EnterpriseCatalog(**{field.attname: getattr(CATALOG, field.attname) for field in CATALOG._meta.fields})
    customer = EnterpriseCustomer(uuid=CUSTOMER.uuid, slug="acme", modified=CUSTOMER.modified)
    expected = ContentMetadata.objects.get().modified
    if later == "catalog":
        expected = catalog.modified = moment
    if later == "customer":
        expected = customer.modified = moment
    served = filled(search_course["key"], catalog, customer)["content_last_modified"]
    assert served == expected.isoformat().replace("+00:00", "Z")


def test_without_a_customer_copy_enrollment_urls_lead_to_the_lms(search_course):  # CUST-1, ENR-2
    store(search_course)
    item = filled(search_course["key"], customer=None)
    assert item["enrollment_url"].startswith(f"https://lms.example.org/enterprise/{CATALOG.enterprise_uuid}/course/")


def test_storing_the_same_again_changes_nothing(search_course, record):  # REFR-20
    assert store(search_course, record) == 1
    before = list(ContentMetadata.objects.values())
    assert store(search_course, record) == 0
    assert list(ContentMetadata.objects.values()) == before


def test_a_key_that_is_gone_from_both_sources_is_gone(search_course, record):  # REFR-17
    store(search_course | {"extra": 1}, record | {"more": 1})
    store(search_course, record)
    assert not {"extra", "more"} & filled(search_course["key"]).keys()


def test_the_two_documents_are_kept_apart(search_course, record):  # REFR-14
    search = search_course | {"course_runs": []}
    store(search, record)
    documents = ContentDocuments.objects.get()
    assert [unpack(documents.search_document), unpack(documents.full_record or b"")] == [search, record]


@pytest.mark.parametrize(("page", "number"), [(1, 3), (2, 1)], ids=["run", "pathway"])
def test_a_run_and_a_pathway_are_their_search_documents(page, number):
    """The items of runs and pathways are their search documents with the fields of the service (REFR-15)."""
    document = sample(f"search_all_page_{page}")["results"][number]
    store(document)
    ours = {"marketing_url", "product_source"}
    item = filled(document.get("key") or document["uuid"])
    assert {name: item[name] for name in document if name not in ours} == {
        name: value for name, value in document.items() if name not in ours
    }
    added = {"key", "enrollment_url", "xapi_activity_id", "parent_content_key", "content_last_modified"}
    assert item.keys() - document.keys() <= added


def test_a_missing_record_keeps_the_last_one(search_course, record):  # DISC-18
    store(search_course, record)
    store(search_course | {"title": "changed"})
    assert unpack(ContentDocuments.objects.get().full_record or b"") == record


def test_nested_runs_follow_both_documents(search_course, record):
    """Rows exist for runs of any dates, and restricted ones are marked (CONT-1)."""
    restricted = {"key": "course-v1:secret", "restriction_type": "custom-b2c"}
    ended = {"key": "course-v1:ended", "end": "2001-01-01T00:00:00Z"}
    store(search_course | {"course_runs": [ended, restricted]}, record)
    stored = dict(NestedRun.objects.values_list("run_key", "restricted"))
    assert stored == {run["key"]: False for run in record["course_runs"]} | {
        "course-v1:ended": False,
        "course-v1:secret": True,
    }
    store(search_course | {"course_runs": []}, record | {"course_runs": []})
    assert not NestedRun.objects.exists()


def test_nothing_is_written_without_the_lease(search_course):
    """The lease is checked inside the transaction (P5)."""

    class NotOurs(Exception):
        pass

    def refuse():
        raise NotOurs

    with pytest.raises(NotOurs):
        store(search_course, assert_lease=refuse)
    assert not ContentMetadata.objects.exists()


def test_odd_text_is_stored_and_served_unchanged(search_course):
    """Text of four-byte characters, NUL inside text, and the year 9999 (DISC-17)."""
    odd = search_course | {"title": "Mathe 数学 🎓 a\x00b", "end_date": "9999-12-31T23:59:59Z"}
    store(odd)
    item = filled(search_course["key"])
    assert (item["title"], item["end_date"]) == (odd["title"], odd["end_date"])


def test_a_template_contains_no_other_gaps(search_course):
    """JSON escapes control characters (ADR 0002)."""
    store(search_course | {"title": "\x00\x1e\x1f"})
    rendered = unpack_bytes(ContentDocuments.objects.get().rendered)
    assert len(rendered.split(GAP)) == 2 + len(orjson.loads(rendered.split(GAP)[0])["runs"])


@pytest.mark.parametrize("url", ["http://[broken", "", None, 5])
def test_a_broken_url_is_served_unchanged(search_course, url):  # DISC-17
    store(search_course | {"marketing_url": url})
    assert filled(search_course["key"])["marketing_url"] == url
