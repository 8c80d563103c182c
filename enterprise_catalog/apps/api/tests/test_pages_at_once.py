"""
A page and its catalog come in one statement, whose offset follows from what the process cached (P9). An answer never
depends on cached values that have changed since (P2).
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.page_offsets import CHECKPOINT_INTERVAL
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.testing.callers import CUSTOMER_UUID, client_for, learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish, store
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.factories import publish_members
from enterprise_catalog.testing.runs import keys

pytestmark = pytest.mark.django_db

SIZE = CHECKPOINT_INTERVAL + 30
# Of ten, the last one that is full: it is counted from a key inside the catalog.
DEEP = SIZE // 10
OTHERS = [course_document(f"other+{number:03d}") for number in range(SIZE + 20)]


@pytest.fixture
def catalog():
    EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, slug="acme", name="Acme", enable_learner_portal=True)
    return make_catalog(*keys(SIZE))


def page_of(catalog, number=DEEP, client=None):
    path = path_of(catalog, "get_content_metadata/")
    return (client or learner()).get(f"{path}?page_size=10&page={number}")


def seen(catalog):
    """A page as a process shows it that has seen the catalog, and knows where its pages begin."""
    pages = [page_of(catalog) for _ in range(3)]
    assert pages[1].content == pages[2].content == pages[0].content
    return pages[0].json()


def replace_content(query):
    """With others. A refresh that took all members away would be held."""
    publish_members(query, *ContentMetadata.objects.filter(pk__in=store(*OTHERS)))


def keys_of(page):
    return [item["key"] for item in page["results"]]


def test_the_first_page_a_process_is_asked_for_is_like_the_others(catalog):
    assert keys_of(seen(catalog)) == keys(SIZE)[(DEEP - 1) * 10 : DEEP * 10]


def test_a_catalog_with_another_name(catalog):
    seen(catalog)
    EnterpriseCatalog.objects.update(title="Another")
    assert page_of(catalog).json()["title"] == "Another"


def test_a_customer_with_another_slug(catalog):  # META-16
    before = seen(catalog)
    EnterpriseCustomer.objects.update(slug="moved")
    assert "/acme/" in before["results"][0]["enrollment_url"]
    assert "/moved/" in page_of(catalog).json()["results"][0]["enrollment_url"]


def test_a_customer_that_was_not_known(catalog):  # CUST-1
    EnterpriseCustomer.objects.all().delete()
    assert "/acme/" not in seen(catalog)["results"][0]["enrollment_url"]
    EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, slug="acme", enable_learner_portal=True)
    assert "/acme/" in page_of(catalog).json()["results"][0]["enrollment_url"]


def test_other_content(catalog):  # P2
    before = page_of(catalog)
    seen(catalog)
    replace_content(catalog.catalog_query)
    after = page_of(catalog)
    assert keys_of(after.json()) == [document["key"] for document in OTHERS[(DEEP - 1) * 10 : DEEP * 10]]
    assert after.json()["count"] == len(OTHERS)
    for header in ("ETag", "X-Catalog-Generation", "X-Catalog-Refreshed-At"):
        assert after[header] != before.get(header)


def test_fewer_items_than_the_page_is_deep(catalog):  # COM-9
    seen(catalog)
    publish(catalog.catalog_query, *map(course_document, keys(SIZE // 2)))
    assert page_of(catalog).status_code == 404
    assert len(page_of(catalog, 1).json()["results"]) == 10


def test_another_query(catalog):  # QRY-3
    seen(catalog)
    other = make_catalog(*OTHERS).catalog_query
    EnterpriseCatalog.objects.filter(pk=catalog.pk).update(catalog_query=other)
    assert page_of(catalog).json()["count"] == len(OTHERS)


def test_content_that_changed_in_place(catalog):
    """An item is never remembered."""
    key = keys_of(seen(catalog))[0]
    publish(catalog.catalog_query, *[course_document(other, title=f"New {other}") for other in keys(SIZE)])
    assert page_of(catalog).json()["results"][0]["title"] == f"New {key}"


def test_a_catalog_that_is_gone(catalog):
    seen(catalog)
    catalog.delete()
    assert page_of(catalog).status_code == 404


def test_another_owner(catalog):
    """P8: whoever may not see the catalog now is refused, whatever the process has seen."""
    seen(catalog)
    assert page_of(catalog, client=client_for("nobody")).status_code == 403
    EnterpriseCatalog.objects.update(enterprise_uuid="00000000-0000-4000-8000-000000000001")
    assert page_of(catalog).status_code == 403
    assert page_of(catalog, client=operator()).status_code == 200


def test_a_database_that_was_restored(catalog):
    """The same generation says other things then."""
    seen(catalog)
    generation = CatalogQuery.objects.get(pk=catalog.catalog_query_id).generation
    replace_content(catalog.catalog_query)
    CatalogQuery.objects.update(generation=generation, refreshed_at=timezone.now())
    assert keys_of(page_of(catalog).json())[0].startswith("other+")


@pytest.mark.parametrize("number", [1, DEEP])
def test_each_page_is_one_statement(catalog, number):
    """P9. The first of a process takes two more when it is deep: where its pages begin is looked up, too."""
    asked = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            page_of(catalog, number)
        # Not the user.
        asked.append(sum("catalog_" in query["sql"] for query in captured))
    assert asked == [3 if number >= DEEP else 2, 1, 1]


def test_a_304_reads_no_item(catalog):  # COM-18
    etag = page_of(catalog)["ETag"]
    path = path_of(catalog, "get_content_metadata/")
    with CaptureQueriesContext(connection) as captured:
        held = learner().get(f"{path}?page_size=10&page={DEEP}", headers={"If-None-Match": etag})
    assert held.status_code == 304
    assert not any("contentdocuments" in query["sql"] for query in captured)
