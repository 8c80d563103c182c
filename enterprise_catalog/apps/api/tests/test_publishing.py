"""What readers see while a refresh publishes, on a database that lets them read meanwhile."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from enterprise_catalog.apps.access.tests.tokens import E, learner
from enterprise_catalog.apps.api.tests.builders import make_catalog, path_of, store
from enterprise_catalog.apps.refresh.outcomes import publish_or_hold
from enterprise_catalog.apps.refresh.tests.builders import claimed, course_document, keys

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

OLD, NEW = keys(6), keys(9)[3:]


def what_readers_see(catalog):
    """The keys that are listed, and those that the customer's catalogs contain."""
    page = learner().get(path_of(catalog, "get_content_metadata/")).json()
    path = f"/api/v1/enterprise-customer/{E}/filter_content_items/"
    contained = learner().post(path, {"content_keys": keys(9)}).json()["filtered_content_keys"]
    return page["count"], [item["key"] for item in page["results"]], contained


def test_readers_see_the_old_set_until_the_new_one_is_whole():  # REFR-6, P2
    catalog = make_catalog(*OLD)
    store(*(course_document(key) for key in NEW))
    claim = claimed(catalog.catalog_query)
    seen = []

    def read():
        try:
            return what_readers_see(catalog)
        finally:
            connection.close()

    def read_after_each_statement(execute, *statement):
        try:
            return execute(*statement)
        finally:
            seen.append(elsewhere.submit(read).result())

    with ThreadPoolExecutor(max_workers=1) as elsewhere, connection.execute_wrapper(read_after_each_statement):
        publish_or_hold(claim=claim, content_keys=NEW, counts={})
    assert len(seen) > 5
    assert all(sight == (len(OLD), OLD, OLD) for sight in seen)
    assert what_readers_see(catalog) == (len(NEW), NEW, NEW)
