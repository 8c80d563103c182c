"""Catalog queries of the legacy API (LEG-18)."""

from xml.etree import ElementTree

import pytest
from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.testing.callers import admin, operator
from enterprise_catalog.testing.catalogs import LEGACY, make_catalog
from enterprise_catalog.testing.factories import CatalogQueryFactory
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db

QUERIES = f"{LEGACY}enterprise_catalog_query/"


def test_the_fields_of_a_query():  # LEG-18, COM-6, COM-13, COM-14
    """A query that no catalog uses any more is listed, too."""
    query = make_query({"b": [1, {"x": None}], "a": "數學", "n": 10**30})
    CatalogQuery.objects.filter(pk=query.pk).update(title="Everything")
    answer = operator().get(QUERIES).json()
    assert list(answer) == ["count", "next", "previous", "results"]
    (found,) = answer["results"]
    fields = ["id", "created", "modified", "title", "content_filter", "uuid", "include_exec_ed_2u_courses"]
    assert list(found) == fields
    assert (found["id"], found["uuid"], found["title"]) == (query.pk, str(query.uuid), "Everything")
    assert found["content_filter"] == {"b": [1, {"x": None}], "a": "數學", "n": 10**30}
    assert found["include_exec_ed_2u_courses"] is False
    assert found["created"] == query.created.isoformat().replace("+00:00", "Z")
    assert operator().get(f"{QUERIES}{query.pk}/").json() == found


def test_a_query_without_a_title():  # LEG-18
    assert operator().get(f"{QUERIES}{make_query().pk}/").json()["title"] is None


def test_a_hundred_on_a_page():  # LEG-18, COM-9
    ids = [query.pk for query in CatalogQueryFactory.create_batch(101)]
    first = operator().get(QUERIES).json()
    assert (first["count"], first["previous"]) == (101, None)
    assert first["next"] == f"http://testserver{QUERIES}?page=2"
    second = operator().get(first["next"]).json()
    assert [query["id"] for query in first["results"] + second["results"]] == ids
    assert len(operator().get(f"{QUERIES}?page_size=1000").json()["results"]) == 100
    assert len(operator().get(f"{QUERIES}?page_size=7").json()["results"]) == 7
    assert operator().get(f"{QUERIES}?page=3").json() == {"detail": "Invalid page."}


@pytest.mark.parametrize("identifier", ["2147483648", "0", "-1", "x", "9" * 40, "٣", "1.0"])
def test_an_unknown_query(identifier):  # LEG-18
    response = operator().get(f"{QUERIES}{identifier}/")
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_a_uuid_is_not_an_id_here():  # LEG-18
    assert operator().get(f"{QUERIES}{make_query().uuid}/").status_code == 404


def test_the_anonymous_learn_nothing():  # LEG-18, AUTH-7
    for path in (QUERIES, f"{QUERIES}{make_query().pk}/", f"{QUERIES}0/"):
        assert APIClient().get(path).status_code == 401


def test_admins_of_customers_have_v1_for_this():  # PERM-17, ROLE-7
    catalog = make_catalog()
    response = admin().get(f"{QUERIES}{catalog.catalog_query_id}/")
    assert response.json() == {"detail": "You do not have permission to perform this action."}


def test_xml():  # COM-5
    query = make_query({"content_type": ["course"], "level type": "x"})
    response = operator().get(f"{QUERIES}{query.pk}", headers={"Accept": "application/xml"})
    root = ElementTree.fromstring(response.content)
    assert root.findtext("content_filter/content_type/list-item") == "course"
    assert root.find("content_filter/item").attrib == {"key": "level type"}
    assert root.findtext("include_exec_ed_2u_courses") == "False"
