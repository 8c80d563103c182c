"""Catalogs created and changed by the id of a query, in the legacy API (LEG-19, LEG-20)."""

from uuid import UUID

import pytest
from django.contrib.auth.models import Permission

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.consistency import violations
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, client_for, operator
from enterprise_catalog.testing.catalogs import LEGACY, make_catalog
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db

PATH = f"{LEGACY}enterprise_customer_catalog/"
UUID_OF_OURS = "2b1d3c5e-0000-4000-8000-00000000cafe"
DEFAULT_HASH = "13f6ce14cd7879ef535e777c61e06f08"
MODES = ["verified", "professional", "no-id-professional", "audit", "honor", "unpaid-executive-education"]


@pytest.fixture
def query():
    return make_query({"content_type": "course"})


def post(status=201, client=None, **body):
    response = (client or operator()).post(PATH, {"title": "New", "enterprise_customer": str(CUSTOMER_UUID)} | body)
    assert response.status_code == status, response.content
    return response


def patch(status=200, **body):
    response = operator().patch(PATH, body)
    assert response.status_code == status, response.content
    return response


def test_a_new_catalog_on_a_query(query):  # LEG-19, CRUD-10
    EnterpriseCustomer.objects.create(uuid=CUSTOMER_UUID, name="Acme")
    response = post(enterprise_catalog_query=query.pk, uuid=UUID_OF_OURS.upper(), enabled_course_modes=["x"])
    assert list(response.json().items()) == [
        ("uuid", UUID_OF_OURS),
        ("title", "New"),
        ("enterprise_customer", str(CUSTOMER_UUID)),
        ("enterprise_catalog_query", query.pk),
    ]
    catalog = EnterpriseCatalog.objects.get(pk=UUID_OF_OURS)
    assert (catalog.enterprise_name, catalog.publish_audit_enrollment_urls) == ("Acme", False)
    assert catalog.enabled_course_modes == MODES
    run = RefreshRun.objects.get()
    assert (response["X-Refresh-Run"], run.catalog_query_id, run.trigger) == (str(run.uuid), query.pk, "create")
    assert list(violations(deep=True)) == []


def test_a_customer_nobody_has_heard_of(query):  # LEG-19, CUST-2
    uuid = post(enterprise_catalog_query=query.pk).json()["uuid"]
    assert EnterpriseCatalog.objects.get(pk=uuid).enterprise_name == ""
    assert EnterpriseCustomer.objects.get().uuid == CUSTOMER_UUID


def test_a_customer_has_one_catalog_on_a_query(query):  # LEG-19
    first = post(enterprise_catalog_query=query.pk).json()
    again = post(200, enterprise_catalog_query=query.pk, title="Other")
    assert again.json() == first
    assert "X-Refresh-Run" not in again
    assert post(200, enterprise_catalog_query=query.pk, uuid=UUID_OF_OURS).json() == first
    assert post(enterprise_catalog_query=query.pk, enterprise_customer=str(OTHER_CUSTOMER_UUID)).json() != first
    assert EnterpriseCatalog.objects.count() == 2


@pytest.mark.parametrize("body", [{}, {"enterprise_catalog_query": None}])
def test_the_default_filter(body):  # LEG-19, HASH-1
    first = post(**body).json()
    query = CatalogQuery.objects.get()
    assert (query.content_filter_hash, first["enterprise_catalog_query"]) == (DEFAULT_HASH, query.pk)
    assert post(200, **body).json() == first
    assert post(enterprise_customer=str(OTHER_CUSTOMER_UUID)).json()["enterprise_catalog_query"] == query.pk


def test_an_existing_uuid(query):  # LEG-19, CRUD-5, COM-21
    """A repeated request changes nothing, also if the customer's name has changed since."""
    body = {"enterprise_catalog_query": query.pk, "uuid": UUID_OF_OURS}
    first = post(**body).json()
    EnterpriseCustomer.objects.update(name="Acme, at last")
    assert post(200, **body).json() == first
    conflict = {"uuid": ["An enterprise catalog with this uuid already exists with different values."]}
    other = make_query({"content_type": "program"})
    for change in (
        {"title": "x"},
        {"enterprise_customer": str(OTHER_CUSTOMER_UUID)},
        {"enterprise_catalog_query": other.pk},
    ):
        assert post(409, **(body | change)).json() == conflict
    assert EnterpriseCatalog.objects.get().title == "New"


def test_v1_shows_what_legacy_made(query):  # LEG-19
    uuid = post(enterprise_catalog_query=query.pk).json()["uuid"]
    answer = operator().get(f"/api/v1/enterprise-catalogs/{uuid}/").json()
    assert (answer["title"], answer["catalog_query_uuid"]) == ("New", str(query.uuid))


@pytest.mark.parametrize("number", [9, "9", 2**31, -1, 10**30])
def test_an_unknown_query(number):  # LEG-19, COM-21
    error = {"enterprise_catalog_query": [f'Invalid pk "{number}" - object does not exist.']}
    assert post(400, enterprise_catalog_query=number).json() == error
    catalog = make_catalog()
    assert patch(400, uuid=str(catalog.pk), title="x", enterprise_catalog_query=number).json() == error
    assert [catalog.title for catalog in EnterpriseCatalog.objects.all()] == ["All Content"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, {"title": ["This field is required."], "enterprise_customer": ["This field is required."]}),
        ({"title": "", "enterprise_customer": str(CUSTOMER_UUID)}, {"title": ["This field may not be blank."]}),
        (
            {"title": "x" * 256, "enterprise_customer": str(CUSTOMER_UUID)},
            {"title": ["Ensure this field has no more than 255 characters."]},
        ),
        ({"title": "x", "enterprise_customer": "acme"}, {"enterprise_customer": ["Must be a valid UUID."]}),
        ({"title": "x", "enterprise_customer": str(CUSTOMER_UUID), "uuid": "y"}, {"uuid": ["Must be a valid UUID."]}),
        (
            {"title": "x", "enterprise_customer": str(CUSTOMER_UUID), "enterprise_catalog_query": "y"},
            {"enterprise_catalog_query": ["A valid integer is required."]},
        ),
    ],
)
def test_bad_bodies(body, error):  # LEG-19, ERR-2
    response = operator().post(PATH, body)
    assert (response.status_code, response.json()) == (400, error)


@pytest.mark.parametrize("method", ["post", "patch"])
@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"null", b"{"])
def test_bodies_that_are_no_object(method, body):  # ERR-1, ERR-2
    response = getattr(operator(), method)(PATH, body, content_type="application/json")
    assert response.status_code == 400


def test_staff_with_the_permission_to_add_catalogs(query):  # PERM-17
    """Any query may be used, since attaching a catalog to it changes nothing for others."""
    make_catalog(query=query, customer=OTHER_CUSTOMER_UUID)
    sam = User.objects.create(username="sam", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(codename="add_enterprisecatalog"))
    created = post(client=client_for("sam"), enterprise_catalog_query=query.pk).json()
    assert created["enterprise_catalog_query"] == query.pk
    assert CatalogQuery.objects.count() == 1


class TestChange:
    """Changing title or query of a catalog (LEG-20)."""

    def test_another_title(self):
        catalog = make_catalog(title="Old", publish_audit_enrollment_urls=True)
        response = patch(uuid=str(catalog.pk), title="New", enterprise_customer=str(OTHER_CUSTOMER_UUID))
        assert list(response.json().items()) == [
            ("uuid", str(catalog.pk)),
            ("title", "New"),
            ("enterprise_customer", str(CUSTOMER_UUID)),
            ("enterprise_catalog_query", catalog.catalog_query_id),
        ]
        stored = EnterpriseCatalog.objects.get()
        assert (stored.title, stored.enterprise_name, stored.publish_audit_enrollment_urls) == (
            "New",
            "Acme, Inc.",
            True,
        )
        assert stored.modified > catalog.modified

    def test_another_query(self, query):  # CRUD-10, REFR-2
        """The one it had stays as it is, for whoever else uses it."""
        catalog = make_catalog("edX+A")
        filters = dict(CatalogQuery.objects.values_list("pk", "content_filter"))
        response = patch(uuid=catalog.pk.hex.upper(), enterprise_catalog_query=query.pk)
        assert response.json()["enterprise_catalog_query"] == query.pk
        assert RefreshRun.objects.get(uuid=UUID(response["X-Refresh-Run"])).catalog_query_id == query.pk
        assert dict(CatalogQuery.objects.values_list("pk", "content_filter")) == filters
        assert EnterpriseCatalog.objects.get().title == "All Content"

    def test_nothing_new_changes_nothing(self):
        catalog = make_catalog("edX+A", title="Old")
        response = patch(uuid=str(catalog.pk), title="Old", enterprise_catalog_query=catalog.catalog_query_id)
        assert "X-Refresh-Run" not in response
        assert EnterpriseCatalog.objects.get().modified == catalog.modified

    @pytest.mark.parametrize("uuid", ["2b1d3c5e-0000-4000-8000-00000000dead", "X", 7])
    def test_an_unknown_catalog(self, uuid):
        assert patch(404, uuid=uuid, title="x").json() == {"detail": f"Could not find catalog uuid {uuid}"}

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"title": "x"}, {"uuid": ["This field is required."]}),
            ({"uuid": UUID_OF_OURS, "title": ""}, {"title": ["This field may not be blank."]}),
            (
                {"uuid": UUID_OF_OURS, "enterprise_catalog_query": None},
                {"enterprise_catalog_query": ["This field may not be null."]},
            ),
        ],
    )
    def test_bad_bodies(self, body, error):
        assert patch(400, **body).json() == error


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_other_methods(method):  # LEG-1
    assert getattr(operator(), method)(PATH).status_code == 405
