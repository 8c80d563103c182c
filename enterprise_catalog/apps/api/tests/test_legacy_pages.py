"""A catalog with a page of its content, as the legacy surface retrieves it (LEG-4, LEG-5, LEG-6, LEG-9 to LEG-11)."""

from xml.etree import ElementTree

import pytest

from enterprise_catalog.testing.callers import OTHER, E, admin, operator
from enterprise_catalog.testing.catalogs import (
    LEGACY_CATALOGS,
    legacy_path_of,
    make_catalog,
    program_document,
    publish,
    run_document,
)
from enterprise_catalog.testing.runs import course_document, keys

pytestmark = pytest.mark.django_db

HEADER = ["uuid", "title", "enterprise_customer", "enterprise_catalog_query", "created", "modified"]
PATHWAY = {
    "aggregation_key": "learnerpathway:9f1b3c5e-0000-4000-8000-000000000009",
    "content_type": "learnerpathway",
    "uuid": "9f1b3c5e-0000-4000-8000-000000000009",
}
OPEN, SHUT = f"{1:08d}-0000-4000-8000-000000000000", f"{2:08d}-0000-4000-8000-000000000000"


def retrieved(catalog, query="", client=None):
    response = (client or admin()).get(f"{legacy_path_of(catalog)}{query}")
    assert response.status_code == 200, response.content
    return response.json()


def listed(catalog, query=""):
    return [item.get("key") or item["uuid"] for item in retrieved(catalog, query)["results"]]


@pytest.fixture
def mixed():
    """Something of everything; each second one is dropped."""
    return make_catalog(
        course_document("edX+Active"),
        course_document("edX+Quiet", course_runs=[]),
        run_document("course-v1:edX+A+1T", "edX+A", has_enrollable_seats=True),
        run_document("course-v1:edX+A+2T", "edX+A", has_enrollable_seats=False),
        run_document("course-v1:edX+A+3T", "edX+A"),
        run_document("course-v1:edX+A+4T", "edX+A", has_enrollable_seats="yes"),
        run_document("course-v1:edX+A+5T", "edX+A", has_enrollable_seats=True, restriction_type="custom-b2c"),
        program_document(OPEN, is_program_eligible_for_one_click_purchase=True),
        program_document(SHUT, is_program_eligible_for_one_click_purchase=False),
        program_document(f"{3:08d}-0000-4000-8000-000000000000"),
        PATHWAY,
    )


def test_the_header_and_one_page():  # LEG-4, COM-13, COM-14
    catalog = make_catalog("edX+A")
    answer = retrieved(catalog)
    assert list(answer) == [*HEADER, "count", "previous", "next", "results"]
    (listed_header,) = operator().get(LEGACY_CATALOGS).json()["results"]
    assert {name: answer[name] for name in HEADER} == listed_header
    assert (answer["count"], answer["previous"], answer["next"]) == (1, None, None)


def test_what_is_dropped(mixed):  # LEG-5, V2-2, COM-9
    """Inactive courses stay, unlike on v1; what lacks its flag goes, and so does what is restricted."""
    assert listed(mixed) == [OPEN, "course-v1:edX+A+1T", "edX+Active", "edX+Quiet"]


@pytest.mark.parametrize("size", range(1, 6))
def test_the_count_is_that_of_what_is_left_and_pages_are_full(mixed, size):  # LEG-6
    walked, query = [], f"?page_size={size}"
    while query is not None:
        answer = retrieved(mixed, query)
        assert answer["count"] == 4
        assert len(answer["results"]) == min(size, 4 - len(walked))
        walked += [item.get("key") or item["uuid"] for item in answer["results"]]
        query = answer["next"] and f"?{answer['next'].partition('?')[2]}"
    assert walked == listed(mixed)


def test_the_count_follows_what_the_next_refresh_brings():  # LEG-6, V2-2
    """Also one of another customer's query: content is shared."""
    run = run_document("course-v1:edX+A+1T", "edX+A", has_enrollable_seats=False)
    catalog, other = make_catalog("edX+B", run), make_catalog("edX+B", run, customer=OTHER)
    assert listed(catalog) == ["edX+B"]
    publish(other.catalog_query, run | {"has_enrollable_seats": True})
    assert (retrieved(catalog)["count"], listed(catalog)) == (2, ["course-v1:edX+A+1T", "edX+B"])
    publish(other.catalog_query, run | {"has_enrollable_seats": True, "restriction_type": "custom-b2c"})
    assert (retrieved(catalog)["count"], listed(catalog)) == (1, ["edX+B"])


def test_before_the_first_publish_it_is_empty():  # LEG-10
    answer = retrieved(make_catalog())
    assert (answer["count"], answer["results"], answer["next"], answer["previous"]) == (0, [], None, None)


@pytest.mark.parametrize(
    ("query", "size"),
    [("", 20), ("page_size=3", 3), ("page_size=0", 20), ("page_size=-1", 20), ("page_size=x", 20), ("page_size=", 20)],
)
def test_page_sizes(query, size):  # LEG-9
    assert len(retrieved(make_catalog(*keys(25)), f"?{query}")["results"]) == size


def test_the_largest_page(settings):  # LEG-9
    assert settings.LEGACY_PAGE_SIZE_MAX == 1000
    catalog = make_catalog(*keys(101))
    assert len(retrieved(catalog, "?page_size=101")["results"]) == 101
    settings.LEGACY_PAGE_SIZE_MAX = 100
    assert len(retrieved(catalog, "?page_size=101")["results"]) == 100


@pytest.mark.parametrize("page", ["0", "-1", "3", "last", "x", "1.0", "9" * 40])
def test_a_bad_page(page):  # LEG-9, LEG-10
    response = admin().get(f"{legacy_path_of(make_catalog(*keys(25)))}?page={page}")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


def test_a_bad_page_of_an_empty_catalog():  # LEG-10
    response = admin().get(f"{legacy_path_of(make_catalog())}?page=2")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


def test_neighbours_say_everything_in_order():  # LEG-11
    catalog = make_catalog(*keys(5))
    url = f"http://testserver{legacy_path_of(catalog)}"
    first = retrieved(catalog, "?z=2&q=a+b&page_size=2&z=1&blank=&a=%C3%A9")
    assert first["previous"] is None
    assert first["next"] == f"{url}?a=%C3%A9&page=2&page_size=2&q=a+b&z=2&z=1"
    second = admin().get(first["next"]).json()
    assert second["previous"] == f"{url}?a=%C3%A9&page=1&page_size=2&q=a+b&z=2&z=1"
    third = admin().get(second["next"]).json()
    assert (len(third["results"]), third["next"]) == (1, None)
    assert admin().get(second["previous"]).json()["results"] == first["results"]


def test_neighbours_without_a_query_and_with_a_suffix():  # LEG-11, COM-1, COM-4
    catalog = make_catalog(*keys(21))
    path = legacy_path_of(catalog)
    assert retrieved(catalog)["next"] == f"http://testserver{path}?page=2"
    assert admin().get(path[:-1]).json()["next"] == f"http://testserver{path[:-1]}?page=2"
    assert admin().get(f"{path[:-1]}.json").json()["next"] == f"http://testserver{path[:-1]}.json?page=2"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"enterprise_customer={E}", 200),
        (f"enterprise_customer={E.hex.upper()}", 200),
        (f"enterprise_customer={OTHER}", 404),
        ("enterprise_customer=x", 404),
        ("enterprise_customer=", 200),
        (f"uuid={OTHER}", 404),
        ("uuid=x", 404),
        ("uuid=", 200),
    ],
)
def test_object_filters_can_only_agree(query, status):  # LEG-9
    response = admin().get(f"{legacy_path_of(make_catalog())}?{query}")
    assert response.status_code == status
    if status == 404:
        assert response.json() == {"detail": "Not found."}


def test_its_own_uuid_agrees():  # LEG-9
    catalog = make_catalog("edX+A")
    assert retrieved(catalog, f"?uuid={catalog.uuid}&enterprise_customer={E}")["count"] == 1


IGNORED = "q=robots&ordering=-title&detail_fields=1&content_type=program&level_type=x&format=xml&search=y"


def test_what_discovery_used_to_receive_is_ignored_and_named():  # LEG-9, ADD-3, COM-4
    catalog = make_catalog("edX+A", "edX+B")
    response = admin().get(f"{legacy_path_of(catalog)}?page=1&page_size=5&uuid={catalog.uuid}&{IGNORED}")
    assert [item["key"] for item in response.json()["results"]] == ["edX+A", "edX+B"]
    named = "content_type, detail_fields, format, level_type, ordering, q, search"
    assert response["X-Catalog-Ignored-Params"] == named
    assert "X-Catalog-Ignored-Params" not in admin().get(f"{legacy_path_of(catalog)}?page=1&page_size=5")


def test_names_that_are_no_header_text_are_encoded():  # LEG-9
    response = admin().get(f"{legacy_path_of(make_catalog())}?a%0D%0AX-Evil:%201=2&%C3%A9,%20b=1")
    assert response["X-Catalog-Ignored-Params"] == "a%0D%0AX-Evil%3A%201, %C3%A9%2C%20b"


def test_so_many_names_and_no_more():  # LEG-9
    query = "&".join(f"name{number:03d}=1" for number in range(500))
    response = admin().get(f"{legacy_path_of(make_catalog())}?{query}")
    assert len(response["X-Catalog-Ignored-Params"].split(", ")) == 20


@pytest.mark.parametrize("how", ["suffix", "accept"])
def test_xml(mixed, how):  # COM-4, COM-5
    path = legacy_path_of(mixed)
    headers = {"Accept": "application/xml"} if how == "accept" else {}
    response = admin().get(f"{path[:-1]}.xml" if how == "suffix" else path, headers=headers)
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)
    assert [child.tag for child in root] == [*HEADER, "count", "previous", "next", "results"]
    courses = [item for item in root.find("results") if item.findtext("content_type") == "course"]
    assert [(course.findtext("key"), course.findtext("active")) for course in courses] == [
        ("edX+Active", "False"),
        ("edX+Quiet", "False"),
    ]


@pytest.mark.parametrize("uuid", ["2b1d3c5e-0000-4000-8000-00000000dead", "not-a-uuid"])
def test_an_unknown_catalog(uuid):  # COM-3
    response = admin().get(f"{LEGACY_CATALOGS}{uuid}/")
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
