"""Each method of the released client handles errors: a bad token, no permission, an unknown object."""

from uuid import uuid4

import pytest
from edx_rest_api_client.auth import SuppliedJwtAuth
from enterprise.api_client.enterprise_catalog import EnterpriseCatalogApiClient
from enterprise.constants import ENTERPRISE_ADMIN_ROLE, ENTERPRISE_LEARNER_ROLE
from enterprise.models import EnterpriseCustomerCatalog
from requests.exceptions import HTTPError

from tests.clients.lms.conftest import row
from tests.clients.lms.people import make_catalog, make_customer, make_query, make_user

pytestmark = pytest.mark.django_db

COURSE = "edX+DemoX"


@pytest.fixture
def catalog(customer, content_filter):
    return make_catalog(customer, make_query(content_filter(0, 1)))


def update(client, catalog, **fields):
    values = {
        "title": "New",
        "enterprise_customer": str(catalog.enterprise_customer.uuid),
        "enterprise_customer_name": catalog.enterprise_customer.name,
        "content_filter": catalog.content_filter,
        "enabled_course_modes": [],
        "publish_audit_enrollment_urls": False,
    }
    return client.update_enterprise_catalog(catalog.uuid, **(values | fields))


def create(client, catalog):
    customer = catalog.enterprise_customer
    return client.create_enterprise_catalog(
        str(uuid4()), str(customer.uuid), customer.name, "New", catalog.content_filter, [], False, None
    )


# Every method that is about a catalog or its customer; those of the first group swallow the refusal.
SWALLOWED = {
    "get": (lambda client, catalog: client.get_enterprise_catalog(catalog.uuid), {}),
    "create": (create, {}),
    "update": (update, {}),
    "delete": (lambda client, catalog: client.delete_enterprise_catalog(catalog.uuid), {}),
    "refresh": (lambda client, catalog: client.refresh_catalogs([catalog])[0], {}),
    "diff": (lambda client, catalog: client.get_catalog_diff(catalog, [COURSE], False), ([], [], [])),
    "item": (
        lambda client, catalog: client.get_customer_content_metadata_content_identifier(
            catalog.enterprise_customer.uuid, COURSE
        ),
        {},
    ),
}
RAISED = {
    "walk": lambda client, catalog: client.get_content_metadata(catalog.enterprise_customer, [catalog]),
    "keys": lambda client, catalog: client.get_content_metadata(catalog.enterprise_customer, [catalog], [COURSE]),
    "count": lambda client, catalog: client.get_catalog_content_count(catalog.uuid),
    "contains": lambda client, catalog: client.contains_content_items(catalog.uuid, [COURSE]),
    "customer contains": lambda client, catalog: client.enterprise_contains_content_items(
        catalog.enterprise_customer.uuid, [COURSE]
    ),
    "diff": lambda client, catalog: client.get_catalog_diff(catalog, [COURSE]),
}
LEARNERS_MAY = {"diff", "item", "walk", "keys", "count", "contains", "customer contains"}
ABOUT_THE_CUSTOMER = {"create", "item", "customer contains"}


def check_all(client, catalog, *, status, complaints, but=frozenset()):
    for name, (ask, empty) in SWALLOWED.items():
        if name not in but:
            assert ask(client, catalog) == empty, name
    for name, ask in RAISED.items():
        if name not in but:
            with pytest.raises(HTTPError) as refused:
                ask(client, catalog)
            assert refused.value.response.status_code == status, name
            assert "detail" in refused.value.response.json(), name
    assert complaints.take()


def test_a_bad_token(client, catalog, complaints):  # AUTH-3
    client.client.auth = SuppliedJwtAuth("eyJhbGciOiJub25lIn0.e30.")
    check_all(client, catalog, status=401, complaints=complaints)
    with pytest.raises(HTTPError, match="401"):
        client.get_catalog_query_hash({})
    assert client.get_catalog_query_hash({}, should_raise_exception=False) == {}
    assert client.get_enterprise_catalog_by_hash("0" * 32, should_raise_exception=False) == {}
    assert client.get_content_metadata_content_identifier(COURSE) == {}
    assert all("401 Client Error" in complaint for complaint in complaints.take() if "Error" in complaint)


def test_a_user_without_a_role(catalog, complaints):  # PERM-2 to PERM-7
    check_all(EnterpriseCatalogApiClient(make_user("nobody")), catalog, status=403, complaints=complaints)


@pytest.mark.parametrize("role", [ENTERPRISE_LEARNER_ROLE, ENTERPRISE_ADMIN_ROLE])
def test_a_user_of_another_customer(catalog, complaints, role):  # P8
    stranger = make_user("stranger", role=role, customer=make_customer("Bright University"))
    check_all(EnterpriseCatalogApiClient(stranger), catalog, status=403, complaints=complaints)


def test_a_learner_reads_only(catalog, complaints):  # PERM-3 to PERM-7
    user = make_user("learner", role=ENTERPRISE_LEARNER_ROLE, customer=catalog.enterprise_customer)
    client = EnterpriseCatalogApiClient(user)
    check_all(client, catalog, status=403, complaints=complaints, but=LEARNERS_MAY)
    assert client.contains_content_items(catalog.uuid, [COURSE]) is False
    assert client.get_content_metadata(catalog.enterprise_customer, [catalog], [COURSE]) == []


def test_an_admin_of_the_customer_may_all_of_it(catalog):
    """As the admin's own action of the LMS calls, in the name of who is logged in (PERM-2 to PERM-7)."""
    user = make_user("admin", role=ENTERPRISE_ADMIN_ROLE, customer=catalog.enterprise_customer)
    client = EnterpriseCatalogApiClient(user)
    assert client.get_enterprise_catalog(catalog.uuid)["uuid"] == str(catalog.uuid)
    assert update(client, catalog)["title"] == "New"
    assert client.refresh_catalogs([catalog])[1] == []
    assert client.delete_enterprise_catalog(catalog.uuid) is True


def test_a_catalog_that_is_not_there(client, customer, complaints):
    """The sync reads the empty answer as "not yet there" (CLI-1)."""
    gone = EnterpriseCustomerCatalog(uuid=uuid4(), enterprise_customer=customer, content_filter={})
    check_all(client, gone, status=404, complaints=complaints, but=ABOUT_THE_CUSTOMER)


def test_values_that_are_refused(client, catalog, complaints):
    """Swallowed, and nothing is changed (ERR-2)."""
    before = row(client.get_enterprise_catalog(catalog.uuid))
    for fields in ({"title": ""}, {"content_filter": "nonsense"}, {"enterprise_customer": "nobody"}):
        assert update(client, catalog, **fields) == {}
        (refused,) = complaints.take()
        assert "400 Client Error" in refused
    assert row(client.get_enterprise_catalog(catalog.uuid)) == before


def test_an_old_token_is_replaced(client, catalog):
    session = client.client
    client.expires_at = 0
    assert client.get_enterprise_catalog(catalog.uuid)
    assert client.client is not session
