"""The number of SQL statements of each endpoint, which is the same for 1 and 100 rows (P6, P9)."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, client_for, learner, operator
from enterprise_catalog.testing.catalogs import (
    CATALOGS,
    LEGACY,
    LEGACY_CATALOGS,
    legacy_path_of,
    make_catalog,
    path_of,
    publish,
    store,
)
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import keys

pytestmark = pytest.mark.django_db

CUSTOMER = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/contains_content_items/"
SIZES = pytest.mark.parametrize("size", [1, 100])


@pytest.fixture
def queries(django_assert_num_queries):
    """Request once, so that the user exists; then count."""

    def expect(number, client, path, body=None):
        def ask():
            return client.get(path) if body is None else client.post(path, body)

        ask()
        with django_assert_num_queries(number):
            response = ask()
            if response.streaming:
                b"".join(response.streaming_content)
        assert response.status_code == 200
        return response

    return expect


@SIZES
def test_catalog_contains(queries, size):
    """P6, P9. User, catalog with matches."""
    path = path_of(make_catalog(*keys(size)), "contains_content_items/")
    asked = "&".join(f"course_run_ids={key}" for key in keys(size))
    queries(2, learner(), f"{path}?{asked}")


@SIZES
def test_customer_contains(queries, size):
    """P6, P9. User, catalogs of the customer with matches."""
    query = make_catalog("edX+A").catalog_query
    for _ in range(size - 1):
        make_catalog(query=query)
    response = queries(2, learner(), f"{CUSTOMER}?course_run_ids=edX+A&get_catalog_list=1")
    assert len(response.json()["catalog_list"]) == size


@SIZES
def test_a_page_of_content(queries, size):
    """P6, P9. User, catalog with its customer, page."""
    path = path_of(make_catalog(*keys(size)), "get_content_metadata/")
    response = queries(3, learner(), f"{path}?page_size=100")
    assert len(response.json()["results"]) == size


@SIZES
def test_content_by_keys(queries, size):
    """User, catalog with its customer, match, items."""
    path = path_of(make_catalog(*keys(size)), "get_content_metadata/")
    asked = "&".join(f"content_keys={key}" for key in keys(size))
    queries(4, learner(), f"{path}?page_size=100&{asked}")


@pytest.mark.parametrize("query", ["", "traverse_pagination=1"])
def test_content_the_caller_holds(django_assert_num_queries, query):
    """User, catalog with its customer: no document."""
    url = f"{path_of(make_catalog(*keys(100)), 'get_content_metadata/')}?{query}"
    etag = learner().get(url)["ETag"]
    with django_assert_num_queries(2):
        assert learner().get(url, headers={"If-None-Match": etag}).status_code == 304


@SIZES
def test_a_whole_catalog(queries, size):
    """User, catalog with its customer, head; then one for each hundred items, and one that finds the end."""
    path = path_of(make_catalog(*keys(size)), "get_content_metadata/")
    queries(3 + size // 100 + 1, learner(), f"{path}?traverse_pagination=1")


@SIZES
def test_filtering_keys(queries, size):
    """User, catalogs of the customer, match."""
    query = make_catalog(*keys(size)).catalog_query
    uuids = [make_catalog(query=query).uuid for _ in range(size)]
    body = {"content_keys": keys(size), "catalog_uuids": uuids}
    response = queries(3, learner(), f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/", body)
    assert len(response.json()["filtered_content_keys"]) == size


@SIZES
def test_one_content_of_a_customer(queries, size):
    """P6, P9. User, catalogs of the customer, match, customer, item; a uuid costs one more."""
    query = make_catalog(course_document("edX+A", uuid="a" * 32)).catalog_query
    for _ in range(size - 1):
        make_catalog(query=query)
    path = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/content-metadata/"
    queries(5, learner(), f"{path}edX+A/")
    queries(6, learner(), f"{path}{'a' * 32}/")


@SIZES
def test_contents(queries, size):
    """User, count, keys, items; finding identifiers is one more, by key or uuid, also as courses."""
    store(*(course_document(key, uuid=f"{number:032x}") for number, key in enumerate(keys(size))))
    path = "/api/v1/content-metadata/?page_size=100"
    by_key = "&".join(f"content_identifiers={key}" for key in keys(size))
    by_uuid = "&".join(f"content_identifiers={number:032x}" for number in range(size))
    for number, query in [(4, ""), (5, by_key), (5, by_uuid), (5, f"{by_key}&coerce_to_parent_course=1")]:
        response = queries(number, learner(), f"{path}&{query}")
        assert len(response.json()["results"]) == size


def test_one_content(queries, django_assert_num_queries):
    """User, content, item; a run that becomes its course is two more; who holds it needs no item."""
    store(course_document("edX+A", uuid="a" * 32), run_document("course-v1:edX+A+1T", "edX+A"))
    path = "/api/v1/content-metadata/"
    etag = queries(3, learner(), f"{path}edX+A")["ETag"]
    queries(3, learner(), f"{path}{'a' * 32}")
    queries(5, learner(), f"{path}course-v1:edX+A+1T?coerce_to_parent_course=1")
    with django_assert_num_queries(2):
        assert learner().get(f"{path}edX+A", headers={"If-None-Match": etag}).status_code == 304


@SIZES
def test_the_changes_of_a_catalog(queries, size):
    """
    User, catalog, own changes, periods, those of the query; a position is found by a datetime. MariaDB also
    reads its clock.
    """
    clock = connection.vendor == "mysql"
    catalog = make_catalog()
    for _ in range(size):
        make_catalog(query=catalog.catalog_query)
    publish(catalog.catalog_query, *(course_document(key) for key in keys(size)))
    path = path_of(catalog, "changes/")
    first = queries(6 + clock, learner(), path).json()
    assert len(first["results"]) == size
    queries(5 + clock, learner(), f"{path}?since={first['cursor']}")


@SIZES
def test_a_diff(queries, size):
    """User, catalog with its customer, members."""
    path = path_of(make_catalog(*keys(size)), "generate_diff/")
    response = queries(3, learner(), path, {"content_keys": keys(size)})
    assert len(response.json()["items_found"]) == size


@SIZES
def test_a_list_of_catalogs(queries, size):
    """User, count, page."""
    query = make_catalog().catalog_query
    for _ in range(size - 1):
        make_catalog(query=query)
    response = queries(3, operator(), f"{CATALOGS}?page_size=100")
    assert len(response.json()["results"]) == size


@SIZES
def test_titles_of_queries(queries, size):
    """
    CRUD-1. For an admin, whose catalogs use these queries: once, however many. One catalog needs the roles of the
    database for that, which a list has asked for. Nothing for an operator.
    """
    for number in range(size):
        catalog = make_catalog()
        CatalogQuery.objects.filter(pk=catalog.catalog_query_id).update(title=f"title {number}")
    for number, client in [(3, operator()), (5, admin())]:
        response = queries(number, client, f"{CATALOGS}?page_size=100")
        assert [row["query_title"] for row in response.json()["results"]] == [f"title {n}" for n in range(size)]
    for number, client in [(2, operator()), (4, admin())]:
        queries(number, client, path_of(catalog))


def test_one_catalog(queries):
    """User, catalog."""
    queries(2, admin(), path_of(make_catalog()))


@SIZES
def test_a_list_of_queries(queries, size):
    """User, count, page; for an admin also the roles of the database, since all contexts count (ROLE-4)."""
    for _ in range(size):
        make_catalog()
    for number, client in [(3, operator()), (4, admin())]:
        response = queries(number, client, "/api/v1/catalog-queries/?page_size=100")
        assert len(response.json()["results"]) == size


@SIZES
def test_one_query(queries, size):
    """User, query, customers of the query."""
    query = make_catalog().catalog_query
    EnterpriseCatalogFactory.create_batch(size, catalog_query=query)
    queries(3, admin(), f"/api/v1/catalog-queries/{query.uuid}/")
    queries(3, admin(), f"/api/v1/catalog-queries/get_query_by_hash?hash={query.content_filter_hash}")


def test_the_hash_of_a_filter(queries):
    """User."""
    queries(1, admin(), "/api/v1/catalog-queries/get_content_filter_hash")


@SIZES
def test_distinct_queries(queries, size):
    """User, catalogs."""
    uuids = [make_catalog().uuid for _ in range(size)]
    response = queries(2, operator(), "/api/v1/distinct-catalog-queries/", {"enterprise_catalog_uuids": uuids})
    assert response.json()["num_distinct_query_ids"] == size


def test_a_refresh_run(queries):
    """User, run, customers of its query."""
    run_id = admin().post(path_of(make_catalog(), "refresh_metadata/")).json()["async_task_id"]
    queries(3, admin(), f"/api/v1/refresh-runs/{run_id}/")


@SIZES
def test_a_legacy_page_of_content(queries, size):  # LEG-4
    """User, catalog, customer, page: as on v1."""
    response = queries(4, admin(), f"{legacy_path_of(make_catalog(*keys(size)))}?page_size=100")
    assert len(response.json()["results"]) == size


@SIZES
def test_a_legacy_list_of_catalogs(queries, size):  # LEG-3
    """User, count, page."""
    query = make_catalog().catalog_query
    for _ in range(size - 1):
        make_catalog(query=query)
    response = queries(3, operator(), f"{LEGACY_CATALOGS}?page_size=100")
    assert len(response.json()["results"]) == size


@SIZES
def test_legacy_contains(queries, size):  # LEG-12, LEG-13
    """User, catalog with matches; of a customer also whether it is active."""
    query = make_catalog(*keys(size)).catalog_query
    for _ in range(size - 1):
        make_catalog(query=query)
    asked = "&".join(f"course_run_ids={key}" for key in keys(size))
    queries(2, learner(), f"{legacy_path_of(make_catalog(query=query), 'contains_content_items/')}?{asked}")
    queries(3, admin(), f"{LEGACY}enterprise-customer/{CUSTOMER_UUID}/contains_content_items/?{asked}")


@SIZES
def test_legacy_details(queries, size):  # LEG-15, LEG-16
    """User, catalog, match, override, record, customer; for a run also its own row."""
    uuid, course = f"{1:032x}", course_document("edX+000")
    runs = [{"key": f"course-v1:edX+000+{number}T"} for number in range(size)]
    records = [course | {"course_runs": runs}, {"uuid": uuid, "courses": [course] * size}]
    catalog = make_catalog(*keys(size), program_document(uuid), records=records)
    queries(6, admin(), legacy_path_of(catalog, "courses/edX+000/"))
    queries(7, admin(), legacy_path_of(catalog, f"course_runs/{runs[-1]['key']}/"))


@SIZES
def test_a_legacy_list_of_queries(queries, size):  # LEG-18
    """User, count, page."""
    for _ in range(size):
        make_catalog()
    response = queries(3, operator(), f"{LEGACY}enterprise_catalog_query/")
    assert len(response.json()["results"]) == size


def test_roles_of_the_database_cost_one_more(queries):
    catalog = make_catalog()
    client = client_for("dora")
    client.get(CATALOGS)
    assign(get_user_model().objects.get(username="dora"), "enterprise_catalog_admin", CUSTOMER_UUID)
    queries(3, client, path_of(catalog))


def test_a_session_costs_one_more(queries, client):
    user = get_user_model().objects.create(username="sue", is_superuser=True)
    client.force_login(user)
    queries(3, client, path_of(make_catalog()))


@SIZES
def test_where_a_content_is(queries, size):
    """
    ADD-5. User; the key's row, its runs, its courses, the filters that allow it; its item, how often it is contained,
    in how many catalogs, who quarantined it, when it left; which catalogs. Those catalogs; who contains it on v1 and on
    v2, by which members, since when (two), queries with their newest runs, those, what they quarantined, what is held.
    """
    for _ in range(size):
        make_catalog("edX+A")
    path = "/api/v1/content-explanations/?content_key=edX%2BA&page_size=100"
    response = queries(21, operator(), path)
    assert len(response.json()["results"]) == size


def test_whether_a_content_is_in_one_catalog(queries):
    """As above, without the list of catalogs (ADD-5)."""
    for _ in range(10):
        catalog = make_catalog("edX+A")
    path = f"/api/v1/content-explanations/?content_key=edX%2BA&enterprise_catalog={catalog.uuid}"
    queries(20, operator(), path)
