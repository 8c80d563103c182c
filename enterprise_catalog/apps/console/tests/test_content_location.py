"""The admin page "Where is this content?" (ADD-5)."""

import pytest
from django.urls import reverse

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.admin_clients import page, signed_in
from enterprise_catalog.testing.catalogs import make_catalog, publish
from enterprise_catalog.testing.documents import course_document

pytestmark = pytest.mark.django_db

PATH = "/admin/where-is-this-content/"


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return make_catalog("edX+A", "edX+B", title="Engineering", enterprise_name="Umbrella")


def seen(client, **asked: str) -> str:
    response = client.get(PATH, asked)
    assert response.status_code == 200
    return response.content.decode()


def test_it_asks_for_a_key_first(admin):
    assert reverse("admin:where_is_content") == PATH
    assert '<label for="content_key">' in seen(admin)


def test_a_key_leads_to_content_catalog_and_query(admin, catalog):  # ADD-5
    content = seen(admin, content_key="edX+A")
    assert "yes, as itself, listed" in content
    for model, pk in (
        (ContentMetadata, "edX_2BA"),
        (EnterpriseCatalog, catalog.pk),
        (CatalogQuery, catalog.catalog_query_id),
    ):
        assert page(model, "change", pk) in content


def test_why_not_leads_to_the_run(admin, catalog):  # ADD-5
    publish(catalog.catalog_query, course_document("edX+B"))
    content = seen(admin, content_key="edX+A", catalog=str(catalog.pk))
    assert "search does not return it any more" in content
    assert page(RefreshRun, "change", RefreshRun.objects.latest("requested_at").pk) in content


@pytest.mark.parametrize("words", ["umbrella", "ENGINEER"])
def test_a_catalog_is_found_by_words(admin, catalog, words):  # ADD-5
    make_catalog("edX+A", title="Somebody else's", enterprise_name="Globex")
    content = seen(admin, content_key="edX+A", catalog=words)
    assert "Engineering" in content
    assert "Somebody else" not in content


def test_all_catalogs_of_a_customer_are_explained(admin, catalog):  # ADD-5
    make_catalog("edX+Z", title="Zoology")
    content = seen(admin, content_key="edX+A", catalog=str(catalog.enterprise_uuid))
    assert "Engineering" in content
    assert "Zoology" in content


def test_nothing_is_found(admin, catalog):
    assert "No catalog is found by “nobody”." in seen(admin, content_key="edX+A", catalog="nobody")
    assert "No catalog contains it." in seen(admin, content_key="edX+Z")


def test_an_address_that_somebody_typed_is_understood(admin, catalog):  # COM-12
    assert "yes, as itself" in admin.get(f"{PATH}?content_key=edX+A").content.decode()


def test_what_is_typed_is_text(admin, catalog):
    content = seen(admin, content_key="<script>alert(1)</script>", catalog="<b>")
    assert "<script>alert" not in content
    assert "<b>" not in content


def test_many_catalogs_come_in_pages(admin, catalog):
    for _ in range(10):
        make_catalog(query=catalog.catalog_query)
    content = seen(admin, content_key="edX+A")
    assert "Page 1 of 2, 11 catalogs" in content
    assert "?content_key=edX%2BA&amp;p=2" in content
    assert seen(admin, content_key="edX+A", p="2").count("yes, as itself") == 1


def test_it_takes_the_permission_to_view_catalogs(catalog):
    asked = {"content_key": "edX+A"}
    assert signed_in("stan").get(PATH, asked).status_code == 403
    assert signed_in("vera", "catalog.view_enterprisecatalog").get(PATH, asked).status_code == 200


def test_contents_and_catalogs_lead_to_it(admin, catalog):
    content = admin.get(page(ContentMetadata, "change", "edX_2BA")).content.decode()
    assert f"{PATH}?content_key=edX%2BA" in content
    content = admin.get(page(EnterpriseCatalog, "change", catalog.pk)).content.decode()
    assert f"{PATH}?catalog={catalog.pk}" in content


@pytest.mark.parametrize("catalogs", [1, 9])
def test_what_it_asks_does_not_grow_with_the_catalogs(admin, catalog, catalogs, django_assert_num_queries):  # ADD-5
    for _ in range(catalogs):
        make_catalog("edX+A")
    # Session and user; count and page; the rest as over the API.
    with django_assert_num_queries(23):
        seen(admin, content_key="edX+A")


def test_what_the_search_asks_for_stands_where_it_lacks_the_content(admin):
    make_catalog("edX+Other", title="Mathematics", enterprise_name="Globex")
    assert "what its search asks for" in seen(admin, content_key="edX+DemoX", catalog="globex")


def test_what_another_search_brought_is_of_no_kind_that_is_left_out(admin):  # REFR-11
    make_catalog("edX+DemoX", title="Engineering", enterprise_name="Umbrella")
    make_catalog("edX+Other", title="Mathematics", enterprise_name="Globex")
    shown = seen(admin, content_key="edX+DemoX", catalog="globex")
    assert "search does not return it." in shown
    assert "of a kind" not in shown
