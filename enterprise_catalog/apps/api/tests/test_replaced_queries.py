"""
If a query is replaced while a request reads it, the request reads the query that took its place (QRY-3, REFR-6).

Containment needs no test here: one statement reads catalog and matches (`test_query_counts`).
"""

from contextlib import contextmanager

import orjson
import pytest
from django.db import connection

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db

CUSTOMER = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}"
KEYS = {"content_keys": ["edX+A"]}


@contextmanager
def replaced_meanwhile(catalog):
    """Once a catalog's row has been read, and before anything else is, its query is replaced."""
    taker = make_query({"key": ["of a query without a name"]})
    publish(taker, course_document("edX+A"))
    seen = []

    def replace(execute, sql, params, many, context):
        if len(seen) == 1:
            seen.append(sql)
            body = {"catalog_query_uuid": str(catalog.catalog_query.uuid), "content_filter": taker.content_filter}
            assert operator().patch(path_of(catalog), body).status_code == 200
        elif not seen and EnterpriseCatalog._meta.db_table in sql:
            seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(replace):
        yield
    assert len(seen) == 2
    assert not CatalogQuery.objects.filter(pk=catalog.catalog_query_id).exists()


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda it: admin().get(path_of(it, "get_content_metadata/")), {"count": 1}),
        (lambda it: admin().get(path_of(it, "get_content_metadata/?traverse_pagination=1")), {"count": 1}),
        (lambda it: admin().post(path_of(it, "get_content_metadata/"), KEYS), {"count": 1}),
        (lambda it: admin().post(path_of(it, "get_content_metadata/?traverse_pagination=1"), KEYS), {"count": 1}),
        (lambda it: admin().post(path_of(it, "generate_diff/"), {"content_keys": []}), {"items_found": []}),
        (lambda it: admin().post(path_of(it, "generate_diff/"), KEYS), {"items_not_found": []}),
        (
            lambda it: admin().post(f"{CUSTOMER}/filter_content_items/", KEYS | {"catalog_uuids": [it.uuid]}),
            {"filtered_content_keys": ["edX+A"]},
        ),
        (lambda it: admin().get(f"{CUSTOMER}/content-metadata/edX+A/"), {"key": "edX+A"}),
    ],
)
def test_readers_see_what_took_its_place(ask, expected):  # QRY-3, REFR-6
    catalog = make_catalog("edX+A")
    with replaced_meanwhile(catalog):
        response = ask(catalog)
        answer = orjson.loads(b"".join(response.streaming_content) if response.streaming else response.content)
    assert response.status_code == 200
    assert answer == answer | expected


def test_a_refresh_is_of_what_took_its_place():  # QRY-3, REFR-1
    catalog = make_catalog("edX+A")
    with replaced_meanwhile(catalog):
        response = admin().post(path_of(catalog, "refresh_metadata/"))
    assert response.status_code == 200
    run = admin().get(f"/api/v1/refresh-runs/{response.json()['async_task_id']}/").json()
    assert run["catalog_query_uuid"] == str(catalog.catalog_query.uuid)
