"""FILT-1, FILT-2 over HTTP; which key matches is the store's (membership tests)."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection

from enterprise_catalog.apps.catalog.reading import containment
from enterprise_catalog.testing.callers import OTHER, E, learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, publish, run_document
from enterprise_catalog.testing.runs import course_document

pytestmark = pytest.mark.django_db

FILTER = f"/api/v1/enterprise-customer/{E}/filter_content_items/"


def ask(content_keys, *catalogs, **fields):
    body = {"content_keys": content_keys, "catalog_uuids": [catalog.uuid for catalog in catalogs]}
    return learner().post(FILTER, body | fields)


def filtered(response) -> list[str]:
    assert (response.status_code, list(response.json())) == (200, ["filtered_content_keys"])
    return response.json()["filtered_content_keys"]


def test_keys_of_any_catalog_come_back_once_in_their_order():  # FILT-1
    make_catalog("edX+A", "edX+C")
    make_catalog("edX+B", "edX+C")
    make_catalog("edX+D", customer=OTHER)
    asked = ["edX+C", "nope", "edX+B", "edX+C", "", "edX+D", "edX+A", "x" * 300, "a\x00b"]
    assert filtered(ask(asked)) == ["edX+C", "edX+B", "edX+A"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_with_and_without_slash(slash):  # COM-1
    make_catalog("edX+A")
    assert filtered(learner().post(FILTER.rstrip("/") + slash, {"content_keys": ["edX+A"]})) == ["edX+A"]


def test_chosen_catalogs_only():  # FILT-1
    first, second, _ = make_catalog("edX+A"), make_catalog("edX+B"), make_catalog("edX+C")
    asked = ["edX+C", "edX+B", "edX+A"]
    assert filtered(ask(asked, second)) == ["edX+B"]
    assert filtered(ask(asked, first, second, second)) == ["edX+B", "edX+A"]


def test_keys_match_as_in_contains():  # FILT-1, CONT-1
    make_catalog("edX+A", run_document("course-v1:edX+B+1T", "edX+B"))
    asked = ["course-v1:edX+A+1T", "course-v1:edX+A+2T", "edX+B", "edx+a"]
    assert filtered(ask(asked)) == ["course-v1:edX+A+1T", "edX+B"]


def test_spaces_in_keys_become_plus():  # COM-12
    make_catalog("edX+A")
    assert filtered(ask(["edX A", "edX+A"])) == ["edX+A"]


@pytest.mark.parametrize("body", [None, {}, {"content_keys": []}, {"catalog_uuids": []}])
def test_no_keys_yield_none(body):  # FILT-1
    make_catalog("edX+A")
    assert filtered(learner().post(FILTER, body)) == []


@pytest.mark.parametrize("catalog_uuids", [[], None])
def test_no_choice_means_all(catalog_uuids):  # FILT-1
    make_catalog("edX+A")
    assert filtered(ask(["edX+A"], catalog_uuids=catalog_uuids)) == ["edX+A"]


def test_a_customer_without_catalogs_has_nothing():
    assert filtered(ask(["edX+A"])) == []


@pytest.mark.parametrize("client", [learner, operator])
def test_catalogs_of_others_are_refused(client):  # FILT-2, P8
    mine, others = make_catalog("edX+A"), make_catalog("edX+B", customer=OTHER)
    refusal = {"detail": f"catalog_uuids must belong to enterprise customer {E}."}
    for foreign in (others.uuid, uuid4()):
        body = {"content_keys": ["edX+B"], "catalog_uuids": [mine.uuid, foreign]}
        response = client().post(FILTER.replace(str(E), str(E).upper()), body)
        assert (response.status_code, response.json()) == (403, refusal)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"content_keys": "edX+A"}, {"content_keys": ["Must be a list of strings."]}),
        ({"content_keys": None}, {"content_keys": ["Must be a list of strings."]}),
        ({"content_keys": [7]}, {"content_keys": ["Must be a list of strings."]}),
        ({"catalog_uuids": ["x"]}, {"catalog_uuids": ["Must be a valid UUID."]}),
        ({"catalog_uuids": str(E)}, {"catalog_uuids": ["Must be a list of strings."]}),
        ([], {"non_field_errors": ["Must be a JSON object."]}),
    ],
)
def test_bad_bodies_are_refused(body, error):  # FILT-1, FILT-2
    response = learner().post(FILTER, body)
    assert (response.status_code, response.json()) == (400, error)


def test_ten_thousand_keys_are_answered_and_no_more():  # COM-16, ERR-4
    make_catalog("edX+A")
    asked = [f"edX+{number}" for number in range(9999)]
    assert filtered(ask([*asked, "edX+A"])) == ["edX+A"]
    for name in ("content_keys", "catalog_uuids"):
        response = learner().post(FILTER, {name: [str(E)] * 10_001})
        text = f"filter_content_items requests support up to 10000 {name}."
        assert (response.status_code, response.json()) == (400, {name: [text]})


@pytest.mark.parametrize("uuid", ["x", f"{E}x"])
def test_a_malformed_customer_is_not_found(uuid):  # COM-3
    response = learner().post(f"/api/v1/enterprise-customer/{uuid}/filter_content_items/", {})
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_only_post():  # AUTH-9
    assert learner().get(FILTER).status_code == 405


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_publish_between_two_statements_is_not_seen(monkeypatch):  # P2
    monkeypatch.setattr(containment, "_KEYS_PER_STATEMENT", 1)
    catalog = make_catalog("edX+A", "edX+B")
    published = []

    def publish_elsewhere():
        publish(catalog.catalog_query, course_document("edX+C"))
        connection.close()

    def publish_after_the_first(execute, sql, *arguments):
        result = execute(sql, *arguments)
        if "UNION ALL" in sql and not published:
            published.append(sql)
            with ThreadPoolExecutor(max_workers=1) as elsewhere:
                elsewhere.submit(publish_elsewhere).result()
        return result

    with connection.execute_wrapper(publish_after_the_first):
        assert filtered(ask(["edX+A", "edX+B"])) == ["edX+A", "edX+B"]
    assert filtered(ask(["edX+A", "edX+B", "edX+C"])) == ["edX+C"]
