"""The legacy list of catalogs: filters, ordering, envelope, formats (LEG-3)."""

from xml.etree import ElementTree

import pytest

from enterprise_catalog.testing.callers import OTHER, E, admin, operator
from enterprise_catalog.testing.catalogs import LEGACY_CATALOGS, make_catalog

pytestmark = pytest.mark.django_db

COLUMNS = ["uuid", "title", "enterprise_customer", "enterprise_catalog_query", "created", "modified"]


@pytest.fixture
def catalogs():
    """Made in this order; the last two are another customer's, on one query."""
    first, second = make_catalog(title="b"), make_catalog(title="a")
    third = make_catalog(title="c", customer=OTHER)
    return [first, second, third, make_catalog(title="d", customer=OTHER, query=third.catalog_query)]


def titles(query="", client=None):
    answer = (client or operator()).get(f"{LEGACY_CATALOGS}{query}").json()
    assert answer["count"] == len(answer["results"])
    return "".join(catalog["title"] for catalog in answer["results"])


def test_what_a_catalog_says():  # LEG-3, COM-6, COM-13, COM-14
    catalog = make_catalog("edX+A")
    answer = operator().get(LEGACY_CATALOGS).json()
    assert list(answer) == ["next", "previous", "count", "num_pages", "current_page", "start", "results"]
    (found,) = answer["results"]
    assert list(found) == COLUMNS
    assert found["uuid"] == str(catalog.uuid)
    assert found["title"] == "All Content"
    assert found["enterprise_customer"] == str(E)
    assert found["enterprise_catalog_query"] == catalog.catalog_query_id
    assert found["created"] == catalog.created.isoformat().replace("+00:00", "Z")
    assert found["modified"] == catalog.modified.isoformat().replace("+00:00", "Z")


def test_own_catalogs_only(catalogs):  # PERM-14
    assert titles(client=admin()) == "ba"
    assert titles(client=admin(OTHER)) == "cd"
    assert titles(client=operator()) == "bacd"
    assert titles(f"?enterprise_customer={OTHER}", client=admin()) == ""


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


def test_a_filter_is_no_pattern(catalogs):  # LEG-3
    for title in ("bb", "B", "b ", "ḃ"):
        make_catalog(title=title)
    assert titles("?title=b") == "b"
    assert titles("?title=%E1%B8%83") == "ḃ"
    assert titles("?title=%25") == ""


def test_filters_apply_together(catalogs):  # LEG-3
    assert titles(f"?enterprise_customer={E}&title=a") == "a"
    assert titles(f"?enterprise_customer={OTHER}&title=a") == ""


@pytest.mark.parametrize("name", ["uuid", "title", "enterprise_customer", "enterprise_catalog_query"])
def test_an_empty_filter_is_none(catalogs, name):
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
    ],
)
def test_what_can_be_no_value_is_refused(query, error):  # LEG-3
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
    """Customer `1111...` comes before `6ae0...`; what is unknown is ignored."""
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
