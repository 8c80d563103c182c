"""Every kind of caller of CONTRACT section 2, with roles by token or by assignment."""

from collections.abc import Sequence
from functools import cache

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Permission
from rest_framework.test import APIClient

from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, token_for

TOKEN_ROLES = {
    "L": f"enterprise_learner:{CUSTOMER_UUID}",
    "X": f"enterprise_learner:{OTHER_CUSTOMER_UUID}",
    "M": f"enterprise_admin:{CUSTOMER_UUID}",
    "Y": f"enterprise_admin:{OTHER_CUSTOMER_UUID}",
    "O": "enterprise_openedx_operator:*",
    "P": "enterprise_provisioning_admin:*",
}
DATABASE_ROLES = {
    "L": ("enterprise_learner", CUSTOMER_UUID),
    "X": ("enterprise_learner", OTHER_CUSTOMER_UUID),
    "M": ("enterprise_catalog_admin", CUSTOMER_UUID),
    "Y": ("enterprise_catalog_admin", OTHER_CUSTOMER_UUID),
    "O": ("enterprise_catalog_admin", None),
    "P": ("enterprise_catalog_provisioning_admin", None),
}
SOURCES = ("token", "database")


def callers(letters: str, *, roles_from: str) -> dict[str, APIClient]:
    """Return a client for each letter. All users exist already, so later writes are those of a view."""
    return {letter: _caller(letter, roles_from=roles_from) for letter in letters}


def _caller(letter: str, *, roles_from: str) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    if letter == "A":
        return client
    username = f"caller-{letter}"
    user = get_user_model().objects.create(
        username=username, email=f"{username}@example.org", is_staff=letter in "SDU", is_superuser=letter == "U"
    )
    if letter == "D":
        permit(user, "view", "add", "change")
    if roles_from == "database" and letter in DATABASE_ROLES:
        assign(user, *DATABASE_ROLES[letter])
    role = TOKEN_ROLES.get(letter) if roles_from == "token" else None
    client.credentials(HTTP_AUTHORIZATION=f"JWT {_token(username, role)}")
    return client


def permit(user: AbstractUser, *actions: str, models: Sequence[str] = ("enterprisecatalog", "catalogquery")) -> None:
    """Give a member of staff these permissions on these models."""
    names = [f"{action}_{model}" for action in actions for model in models]
    permissions = Permission.objects.filter(content_type__app_label="catalog", codename__in=names)
    assert len(permissions) == len(names)
    user.user_permissions.add(*permissions)


@cache
def _token(username: str, role: str | None) -> str:
    """Return a token that is valid for a whole test run. Signing costs more than most requests, so it is cached."""
    return token_for(username, *([role] if role else []), exp=4102444800)
