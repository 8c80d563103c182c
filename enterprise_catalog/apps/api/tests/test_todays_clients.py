"""The calls of today's clients, spelled as they spell them, and what they read of the answers (SURF-1).

The released edx-enterprise itself is driven in tests/clients; ecommerce, license-manager and enterprise-access call as
they do here.
"""

import json
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth import get_user_model

from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.apps.access.tests.tokens import E, learner, operator
from enterprise_catalog.apps.api.tests.builders import make_catalog, program_document, run_document
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog

pytestmark = pytest.mark.django_db

RUN = "course-v1:edX+A+1T"
PROGRAM = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
V1, V2 = "/api/v1", "/api/v2"


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return make_catalog("edX+A", "edX+B", run_document(RUN, "edX+A"), program_document(PROGRAM))


def get(path, client=None):
    response = (client or operator()).get(path)
    assert response.status_code == 200
    return json.loads(response.getvalue())


@pytest.mark.parametrize("ids", [["edX+A"], [RUN], [PROGRAM], ["nope", RUN]])
@pytest.mark.parametrize("version", [V1, V2])
def test_is_it_contained(catalog, version, ids):  # SURF-1, CLI-6, CLI-10, CLI-11, CLI-12
    query = urlencode({"course_run_ids": ids}, doseq=True)
    path = f"{version}/enterprise-catalogs/{catalog.uuid}/contains_content_items/?{query}"
    assert get(path) == {"contains_content_items": True}
    flag = "get_catalogs_containing_specified_content_ids=True"
    path = f"{version}/enterprise-customer/{E}/contains_content_items/?{query}&{flag}"
    assert get(path) == {"contains_content_items": True, "catalog_list": [str(catalog.uuid)]}


def test_a_learner_may_ask_too(catalog):  # SURF-1, CLI-10
    path = f"{V1}/enterprise-customer/{E}/contains_content_items/?course_run_ids={quote(RUN)}"
    assert get(path, learner()) == {"contains_content_items": True}


def test_an_exporter_walks_by_the_query_string_of_next(catalog):  # SURF-1, CLI-3, CLI-13
    path = f"{V1}/enterprise-catalogs/{catalog.uuid}/get_content_metadata/"
    keys = [("content_keys", key) for key in ("edX+A", "edX+B", PROGRAM)]
    seen, query = [], urlencode([("page_size", 1), *keys])
    while query:
        page = get(f"{path}?{query}")
        seen += [item["uuid" if item["content_type"] == "program" else "key"] for item in page["results"]]
        query = (page["next"] or "").partition("?")[2]
    assert seen == [PROGRAM, RUN, "edX+A", "edX+B"]


def test_whole_catalogs_and_chunks_of_keys_on_v2(catalog):  # SURF-1, CLI-12
    path = f"{V2}/enterprise-catalogs/{catalog.uuid}/get_content_metadata/"
    assert get(path)["count"] == 4
    some = get(f"{path}?content_keys=edX%2BA&content_keys=nope&traverse_pagination=True")
    assert [item["key"] for item in some["results"]] == [RUN, "edX+A"]


def test_an_exporter_asks_for_the_difference(catalog):  # SURF-1, CLI-5
    path = f"{V1}/enterprise-catalogs/{catalog.uuid}/generate_diff/"
    answer = operator().post(path, {"content_keys": ["edX+A", "edX+gone"]}).json()
    assert answer["items_not_found"] == [{"content_key": "edX+gone"}]
    assert [item["content_key"] for item in answer["items_not_included"]] == [PROGRAM, RUN, "edX+B"]
    assert [(item["content_key"], bool(item["date_updated"])) for item in answer["items_found"]] == [("edX+A", True)]


def test_content_is_looked_up(catalog):  # SURF-1, CLI-7, CLI-12
    assert get(f"{V1}/enterprise-customer/{E}/content-metadata/{quote(RUN)}/")["key"] == RUN
    assert get(f"{V1}/content-metadata/{quote(RUN)}?coerce_to_parent_course=True")["key"] == "edX+A"
    assert get(f"{V1}/content-metadata/edX+A")["content_type"] == "course"


def test_the_form_of_a_query_looks_for_duplicates(catalog):  # SURF-1, CLI-8
    form = "content_type=course&partner=edx"
    path = f"{V1}/catalog-queries/get_content_filter_hash"
    md5 = operator().generic("GET", path, form, content_type="application/x-www-form-urlencoded").json()
    unique = operator().get(f"{V1}/catalog-queries/get_query_by_hash?hash={md5}")
    assert unique.status_code == 404
    CatalogQuery.objects.filter(pk=catalog.catalog_query_id).update(content_filter_hash=md5, title="All courses")
    found = get(f"{V1}/catalog-queries/get_query_by_hash?hash={md5}")
    assert (found["uuid"], found["title"]) == (str(catalog.catalog_query.uuid), "All courses")


def test_the_admins_link_opens_in_a_browser(catalog, client):  # SURF-1, CLI-9
    user = get_user_model().objects.create(username="sam", is_staff=True)
    assign(user, "enterprise_catalog_admin", E)
    client.force_login(user)
    path = f"{V1}/enterprise-catalogs/{catalog.uuid}/get_content_metadata"
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = client.get(path, headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/xml; charset=utf-8")
    assert b"edX+A" in response.content


def test_catalogs_are_grouped_by_query(catalog):  # SURF-1, CLI-11
    other = make_catalog(query=catalog.catalog_query)
    uuids = [str(catalog.uuid), str(other.uuid)]
    answer = operator().post(f"{V1}/distinct-catalog-queries/", {"enterprise_catalog_uuids": uuids}).json()
    assert answer["num_distinct_query_ids"] == 1
    assert sorted(*answer["catalog_uuids_by_catalog_query_id"].values()) == sorted(uuids)
