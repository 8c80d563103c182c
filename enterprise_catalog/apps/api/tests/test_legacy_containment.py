"""Containment in the legacy API: all ids have to be in one catalog (LEG-12, LEG-13, CONT-6)."""

import pytest

from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, admin, client_for, learner, operator
from enterprise_catalog.testing.catalogs import LEGACY, legacy_path_of, make_catalog, path_of
from enterprise_catalog.testing.documents import course_document, program_document, run_document

pytestmark = pytest.mark.django_db

CUSTOMER = f"{LEGACY}enterprise-customer/{CUSTOMER_UUID}/contains_content_items/"
MISSING = ["You must provide at least one of the following query parameters: course_run_ids, program_uuids."]
PROGRAM = "9f1b3c5e-0000-4000-8000-000000000001"
HIDDEN = "course-v1:edX+A+hidden"


@pytest.fixture
def path():
    """Holds two courses, one of them without open runs, a run that is dropped from lists, and a program."""
    course = course_document("edX+A")
    runs = [*course["course_runs"], {"key": HIDDEN, "restriction_type": "custom-b2c"}]
    catalog = make_catalog(
        course | {"course_runs": runs},
        course_document("edX+B", course_runs=[]),
        run_document("course-v1:edX+C+1T", "edX+C", has_enrollable_seats=False),
        run_document("course-v1:edX+C+2T", "edX+C", restriction_type="custom-b2c"),
        program_document(PROGRAM),
    )
    return legacy_path_of(catalog, "contains_content_items/")


@pytest.mark.parametrize(
    ("query", "contained"),
    [
        ("course_run_ids=edX%2BA", True),
        ("course_run_ids=edX+A", True),
        ("course_run_ids=edX%20A", True),
        ("program_uuids=edX+A", True),
        ("course_run_ids=edX+A&course_run_ids=edX+B", True),
        (f"course_run_ids=edX+A&program_uuids={PROGRAM}", True),
        (f"course_run_ids={PROGRAM}", True),
        # CONT-1: by course of a member run, by run of a member course, whatever is listed.
        ("course_run_ids=edX+C", True),
        ("course_run_ids=course-v1:edX+C+1T", True),
        ("course_run_ids=course-v1:edX+A+1T", True),
        # One that is unknown or blank suffices.
        ("course_run_ids=edX+A&course_run_ids=nope", False),
        ("course_run_ids=nope&course_run_ids=edX+A", False),
        ("course_run_ids=edX+A&program_uuids=nope", False),
        ("course_run_ids=edX+A&program_uuids=", False),
        ("course_run_ids=edX+A&course_run_ids=", False),
        ("course_run_ids=", False),
        ("program_uuids=", False),
        (f"course_run_ids=edX+A&course_run_ids={'x' * 300}", False),
        ("course_run_ids=edX+A&course_run_ids=a%00b", False),
        ("course_run_ids=edX+A,edX+B", True),
        (f"course_run_ids=edX+A,edX+B&program_uuids=edX+C,{PROGRAM.upper()}", True),
        ("course_run_ids=edX+A,nope", False),
        ("course_run_ids=edX+A,", False),
        ("course_run_ids=edx+a", False),
        # V2-2, V2-3: hidden from the legacy API.
        (f"course_run_ids={HIDDEN}", False),
        ("course_run_ids=course-v1:edX+C+2T", False),
        # `match` is v1's (COM-15).
        ("course_run_ids=edX+A&course_run_ids=nope&match=any", False),
        ("course_run_ids=edX+A&match=some", True),
    ],
)
def test_every_id_must_match(path, query, contained):  # LEG-12, CONT-6, CONT-1, COM-12
    response = learner().get(f"{path}?{query}")
    assert (response.status_code, response.json()) == (200, {"contains_content_items": contained})


def test_v1_says_any_of_the_same_ids():  # CONT-4, CONT-6
    catalog = make_catalog("edX+A")
    ids = "?course_run_ids=edX+A&course_run_ids=nope"
    answers = [
        learner().get(f"{of(catalog, 'contains_content_items/')}{ids}").json() for of in (path_of, legacy_path_of)
    ]
    assert answers == [{"contains_content_items": True}, {"contains_content_items": False}]


@pytest.mark.parametrize("client", [learner(), learner(OTHER_CUSTOMER_UUID), client_for("nobody")])
@pytest.mark.parametrize("catalog", [None, "2b1d3c5e-0000-4000-8000-00000000dead", "not-a-uuid"])
def test_ids_are_asked_for_before_the_catalog_is_missing(path, client, catalog):  # LEG-12, ERR-3
    url = path if catalog is None else f"{LEGACY}enterprise_catalogs/{catalog}/contains_content_items/"
    response = client.get(url)
    assert (response.status_code, response.json()) == (400, MISSING)


def test_who_may_not_ask_finds_nothing(path):  # LEG-2, PERM-16
    response = learner(OTHER_CUSTOMER_UUID).get(f"{path}?course_run_ids=edX+A")
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_too_many_ids(path):  # COM-16, ERR-4
    query = "&".join(f"course_run_ids=edX%2B{number}" for number in range(1001))
    response = learner().get(f"{path}?{query}")
    text = "contains_content_items requests support up to 1000 course_run_ids."
    assert (response.status_code, response.json()) == (400, {"course_run_ids": [text]})


@pytest.mark.parametrize("which", ["catalog", "customer"])
def test_answers_are_never_cached(path, which):  # COM-19
    url = path if which == "catalog" else CUSTOMER
    assert admin().get(f"{url}?course_run_ids=edX+A")["Cache-Control"] == "private, no-store"


class TestCustomer:
    """All ids in one catalog of a customer (LEG-13)."""

    @pytest.fixture(autouse=True)
    def catalogs(self):
        return [
            make_catalog("edX+A", "edX+B"),
            make_catalog("edX+B", "edX+C"),
            make_catalog("edX+D", customer=OTHER_CUSTOMER_UUID),
        ]

    @pytest.mark.parametrize(
        ("keys", "contained"),
        [("A", True), ("AB", True), ("BC", True), ("AC", False), ("ABC", False), ("D", False), ("AD", False)],
    )
    def test_one_catalog_must_have_all(self, keys, contained):
        response = admin().get(CUSTOMER, {"course_run_ids": [f"edX+{key}" for key in keys]})
        assert (response.status_code, response.json()) == (200, {"contains_content_items": contained})

    def test_a_blank_id_is_in_no_catalog(self):
        response = admin().get(f"{CUSTOMER}?course_run_ids=edX+A&program_uuids=")
        assert response.json() == {"contains_content_items": False}

    def test_no_list_of_catalogs(self):
        response = admin().get(f"{CUSTOMER}?course_run_ids=edX+A&get_catalog_list=true")
        assert response.json() == {"contains_content_items": True}

    def test_a_customer_without_catalogs(self):
        path = CUSTOMER.replace(str(CUSTOMER_UUID), "2b1d3c5e-0000-4000-8000-00000000dead")
        response = operator().get(f"{path}?course_run_ids=edX+A")
        assert (response.status_code, response.json()) == (200, {"contains_content_items": False})

    @pytest.mark.parametrize("client", [client_for("nobody"), learner(), admin(OTHER_CUSTOMER_UUID)])
    def test_ids_are_asked_for_before_roles(self, client):
        response = client.get(CUSTOMER)
        assert (response.status_code, response.json()) == (400, MISSING)
        refusal = client.get(f"{CUSTOMER}?course_run_ids=edX+A")
        assert (refusal.status_code, refusal.json()) == (403, {"detail": "Missing: enterprise.can_view_catalog"})

    @pytest.mark.parametrize(("active", "status"), [(True, 200), (False, 404)])
    def test_an_inactive_customer(self, active, status):  # CUST-3
        EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, active=active)
        response = admin().get(f"{CUSTOMER}?course_run_ids=edX+A")
        assert response.status_code == status
        if not active:
            assert response.json() == {"detail": "Not found."}
            assert admin(OTHER_CUSTOMER_UUID).get(f"{CUSTOMER}?course_run_ids=edX+A").status_code == 403


@pytest.mark.parametrize("which", ["catalog", "customer"])
def test_get_only_and_without_suffix(path, which):  # LEG-1, COM-4
    url = path if which == "catalog" else CUSTOMER
    assert admin().post(url, {"course_run_ids": ["edX+A"]}).status_code == 405
    assert admin().get(f"{url[:-1]}.json?course_run_ids=edX+A").status_code == 404
