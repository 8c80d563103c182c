"""Catalog queries over HTTP (CQ-1 to CQ-5); the permission table covers who may read them."""

import json
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, admin, client_for, operator
from enterprise_catalog.testing.catalogs import make_catalog
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db

QUERIES = "/api/v1/catalog-queries/"
BY_HASH = f"{QUERIES}get_query_by_hash"
HASH = f"{QUERIES}get_content_filter_hash"
DISTINCT = "/api/v1/distinct-catalog-queries/"

NO_QUERY = {"detail": "No CatalogQuery matches the given query."}
COURSES = "030f6213522a24bfdc11eb0988adee2c"


def query_of(customer, **fields):
    query = CatalogQueryFactory(**fields)
    EnterpriseCatalogFactory(enterprise_uuid=customer, catalog_query=query)
    return query


def listed(client) -> list[str]:
    return [result["uuid"] for result in client.get(f"{QUERIES}?page_size=100").json()["results"]]


class TestList:
    def test_it_has_seven_keys(self):  # CQ-1, COM-6
        query_of(CUSTOMER_UUID)
        assert list(operator().get(QUERIES).json()) == [
            *["next", "previous", "count", "num_pages", "current_page", "start", "results"]
        ]

    def test_a_query_has_five_fields(self):  # CQ-1
        query = query_of(CUSTOMER_UUID, content_filter={"content_type": "course"}, title="Courses")
        answer = {
            "id": query.pk,
            "uuid": str(query.uuid),
            "content_filter": {"content_type": "course"},
            "content_filter_hash": COURSES,
            "title": "Courses",
        }
        assert operator().get(QUERIES).json()["results"] == [answer]
        assert list(operator().get(f"{QUERIES}{query.uuid}").json().items()) == list(answer.items())

    def test_admins_see_the_queries_of_all_their_customers(self):  # PERM-9, PERM-19
        mine, shared, others = query_of(CUSTOMER_UUID), query_of(CUSTOMER_UUID), query_of(OTHER_CUSTOMER_UUID)
        EnterpriseCatalogFactory(enterprise_uuid=CUSTOMER_UUID, catalog_query=mine)
        EnterpriseCatalogFactory(enterprise_uuid=OTHER_CUSTOMER_UUID, catalog_query=shared)
        assert listed(admin()) == [str(mine.uuid), str(shared.uuid)]
        assert listed(admin(OTHER_CUSTOMER_UUID)) == [str(shared.uuid), str(others.uuid)]
        both = client_for(
            "beth", f"enterprise_admin:{CUSTOMER_UUID}", f"enterprise_catalog_admin:{OTHER_CUSTOMER_UUID}"
        )
        assert len(listed(both)) == 3

    def test_a_query_of_nobody_is_seen_by_operators_only(self):  # PERM-19, PERM-21
        query = CatalogQueryFactory()
        assert listed(operator()) == [str(query.uuid)]
        assert listed(admin()) == []

    def test_pages_are_in_the_order_of_ids(self):  # COM-9, COM-10
        queries = [query_of(CUSTOMER_UUID) for _ in range(3)]
        page = operator().get(f"{QUERIES}?page_size=2").json()
        assert [result["uuid"] for result in page["results"]] == [str(query.uuid) for query in queries[:2]]
        assert (page["count"], page["num_pages"], page["start"]) == (3, 2, 0)
        assert operator().get(page["next"]).json()["results"][0]["uuid"] == str(queries[2].uuid)

    def test_numbers_stay_what_they_are(self):
        content_filter = {"large": 10**30, "small": 1.0, "text": "数学"}
        query = query_of(CUSTOMER_UUID, content_filter=content_filter)
        answer = json.loads(admin().get(f"{QUERIES}{query.uuid}/").content)
        assert json.dumps(answer["content_filter"], sort_keys=True) == json.dumps(content_filter, sort_keys=True)


class TestOne:
    @pytest.mark.parametrize("name", ["uuid", "hex", "upper", "id"])
    def test_it_is_found_by_uuid_or_id(self, name):  # CQ-1, COM-3
        query = query_of(CUSTOMER_UUID)
        names = {"uuid": query.uuid, "hex": query.uuid.hex, "upper": str(query.uuid).upper(), "id": query.pk}
        assert admin().get(f"{QUERIES}{names[name]}/").json()["uuid"] == str(query.uuid)

    @pytest.mark.parametrize("name", [uuid4(), "999999999", "9" * 19, "9" * 5000])
    def test_an_unknown_one_is_not_found(self, name):  # CQ-1
        response = admin().get(f"{QUERIES}{name}/")
        assert (response.status_code, response.json()) == (404, NO_QUERY)

    @pytest.mark.parametrize("name", ["x", "-1", "1.5", "٣", "get_query_by_hashes", "6ae013d4-c5c4-474d-8da9"])
    def test_text_that_is_not_an_identifier_is_not_found(self, name):  # COM-3
        response = admin().get(f"{QUERIES}{name}/")
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})

    def test_one_of_another_customer_looks_unknown(self):  # PERM-10, P8
        response = admin(OTHER_CUSTOMER_UUID).get(f"{QUERIES}{query_of(CUSTOMER_UUID).pk}/")
        assert (response.status_code, response.json()) == (404, NO_QUERY)

    def test_one_of_nobody_is_for_operators(self):  # PERM-19
        path = f"{QUERIES}{CatalogQueryFactory().uuid}/"
        assert [client.get(path).status_code for client in (operator(), admin())] == [200, 404]


@pytest.mark.parametrize("path", [QUERIES, f"{HASH}/", DISTINCT])
def test_they_speak_json_only(path):  # COM-4
    client = operator()
    ask = client.post if path == DISTINCT else client.get
    assert ask(path, headers={"Accept": "application/xml"}).status_code == 406
    assert ask(f"{path}?format=xml").status_code == 404
    assert ask(f"{path}?format=json")["Content-Type"] == "application/json"


class TestByHash:
    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize("text", [COURSES, COURSES.upper()])
    def test_it_finds_the_query(self, text, slash):  # CQ-2, COM-1, CLI-8
        query = query_of(CUSTOMER_UUID, content_filter={"content_type": "course"})
        response = admin().get(f"{BY_HASH}{slash}?hash={text}")
        assert (response.status_code, response.json()["uuid"]) == (200, str(query.uuid))

    def test_absent_and_invisible_look_alike(self):  # CQ-2, P8
        query_of(OTHER_CUSTOMER_UUID, content_filter={"content_type": "course"})
        for text in (COURSES, "0" * 32):
            response = admin().get(f"{BY_HASH}?hash={text}")
            assert (response.status_code, response.json()) == (404, {"detail": "Catalog query not found."})

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ("", ["You must provide at least one of the following query parameters: hash."]),
            ("hash=", {"hash": ["Invalid filter hash."]}),
            ("hash=abc", {"hash": ["Invalid filter hash."]}),
            (f"hash={'g' * 32}", {"hash": ["Invalid filter hash."]}),
            (f"hash={'a' * 31}%0A", {"hash": ["Invalid filter hash."]}),
            (f"hash={'a' * 33}", {"hash": ["Ensure this field has no more than 32 characters."]}),
        ],
    )
    def test_text_that_is_not_a_hash_is_refused(self, query, error):  # CQ-2
        response = admin().get(f"{BY_HASH}?{query}")
        assert (response.status_code, response.json()) == (400, error)


def ask_hash(method: str, body, content_type: str = "application/json", client: APIClient | None = None):
    return (client or admin()).generic(method, HASH, body, content_type=content_type)


@pytest.mark.parametrize("method", ["GET", "POST"])
class TestFilterHash:
    @pytest.mark.parametrize(
        ("content_filter", "md5"),
        [
            ({}, "99914b932bd37a50b983c5e7c90ae93b"),
            ({"content_type": ["course"]}, "b6a49ea2d6e344653bdac72f63f584e2"),
            ({"first_enrollable_paid_seat_price__lte": 50}, "603d947c03b775506b8f37b079723754"),
            ({"organizations": "数学"}, "0c6cb941733e329fd3fdb861657b3b5d"),
            ({"b": {"y": [1, 2], "x": None}, "a": "1"}, "68721d729da105ef031d710ee3a3f4f8"),
        ],
    )
    def test_it_is_a_bare_string(self, method, content_filter, md5):  # CQ-3, HASH-1, ADD-1
        response = ask_hash(method, json.dumps(content_filter))
        assert (response.status_code, response.content) == (200, f'"{md5}"'.encode())

    def test_no_body_is_the_empty_filter(self, method):  # CQ-3
        assert ask_hash(method, "").json() == "99914b932bd37a50b983c5e7c90ae93b"

    @pytest.mark.parametrize("body", ["[]", '"text"', "null", "7"])
    def test_a_filter_is_an_object(self, method, body):  # CQ-3
        response = ask_hash(method, body)
        assert response.status_code == 400
        assert response.json() == {"detail": "Failed to parse catalog query: expected a JSON object."}

    @pytest.mark.parametrize("body", ["{", "NaN", '{"a": 1e999}', "[" * 100_000, b"\xff"])
    def test_bad_json_is_refused(self, method, body):  # CQ-3
        response = ask_hash(method, body)
        assert response.status_code == 400
        assert response.json()["detail"].startswith("Failed to parse catalog query: JSON parse error - ")

    def test_a_filter_that_could_not_be_stored_has_no_hash(self, method):  # COM-16
        deep = '{"a":' * 11 + "1" + "}" * 11
        assert ask_hash(method, deep).json() == {
            "detail": "Failed to parse catalog query: Ensure this filter has no more than 10 levels."
        }

    def test_a_body_beyond_the_limit_is_refused(self, method, settings):  # COM-16, AUTH-9
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
        response = ask_hash(method, '{"a": "bcdefg"}', content_type="text/csv")
        assert (response.status_code, list(response.json())) == (413, ["detail"])

    def test_other_media_types_are_refused(self, method):
        assert ask_hash(method, "a,b", content_type="text/csv").status_code == 415

    def test_permission_comes_before_the_body(self, method):  # AUTH-9
        assert ask_hash(method, "{", client=client_for("nobody")).status_code == 403


class TestFormHash:
    """The GET of today's client (CQ-4)."""

    FORM = "application/x-www-form-urlencoded"

    @pytest.mark.parametrize(
        ("form", "content_filter"),
        [
            ("content_type=course", {"content_type": "course"}),
            ("content_type=course&content_type=program", {"content_type": ["course", "program"]}),
            ("key=edX%2BA&key=edX%2BA&partner=", {"key": ["edX+A", "edX+A"], "partner": ""}),
            ("organizations=Universit%C3%A9X%3A+Universit%C3%A9", {"organizations": "UniversitéX: Université"}),
            ("", {}),
        ],
    )
    def test_names_that_stand_once_are_text_and_others_lists(self, form, content_filter):
        expected = ask_hash("POST", json.dumps(content_filter)).json()
        assert ask_hash("GET", form, self.FORM).json() == expected

    def test_long_lists_are_read(self):
        form = "&".join(f"key={number}" for number in range(2000))
        expected = ask_hash("POST", json.dumps({"key": [str(number) for number in range(2000)]})).json()
        assert ask_hash("GET", form, self.FORM).json() == expected

    def test_text_that_is_no_unicode_is_refused(self):
        response = ask_hash("GET", "a=%FF", self.FORM)
        assert response.status_code == 400
        assert response.json() == {"detail": "Failed to parse catalog query: Form parse error - Not valid Unicode"}

    def test_a_post_speaks_json(self):
        assert ask_hash("POST", "content_type=course", self.FORM).status_code == 415


class TestDistinct:
    def test_catalogs_are_grouped_by_query(self):  # CQ-5
        first, second = make_catalog(), make_catalog()
        third = make_catalog(customer=OTHER_CUSTOMER_UUID, query=first.catalog_query)
        body = {"enterprise_catalog_uuids": [str(it.uuid).upper() for it in (third, second, first, first)]}
        assert operator().post(DISTINCT, body).json() == {
            "num_distinct_query_ids": 2,
            "catalog_uuids_by_catalog_query_id": {
                str(first.catalog_query_id): [str(first.uuid), str(third.uuid)],
                str(second.catalog_query_id): [str(second.uuid)],
            },
        }

    @pytest.mark.parametrize(
        "body", [{}, None, {"enterprise_catalog_uuids": []}, {"enterprise_catalog_uuids": [CUSTOMER_UUID]}]
    )
    def test_missing_and_unknown_catalogs_have_no_query(self, body):  # CQ-5
        answer = {"num_distinct_query_ids": 0, "catalog_uuids_by_catalog_query_id": {}}
        response = operator().post(DISTINCT, body)
        assert (response.status_code, response.json()) == (200, answer)

    @pytest.mark.parametrize(
        ("uuids", "text"),
        [
            (["x"], "Must be a valid UUID."),
            ([""], "Must be a valid UUID."),
            ([f"urn:uuid:{CUSTOMER_UUID}"], "Must be a valid UUID."),
            ([7], "Must be a list of strings."),
            (str(CUSTOMER_UUID), "Must be a list of strings."),
            ({}, "Must be a list of strings."),
        ],
    )
    def test_malformed_uuids_are_refused(self, uuids, text):  # CQ-5
        response = operator().post(DISTINCT, {"enterprise_catalog_uuids": uuids})
        assert (response.status_code, response.json()) == (400, {"enterprise_catalog_uuids": [text]})

    def test_a_body_is_an_object(self):
        response = operator().post(DISTINCT, [])
        assert (response.status_code, response.json()) == (400, {"non_field_errors": ["Must be a JSON object."]})

    def test_ten_thousand_are_answered_and_no_more(self):  # COM-16, ERR-4
        catalog = make_catalog()
        uuids = [str(uuid4()) for _ in range(9999)]
        response = operator().post(DISTINCT, {"enterprise_catalog_uuids": [*uuids, catalog.uuid]})
        assert response.json()["num_distinct_query_ids"] == 1
        response = operator().post(DISTINCT, {"enterprise_catalog_uuids": [*uuids, catalog.uuid, CUSTOMER_UUID]})
        text = "distinct-catalog-queries requests support up to 10000 enterprise_catalog_uuids."
        assert (response.status_code, response.json()) == (400, {"enterprise_catalog_uuids": [text]})
