"""Catalogs of the legacy API: the list (LEG-3), and one catalog with a page of items (LEG-4 to LEG-11)."""

from xml.etree import ElementTree

import pytest

from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, admin, operator
from enterprise_catalog.testing.catalogs import LEGACY_CATALOGS, legacy_path_of, make_catalog, publish
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import keys

pytestmark = pytest.mark.django_db

COLUMNS = ["uuid", "title", "enterprise_customer", "enterprise_catalog_query", "created", "modified"]


@pytest.fixture
def catalogs():
    """Four catalogs; the last two belong to another customer and share a query."""
    first, second = make_catalog(title="b"), make_catalog(title="a")
    third = make_catalog(title="c", customer=OTHER_CUSTOMER_UUID)
    return [first, second, third, make_catalog(title="d", customer=OTHER_CUSTOMER_UUID, query=third.catalog_query)]


def titles(query="", client=None):
    answer = (client or operator()).get(f"{LEGACY_CATALOGS}{query}").json()
    assert answer["count"] == len(answer["results"])
    return "".join(catalog["title"] for catalog in answer["results"])


def test_the_fields_of_a_catalog():  # LEG-3, COM-6, COM-13, COM-14
    catalog = make_catalog("edX+A")
    answer = operator().get(LEGACY_CATALOGS).json()
    assert list(answer) == ["next", "previous", "count", "num_pages", "current_page", "start", "results"]
    (found,) = answer["results"]
    assert list(found) == COLUMNS
    assert found["uuid"] == str(catalog.uuid)
    assert found["title"] == "All Content"
    assert found["enterprise_customer"] == str(CUSTOMER_UUID)
    assert found["enterprise_catalog_query"] == catalog.catalog_query_id
    assert found["created"] == catalog.created.isoformat().replace("+00:00", "Z")
    assert found["modified"] == catalog.modified.isoformat().replace("+00:00", "Z")


def test_own_catalogs_only(catalogs):  # PERM-14
    assert titles(client=admin()) == "ba"
    assert titles(client=admin(OTHER_CUSTOMER_UUID)) == "cd"
    assert titles(client=operator()) == "bacd"
    assert titles(f"?enterprise_customer={OTHER_CUSTOMER_UUID}", client=admin()) == ""


@pytest.mark.parametrize(
    ("column", "number", "expected"),
    [
        ("uuid", 1, "a"),
        ("title", 0, "b"),
        ("enterprise_customer", 2, "cd"),
        ("enterprise_catalog_query", 3, "cd"),
    ],
)
def test_exact_filters(catalogs, column, number, expected):  # LEG-3
    row = operator().get(LEGACY_CATALOGS).json()["results"][number]
    assert titles(f"?{column}={row[column]}") == expected


def test_a_filter_is_not_a_pattern(catalogs):  # LEG-3
    for title in ("bb", "B", "b ", "ḃ"):
        make_catalog(title=title)
    assert titles("?title=b") == "b"
    assert titles("?title=%E1%B8%83") == "ḃ"
    assert titles("?title=%25") == ""


def test_filters_apply_together(catalogs):  # LEG-3
    assert titles(f"?enterprise_customer={CUSTOMER_UUID}&title=a") == "a"
    assert titles(f"?enterprise_customer={OTHER_CUSTOMER_UUID}&title=a") == ""


@pytest.mark.parametrize("name", ["uuid", "title", "enterprise_customer", "enterprise_catalog_query"])
def test_an_empty_filter_is_ignored(catalogs, name):
    assert titles(f"?{name}=") == "bacd"


def test_uuids_are_taken_in_any_case(catalogs):  # COM-3
    assert titles(f"?uuid={catalogs[1].uuid.hex.upper()}") == "a"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("uuid=x", {"uuid": ["Must be a valid UUID."]}),
        ("enterprise_customer=7", {"enterprise_customer": ["Must be a valid UUID."]}),
        ("enterprise_catalog_query=one", {"enterprise_catalog_query": ["A valid integer is required."]}),
        ("enterprise_catalog_query=-1", {"enterprise_catalog_query": ["A valid integer is required."]}),
        (f"enterprise_catalog_query={10**30}", {"enterprise_catalog_query": ["A valid integer is required."]}),
        (f"ordering={'title,' * 43}", {"ordering": ["Ensure this field has no more than 255 characters."]}),
        (
            "uuid=x&enterprise_catalog_query=1_0",
            {"uuid": ["Must be a valid UUID."], "enterprise_catalog_query": ["A valid integer is required."]},
        ),
    ],
)
def test_an_impossible_value_is_refused(query, error):  # LEG-3, ERR-2, COM-16
    response = operator().get(f"{LEGACY_CATALOGS}?{query}")
    assert (response.status_code, response.json()) == (400, error)


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("", "bacd"),
        ("created", "bacd"),
        ("-created", "dcab"),
        ("title", "abcd"),
        ("-title", "dcba"),
        ("modified", "bacd"),
        ("-modified", "dcab"),
        ("enterprise_customer,-title", "dcba"),
        ("-enterprise_customer,title", "abcd"),
        ("-enterprise_catalog_query,-created", "dcab"),
        ("owner", "bacd"),
        ("owner, -title", "dcba"),
        ("--title", "bacd"),
        ("catalog_query__content_filter", "bacd"),
    ],
)
def test_ordering(catalogs, ordering, expected):  # LEG-3
    """Customer `1111...` comes before `6ae0...`; unknown names are ignored."""
    assert titles(f"?ordering={ordering}") == expected


def test_ordering_by_uuid(catalogs):  # LEG-3
    results = operator().get(f"{LEGACY_CATALOGS}?ordering=-uuid").json()["results"]
    uuids = [catalog["uuid"] for catalog in results]
    assert uuids == sorted(uuids, reverse=True)


def test_pages_follow_the_common_rules():  # LEG-11, COM-7, COM-8, COM-10
    for number in range(12):
        make_catalog(title=f"{number:02d}")
    first = operator().get(f"{LEGACY_CATALOGS}?ordering=title&x=2&x=1&title=").json()
    assert (len(first["results"]), first["count"], first["num_pages"], first["previous"]) == (10, 12, 2, None)
    assert first["next"] == f"http://testserver{LEGACY_CATALOGS}?ordering=title&x=2&x=1&title=&page=2"
    last = operator().get(first["next"]).json()
    assert [catalog["title"] for catalog in last["results"]] == ["10", "11"]
    assert last["previous"] == f"http://testserver{LEGACY_CATALOGS}?ordering=title&x=2&x=1&title="
    assert operator().get(f"{LEGACY_CATALOGS}?page=last").json()["current_page"] == 2
    assert operator().get(f"{LEGACY_CATALOGS}?page=3").json() == {"detail": "Invalid page."}
    assert len(operator().get(f"{LEGACY_CATALOGS}?page_size=1000").json()["results"]) == 12


@pytest.mark.parametrize("path", [f"{LEGACY_CATALOGS[:-1]}.xml", f"{LEGACY_CATALOGS[:-1]}.xml/"])
def test_xml_by_suffix(catalogs, path):  # COM-4, COM-5
    response = operator().get(path)
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)
    assert [entry.findtext("title") for entry in root.findall("results/list-item")] == ["b", "a", "c", "d"]


def test_json_by_suffix_for_a_browser(catalogs):  # COM-4
    accepted = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = operator().get(f"{LEGACY_CATALOGS[:-1]}.json", headers={"Accept": accepted})
    assert (response["Content-Type"], response.json()["count"]) == ("application/json", 4)


def test_no_suffix_of_another_format():  # COM-4
    assert operator().get(f"{LEGACY_CATALOGS[:-1]}.csv").status_code == 404


@pytest.mark.parametrize("value", ["xml", "csv", "api"])
def test_format_is_an_unknown_parameter(catalogs, value):  # COM-4, COM-15
    response = operator().get(f"{LEGACY_CATALOGS}?format={value}")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    accepting = operator().get(f"{LEGACY_CATALOGS}?format=json", headers={"Accept": "application/xml"})
    assert accepting["Content-Type"].startswith("application/xml")


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
    """Items of every type; the list leaves out every second one."""
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


def test_items_that_are_left_out(mixed):  # LEG-5, V2-2, COM-9
    """Inactive courses stay, unlike in v1. Items without their flag and restricted runs are left out."""
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
    """The refresh may be one of another customer's query, since content is shared."""
    run = run_document("course-v1:edX+A+1T", "edX+A", has_enrollable_seats=False)
    catalog, other = make_catalog("edX+B", run), make_catalog("edX+B", run, customer=OTHER_CUSTOMER_UUID)
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


def test_links_of_pages_hold_all_parameters_in_order():  # LEG-11
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


def test_links_of_pages_keep_the_form_of_the_path():  # LEG-11, COM-1, COM-4
    catalog = make_catalog(*keys(21))
    path = legacy_path_of(catalog)
    assert retrieved(catalog)["next"] == f"http://testserver{path}?page=2"
    assert admin().get(path[:-1]).json()["next"] == f"http://testserver{path[:-1]}?page=2"
    assert admin().get(f"{path[:-1]}.json").json()["next"] == f"http://testserver{path[:-1]}.json?page=2"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"enterprise_customer={CUSTOMER_UUID}", 200),
        (f"enterprise_customer={CUSTOMER_UUID.hex.upper()}", 200),
        (f"enterprise_customer={OTHER_CUSTOMER_UUID}", 404),
        ("enterprise_customer=x", 404),
        ("enterprise_customer=", 200),
        (f"uuid={OTHER_CUSTOMER_UUID}", 404),
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
    assert retrieved(catalog, f"?uuid={catalog.uuid}&enterprise_customer={CUSTOMER_UUID}")["count"] == 1


IGNORED = "q=robots&ordering=-title&detail_fields=1&content_type=program&level_type=x&format=xml&search=y"


def test_what_discovery_used_to_receive_is_ignored_and_named():  # LEG-9, ADD-3, COM-4
    catalog = make_catalog("edX+A", "edX+B")
    response = admin().get(f"{legacy_path_of(catalog)}?page=1&page_size=5&uuid={catalog.uuid}&{IGNORED}")
    assert [item["key"] for item in response.json()["results"]] == ["edX+A", "edX+B"]
    named = "content_type, detail_fields, format, level_type, ordering, q, search"
    assert response["X-Catalog-Ignored-Params"] == named
    assert "X-Catalog-Ignored-Params" not in admin().get(f"{legacy_path_of(catalog)}?page=1&page_size=5")


def test_names_that_do_not_fit_a_header_are_encoded():  # LEG-9
    response = admin().get(f"{legacy_path_of(make_catalog())}?a%0D%0AX-Evil:%201=2&%C3%A9,%20b=1")
    assert response["X-Catalog-Ignored-Params"] == "a%0D%0AX-Evil%3A%201, %C3%A9%2C%20b"


def test_the_header_names_at_most_twenty_parameters():  # LEG-9
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
