"""Roles of tokens and of the database, as plain values and as rows (ROLE-1 to ROLE-6)."""

import pytest
from django.contrib.auth import get_user_model

from enterprise_catalog.apps.access.models import EnterpriseCatalogFeatureRole, EnterpriseCatalogRoleAssignment
from enterprise_catalog.apps.access.roles import Contexts, Grants, Roles, assigned_roles, token_roles
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID


def grants(*entries: object) -> Grants:
    return Grants(roles=token_roles({"roles": list(entries)}))


def assign(user, role, customer=None):
    feature_role = EnterpriseCatalogFeatureRole.objects.get_or_create(name=role)[0]
    EnterpriseCatalogRoleAssignment.objects.create(user=user, role=feature_role, enterprise_id=customer)


@pytest.mark.parametrize(
    ("system_role", "is_admin", "is_learner", "is_provisioner"),
    [
        ("enterprise_catalog_admin", True, True, False),
        ("enterprise_openedx_operator", True, True, False),
        ("enterprise_admin", True, True, False),
        ("enterprise_learner", False, True, False),
        ("enterprise_provisioning_admin", False, False, True),
        ("enterprise_dashboard_admin", False, False, False),
    ],
)
def test_system_roles_become_feature_roles(system_role, is_admin, is_learner, is_provisioner):  # ROLE-1, ROLE-3
    caller = grants(f"{system_role}:{CUSTOMER_UUID}")
    assert caller.has_admin_access(CUSTOMER_UUID) is is_admin
    assert caller.has_learner_access(CUSTOMER_UUID) is is_learner
    assert caller.is_operator_or_provisioner is is_provisioner
    assert not caller.has_learner_access(OTHER_CUSTOMER_UUID)


def test_all_contexts_of_a_role_count():  # ROLE-4
    caller = grants(f"enterprise_admin:{CUSTOMER_UUID}", f"enterprise_catalog_admin:{OTHER_CUSTOMER_UUID}")
    assert caller.administered_customers() == {CUSTOMER_UUID, OTHER_CUSTOMER_UUID}


@pytest.mark.parametrize("context", [str(CUSTOMER_UUID).upper(), CUSTOMER_UUID.hex, CUSTOMER_UUID.hex.upper()])
def test_contexts_compare_as_uuids(context):  # ROLE-5
    assert grants(f"enterprise_learner:{context}").has_learner_access(CUSTOMER_UUID)


@pytest.mark.parametrize(
    "context",
    ["", "None", "all", "**", f"{{{CUSTOMER_UUID}}}", f"urn:uuid:{CUSTOMER_UUID}", f" {CUSTOMER_UUID}", "6ae013d4"],
)
def test_a_context_that_is_not_a_uuid_grants_nothing(context):  # ROLE-5
    assert grants(f"enterprise_admin:{context}").roles == Roles()


def test_a_role_without_context_grants_nothing_except_provisioning():  # ROLE-5
    assert grants("enterprise_admin", "enterprise_learner").roles == Roles()
    assert grants("enterprise_provisioning_admin").is_operator_or_provisioner


@pytest.mark.parametrize("roles", [None, "enterprise_openedx_operator:*", {"enterprise_admin": "*"}, [7, None, ["x"]]])
def test_a_claim_of_another_shape_grants_nothing(roles):
    assert token_roles({"roles": roles}) == Roles()


def test_an_operator_is_admin_everywhere():  # ROLE-6
    caller = grants("enterprise_openedx_operator:*")
    assert caller.is_operator
    assert caller.has_admin_access(CUSTOMER_UUID)
    assert caller.administered_customers() is None


def test_an_admin_of_one_customer_is_not_an_operator():  # ROLE-6
    assert not grants(f"enterprise_openedx_operator:{CUSTOMER_UUID}").is_operator


def test_a_superuser_passes_every_check():  # ROLE-6
    caller = Grants(is_superuser=True)
    assert caller.is_operator
    assert caller.is_operator_or_provisioner
    assert caller.has_learner_access(CUSTOMER_UUID)
    assert caller.administered_customers() is None


def test_djangos_permissions_are_no_role():  # PERM-17
    caller = Grants(permits=lambda permission: True)
    assert caller.may_view(CUSTOMER_UUID)
    assert caller.may_view_every_query
    assert not caller.has_learner_access(CUSTOMER_UUID)
    assert not caller.is_operator
    assert not caller.may_allow_restricted_runs


def test_no_customer_is_reached_only_by_roles_for_all():
    assert not grants(f"enterprise_admin:{CUSTOMER_UUID}").may_manage(None)
    assert grants("enterprise_openedx_operator:*").may_manage(None)
    assert grants("enterprise_provisioning_admin").may_manage(None)


def test_the_database_is_not_asked_when_the_token_suffices():
    def never() -> Roles:
        raise AssertionError("asked for more roles")

    caller = Grants(roles=token_roles({"roles": [f"enterprise_admin:{CUSTOMER_UUID}"]}), more_roles=never)
    assert caller.has_admin_access(CUSTOMER_UUID)


def test_roles_of_the_database_add_to_those_of_the_token():  # ROLE-2, ROLE-4
    more = Roles(admin=Contexts(customers=frozenset([OTHER_CUSTOMER_UUID])))
    caller = Grants(roles=token_roles({"roles": [f"enterprise_admin:{CUSTOMER_UUID}"]}), more_roles=lambda: more)
    assert caller.has_admin_access(OTHER_CUSTOMER_UUID)
    assert caller.administered_customers() == {CUSTOMER_UUID, OTHER_CUSTOMER_UUID}


@pytest.mark.django_db
class TestAssignments:
    @pytest.fixture
    def user(self):
        return get_user_model().objects.create(username="dora")

    def test_the_three_feature_roles_exist(self):  # ROLE-2
        names = EnterpriseCatalogFeatureRole.objects.values_list("name", flat=True)
        assert set(names) == {
            "enterprise_catalog_admin",
            "enterprise_learner",
            "enterprise_catalog_provisioning_admin",
        }

    def test_an_assignment_equals_the_same_role_of_a_token(self, user):  # ROLE-2
        assign(user, "enterprise_catalog_admin", CUSTOMER_UUID)
        assign(user, "enterprise_learner", OTHER_CUSTOMER_UUID)
        assert assigned_roles(user) == token_roles(
            {"roles": [f"enterprise_catalog_admin:{CUSTOMER_UUID}", f"enterprise_learner:{OTHER_CUSTOMER_UUID}"]}
        )

    def test_no_customer_means_every_customer(self, user):  # ROLE-2
        assign(user, "enterprise_catalog_admin")
        assert Grants(roles=assigned_roles(user)).is_operator

    def test_somebody_elses_assignment_grants_nothing(self, user):
        assign(get_user_model().objects.create(username="eve"), "enterprise_catalog_admin")
        assert assigned_roles(user) == Roles()

    def test_all_assignments_cost_one_query(self, user, django_assert_num_queries):
        for role in ("enterprise_catalog_admin", "enterprise_learner", "enterprise_catalog_provisioning_admin"):
            assign(user, role, CUSTOMER_UUID)
        with django_assert_num_queries(1):
            assigned_roles(user)
