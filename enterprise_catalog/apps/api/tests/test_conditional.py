"""Callers who hold the current answer get 304, and whatever changes a body changes its tag (COM-18)."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from django.utils.http import http_date

from enterprise_catalog.apps.api.common.conditional import etag_matches
from enterprise_catalog.apps.catalog.models import CatalogContentKey, EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering import cache_validators, item_template, template_filler
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.discovery.records import CourseReview
from enterprise_catalog.apps.refresh.scheduling.course_reviews import store_reviews
from enterprise_catalog.testing.callers import CUSTOMER_UUID, client_for, learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish, store
from enterprise_catalog.testing.documents import course_document, run_document
from enterprise_catalog.testing.runs import keys, make_query, store_courses

pytestmark = pytest.mark.django_db

LATER = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def catalog():
    EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, slug="acme", name="Acme")
    return make_catalog("edX+A", "edX+B")


def ask(catalog, query="", etag=None, **headers):
    if etag is not None:
        headers["If-None-Match"] = etag
    return learner().get(f"{path_of(catalog, 'get_content_metadata/')}?{query}", headers=headers)


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize("query", ["", "page_size=1&page=2", "content_keys=edX%2BA", "traverse_pagination=1"])
def test_a_caller_with_the_current_tag_gets_no_body(catalog, query):  # COM-18, ADD-1
    first = ask(catalog, query)
    second = ask(catalog, query, first["ETag"])
    assert first["ETag"].startswith('W/"')
    assert (second.status_code, second.content) == (304, b"")
    assert not {"Content-Type", "Content-Length"} & set(second.headers)


@pytest.mark.parametrize("query", ["", "traverse_pagination=1"])
@pytest.mark.parametrize("held", [False, True])
def test_the_headers_of_an_answer_that_may_be_kept(catalog, query, held):  # ADD-2
    response = ask(catalog, query, ask(catalog, query)["ETag"] if held else None)
    assert response.status_code == (304 if held else 200)
    assert response["Cache-Control"] == "private, max-age=0, must-revalidate"
    varies = {name.strip() for name in response["Vary"].split(",")}
    assert varies >= {"Accept", "Accept-Encoding", "Authorization", "Cookie"}
    assert {"ETag", "Last-Modified", "X-Catalog-Generation", "X-Catalog-Refreshed-At"} <= set(response.headers)


@pytest.mark.parametrize(
    ("if_none_match", "held"),
    [
        *[('W/"a"', True), ('"a"', True), ('W/"b", W/"a"', True), ('"b","a","c"', True), ("*", True)],
        *[('W/"b"', False), ("a", False), ("", False), ('W/"a', False), ('"*"', False), ('"A"', False)],
    ],
)
def test_tags_are_compared_weakly(if_none_match, held):
    assert etag_matches(if_none_match, 'W/"a"') is held


def test_a_date_alone_is_ignored(catalog):
    """Removals do not change it."""
    assert ask(catalog, **{"If-Modified-Since": http_date(LATER.timestamp())}).status_code == 200


def test_permission_comes_first(catalog):  # AUTH-9
    path = path_of(catalog, "get_content_metadata/")
    etag = {"If-None-Match": ask(catalog)["ETag"]}
    assert client_for("nobody").get(path, headers=etag).status_code == 403
    assert client_for("nobody").get(path, headers={"If-None-Match": "*"}).status_code == 403


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *[("page=9", 404), ("content_keys=edX%2BA&page=2", 404), ("traverse_pagination=perhaps", 400)],
        ("&".join(f"content_keys={key}" for key in keys(101)), 400),
    ],
)
def test_errors_in_parameters_come_before_304(catalog, query, status):  # AUTH-9
    assert ask(catalog, query, "*").status_code == status


def test_a_head_is_answered_alike(catalog):  # AUTH-9
    path, etag = path_of(catalog, "get_content_metadata/"), ask(catalog)["ETag"]
    assert learner().head(path)["ETag"] == etag
    assert learner().head(path, headers={"If-None-Match": etag}).status_code == 304


def test_a_post_has_no_tag(catalog):
    path = path_of(catalog, "get_content_metadata/")
    response = learner().post(path, {"content_keys": ["edX+A"]}, headers={"If-None-Match": "*"})
    assert (response.status_code, "ETag" in response) == (200, False)


@pytest.mark.parametrize("query", ["", "traverse_pagination=1"])
def test_compression_leaves_the_tag_as_it_is(catalog, query):  # COM-17
    plain = ask(catalog, query)
    compressed = ask(catalog, query, **{"Accept-Encoding": "gzip"})
    assert compressed["Content-Encoding"] == "gzip"
    assert gzip.decompress(body(compressed)) == body(plain)
    assert compressed["ETag"] == plain["ETag"]
    assert ask(catalog, query, compressed["ETag"], **{"Accept-Encoding": "gzip"}).status_code == 304


@pytest.mark.parametrize(
    "other",
    [
        {"query": "page_size=1"},
        {"query": "content_keys=edX%2BA"},
        {"query": "content_keys=edX%2BA&content_keys=edX%2BA"},
        {"query": "format=xml"},
        {"Accept": "application/xml"},
        {"Host": "localhost"},
        {"query": "traverse_pagination=1"},
    ],
)
def test_another_url_has_another_tag(catalog, other):
    assert ask(catalog, **other)["ETag"] != ask(catalog)["ETag"]


def test_another_scheme_has_another_tag(catalog):
    path = path_of(catalog, "get_content_metadata/")
    assert learner().get(path, secure=True)["ETag"] != learner().get(path)["ETag"]


def test_another_catalog_has_another_tag(catalog):
    twin = make_catalog(query=catalog.catalog_query, modified=catalog.modified)
    tags = [learner().get(path_of(each, "get_content_metadata/"))["ETag"] for each in (catalog, twin)]
    assert tags[0] != tags[1]


def publish_more(catalog):
    publish(catalog.catalog_query, course_document("edX+A"), course_document("edX+B"), course_document("edX+C"))


def publish_fewer(catalog):
    publish(catalog.catalog_query, course_document("edX+A"))


def change_an_item_through_another_query(catalog):
    publish(make_query({"key": ["elsewhere"]}), course_document("edX+A", title="changed"))


def make_an_item_inactive(catalog):
    store_courses(course_document("edX+A", course_runs=[]))


def review(catalog):
    store_reviews([CourseReview("edX+A", 3, 4.5)])


def move(catalog):
    query = make_query({"key": ["other"]})
    publish(query, course_document("edX+A"), course_document("edX+B"))
    EnterpriseCatalog.objects.filter(pk=catalog.pk).update(catalog_query=query)


def of_catalog(**fields):
    return lambda it: EnterpriseCatalog.objects.filter(pk=it.pk).update(**fields)


def of_customer(**fields):
    return lambda it: EnterpriseCustomer.objects.update(**fields)


CHANGES = {
    "more members": publish_more,
    "fewer members": publish_fewer,
    "an item, by another query's refresh": change_an_item_through_another_query,
    "what is listed": make_an_item_inactive,
    "a review": review,
    "another query": move,
    "title": of_catalog(title="Renamed"),
    "customer": of_catalog(enterprise_uuid="11111111-2222-4333-8444-555555555555"),
    "customer's name": of_catalog(enterprise_name="Other"),
    "audit": of_catalog(publish_audit_enrollment_urls=True),
    "catalog's date": of_catalog(modified=LATER),
    "slug": of_customer(slug="other", enable_learner_portal=True),
    "portal": of_customer(enable_learner_portal=True),
    "customer's date": of_customer(modified=LATER),
    "no customer": lambda it: EnterpriseCustomer.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("query", ["", "content_keys=edX%2BA", "traverse_pagination=1"])
def test_what_changes_an_answer_changes_its_tag(catalog, change, query):
    everybody = client_for("olivia", "enterprise_openedx_operator:*")
    url = f"{path_of(catalog, 'get_content_metadata/')}?{query}"
    before = everybody.get(url)
    CHANGES[change](catalog)
    after = everybody.get(url, headers={"If-None-Match": before["ETag"]})
    assert (after.status_code, after["ETag"] != before["ETag"]) == (200, True)


@pytest.mark.parametrize("name", ["LMS_ROOT_URL", "ENTERPRISE_LEARNER_PORTAL_BASE_URL", "ECOMMERCE_BASE_URL"])
def test_settings_of_links_are_part_of_the_tag(catalog, settings, name):
    before = ask(catalog)["ETag"]
    setattr(settings, name, "https://moved.example.org")
    assert ask(catalog)["ETag"] != before


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (item_template, "RENDERING_VERSION"),
        (template_filler, "FILLING_VERSION"),
        (cache_validators, "FILLING_VERSION"),
    ],
)
def test_versions_of_the_code_are_part_of_the_tag(catalog, monkeypatch, module, name):
    content = CatalogContentKey.objects.select_related("content").first().content

    def current():
        fill = template_filler.TemplateFiller(catalog=catalog, customer=None)
        of_catalog = cache_validators.catalog_validators(catalog=catalog, fill=fill)
        return of_catalog.inputs, cache_validators.version_of_content(content).inputs

    before = current()
    monkeypatch.setattr(module, name, 99)
    assert current() != before


def test_items_that_are_rendered_anew_later_change_the_tag_again(catalog, monkeypatch):
    """Until the next refresh a new version of the code serves what an old one rendered."""
    monkeypatch.setattr(item_template, "RENDERING_VERSION", 99)
    before = ask(catalog)["ETag"]
    store_courses(course_document("edX+A"))
    assert ask(catalog)["ETag"] != before


def test_a_run_that_another_query_holds_changes_the_answer_for_its_key(catalog):  # CONT-8
    """The run is found through its course only while some query holds the run."""
    query = "content_keys=course-v1:edX%2BA%2B9T"
    before = ask(catalog, query)
    assert before.json()["count"] == 0
    publish(make_query({"key": ["elsewhere"]}), run_document("course-v1:edX+A+9T", "edX+A"))
    after = ask(catalog, query, before["ETag"])
    assert (after.status_code, after.json()["count"]) == (200, 1)


def test_a_refresh_that_finds_nothing_new_keeps_the_tag(catalog):  # REFR-20
    before = ask(catalog)
    publish(catalog.catalog_query, course_document("edX+A"), course_document("edX+B"))
    after = ask(catalog, etag=before["ETag"])
    assert (after.status_code, after["ETag"]) == (304, before["ETag"])
    assert after["X-Catalog-Refreshed-At"] != before["X-Catalog-Refreshed-At"]


def test_a_content_that_is_in_another_query_only_keeps_the_tag(catalog):
    before = ask(catalog)["ETag"]
    store(course_document("edX+Elsewhere"))
    publish(make_query({"key": ["elsewhere"]}), course_document("edX+Elsewhere", title="new"))
    assert ask(catalog)["ETag"] == before


def test_last_modified_is_that_of_the_latest_item(catalog):  # META-11
    dates = [item["content_last_modified"] for item in ask(catalog).json()["results"]]
    latest = datetime.fromisoformat(max(dates))
    assert ask(catalog)["Last-Modified"] == http_date(latest.timestamp())
    EnterpriseCustomer.objects.update(modified=LATER)
    assert ask(catalog)["Last-Modified"] == "Tue, 01 Jan 2030 12:00:00 GMT"


def test_last_modified_of_an_empty_catalog_is_its_own():
    EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, modified=LATER + timedelta(days=1))
    empty = make_catalog(modified=LATER)
    assert ask(empty)["Last-Modified"] == "Tue, 01 Jan 2030 12:00:00 GMT"
