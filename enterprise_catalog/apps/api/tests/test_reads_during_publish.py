"""Answers while a refresh publishes, on a database with concurrent readers."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle

import orjson
import pytest
from django.db import connection

from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, learner
from enterprise_catalog.testing.catalogs import legacy_path_of, make_catalog, path_of, store
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.runs import claimed, keys

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

OLD, NEW = keys(6), keys(9)[3:]


def what_readers_see(catalog):
    """The keys that are listed, and those that the customer's catalogs contain."""
    page = learner().get(path_of(catalog, "get_content_metadata/")).json()
    path = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/"
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


@pytest.mark.parametrize(
    "ask",
    [
        lambda path: learner().get(path),
        lambda path: learner().get(f"{path}?page=last"),
        lambda path: learner().get(f"{path}?traverse_pagination=1"),
        lambda path: learner().post(path, {"content_keys": keys(9)}),
    ],
    ids=["listed", "last page", "whole", "asked for"],
)
def test_an_answer_is_of_one_set_however_often_something_is_published(ask):  # P2, ADD-2
    """Before each of its statements, so that the answer can be made in a snapshot only."""
    catalog = make_catalog(*OLD)
    store(*(course_document(key) for key in NEW))
    published = {1: OLD}
    others = cycle([NEW, OLD])

    def publish():
        try:
            content_keys = next(others)
            published[len(published) + 1] = content_keys
            publish_or_hold(claim=claimed(catalog.catalog_query), content_keys=content_keys, counts={})
        finally:
            connection.close()

    def publish_first(execute, *statement):
        elsewhere.submit(publish).result()
        return execute(*statement)

    with ThreadPoolExecutor(max_workers=1) as elsewhere, connection.execute_wrapper(publish_first):
        response = ask(path_of(catalog, "get_content_metadata/"))
        answer = orjson.loads(b"".join(response.streaming_content) if response.streaming else response.content)
    generation = int(response["X-Catalog-Generation"].partition("-")[2])
    assert len(published) > generation > 1
    assert [item["key"] for item in answer["results"]] == published[generation]
    assert answer["count"] == len(answer["results"])


def test_a_legacy_record_is_of_the_set_it_was_found_in():  # P2, LEG-15, REFR-19
    """A course that a filter forces in is shown as forced, or it is not there; never as others show it."""
    catalog, key = make_catalog("edX+Other"), "edX+Forced"
    store(course_document(key), records=[course_document(key, title="As others show it")])
    forced = WantedOverride(key, pack(course_document(key, title="Forced")), forced=True, allowed_runs=frozenset())

    def publish(*overrides):
        content_keys = ["edX+Other", *(override.content_key for override in overrides)]
        claim = claimed(catalog.catalog_query)
        publish_or_hold(claim=claim, content_keys=content_keys, counts={}, overrides=overrides)

    def publish_without():
        try:
            publish()
        finally:
            connection.close()

    def asked():
        response = admin().get(legacy_path_of(catalog, f"courses/{key}/"))
        return response.status_code, response.json().get("title")

    for number in count(1):
        publish(forced)
        assert asked() == (200, "Forced")
        statements, happened = count(1), []

        def publish_first(execute, *statement, number=number, statements=statements, happened=happened):
            if next(statements) == number:
                happened.append(elsewhere.submit(publish_without).result())
            return execute(*statement)

        with ThreadPoolExecutor(max_workers=1) as elsewhere, connection.execute_wrapper(publish_first):
            answer = asked()
        if not happened:
            break
        assert answer in [(200, "Forced"), (404, None)]
        assert asked() == (404, None)
    assert number > 5
