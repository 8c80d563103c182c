"""
Compute a caller's grants from the token's system roles and the database's feature roles (ROLE-1 to ROLE-6).

The rules are pure functions of customers' uuids. The database is asked for roles only if the token's do not suffice,
and once per request.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.signals import setting_changed
from edx_rbac.constants import ALL_ACCESS_CONTEXT
from rest_framework.request import Request

from enterprise_catalog.apps.access.models import (
    ADMIN_ROLE,
    LEARNER_ROLE,
    PROVISIONING_ROLE,
    EnterpriseCatalogRoleAssignment,
)
from enterprise_catalog.apps.core.callers import Caller, TokenCaller
from enterprise_catalog.apps.core.uuids import parse_uuid

# Django's permissions that also count in the API.
VIEW_CATALOGS = "catalog.view_enterprisecatalog"
ADD_CATALOGS = "catalog.add_enterprisecatalog"
CHANGE_CATALOGS = "catalog.change_enterprisecatalog"
VIEW_QUERIES = "catalog.view_catalogquery"
CHANGE_QUERIES = "catalog.change_catalogquery"


def _permits_nothing(_permission: str) -> bool:
    return False


@dataclass(frozen=True)
class Contexts:
    """The customers that a role is given for."""

    customers: frozenset[UUID] = frozenset()
    everywhere: bool = False

    def cover(self, customer: UUID | None) -> bool:
        """Return whether the role is valid for this customer; for None, only a role for every customer is."""
        return self.everywhere or customer in self.customers


@dataclass(frozen=True)
class Roles:
    """Feature roles with their contexts. Provisioning has no context (ROLE-3)."""

    admin: Contexts = Contexts()
    learner: Contexts = Contexts()
    provisioning: bool = False


@dataclass(frozen=True)
class Grants:
    """
    Everything a caller may do.

    `more_roles` is called only if `roles` do not suffice, and `permits` only if those do not either. It returns whether
    a member of staff has a permission of Django's, and so may do the same in the admin (PERM-17). Being staff allows
    nothing by itself. `is_of_admin_site` marks what is done in the admin, whose pages check permissions of their own.
    """

    roles: Roles = Roles()
    is_superuser: bool = False
    more_roles: Callable[[], Roles] = field(default=Roles, compare=False)
    permits: Callable[[str], bool] = field(default=_permits_nothing, compare=False)
    is_of_admin_site: bool = False

    @property
    def is_operator(self) -> bool:
        """Admin of every customer (ROLE-6), or superuser."""
        return self.is_superuser or self._some(lambda roles: roles.admin.everywhere)

    def has_admin_access(self, customer: UUID | None) -> bool:
        return self.is_superuser or self._some(lambda roles: roles.admin.cover(customer))

    def has_learner_access(self, customer: UUID | None) -> bool:
        return self.is_superuser or self._some(
            lambda roles: roles.admin.cover(customer) or roles.learner.cover(customer)
        )

    @property
    def is_operator_or_provisioner(self) -> bool:
        return self.may_manage(None)

    @property
    def may_allow_restricted_runs(self) -> bool:
        """Set in a content filter which restricted runs it allows (V2-1)."""
        return self.is_of_admin_site or self.is_operator_or_provisioner

    def may_manage(self, customer: UUID | None) -> bool:
        """Create and change catalogs of this customer, by a role."""
        return self.is_superuser or self._some(lambda roles: roles.provisioning or roles.admin.cover(customer))

    def may_view(self, customer: UUID | None) -> bool:
        """See the catalogs of this customer, without their content (PERM-1, PERM-3)."""
        return self.may_manage(customer) or self.permits(VIEW_CATALOGS)

    def may_add(self, customer: UUID | None) -> bool:
        """Create catalogs of this customer (PERM-2)."""
        return self.may_manage(customer) or self.permits(ADD_CATALOGS)

    def may_change(self, customer: UUID | None) -> bool:
        """Change catalogs of this customer (PERM-3)."""
        return self.may_manage(customer) or self.permits(CHANGE_CATALOGS)

    @property
    def may_view_every_query(self) -> bool:
        return self.is_operator or self.permits(VIEW_QUERIES)

    @property
    def may_change_every_query(self) -> bool:
        """Change queries whatever customers use them (QRY-7)."""
        return self.is_operator_or_provisioner or self.permits(CHANGE_QUERIES)

    def administers_any(self, customers: Collection[UUID]) -> bool:
        """Have admin access to one of these customers. The database is asked for roles at most once."""
        return self.is_superuser or self._some(lambda roles: any(roles.admin.cover(customer) for customer in customers))

    @property
    def administers_any_customer(self) -> bool:
        """Admin of some customer, or of all."""
        return self.is_superuser or self._some(lambda roles: roles.admin.everywhere or bool(roles.admin.customers))

    def administered_customers(self) -> frozenset[UUID] | None:
        """Return the customers to which the caller has admin access; None means all."""
        if self.is_superuser or self.roles.admin.everywhere:
            return None
        more = self.more_roles()
        return None if more.admin.everywhere else self.roles.admin.customers | more.admin.customers

    def _some(self, allow: Callable[[Roles], bool]) -> bool:
        return allow(self.roles) or allow(self.more_roles())


def grants_of(request: Request) -> Grants:
    """Return the grants of an authenticated request, computed once."""
    http_request: Any = request._request
    if not hasattr(http_request, "grants"):
        caller = cast(Caller, request.user)
        http_request.grants = Grants(
            roles=token_roles(cast(dict[str, Any], request.auth or {})),
            is_superuser=caller.is_superuser,
            more_roles=cache(lambda: assigned_roles(caller)),
            permits=caller.has_perm if caller.is_staff else _permits_nothing,
        )
    return cast(Grants, http_request.grants)


def token_roles(claims: dict[str, Any]) -> Roles:
    """
    Return the feature roles of the token's `roles`, each `<system role>:<context>`. Invalid entries grant nothing
    (ROLE-1, ROLE-5).
    """
    entries = claims.get("roles")
    texts = (entry for entry in entries if isinstance(entry, str)) if isinstance(entries, list) else ()
    return _feature_roles(tuple(texts))


# A service sends the same entries with each request.
@lru_cache(maxsize=settings.TOKEN_ROLES_KEPT)
def _feature_roles(entries: tuple[str, ...]) -> Roles:
    grants = []
    for entry in entries:
        system_role, _, context = entry.partition(":")
        feature_roles = settings.SYSTEM_TO_FEATURE_ROLE_MAPPING.get(system_role, [])
        grants += [(feature_role, context) for feature_role in feature_roles]
    return _merged(grants)


# The cached roles depend on a setting, which only tests change.
setting_changed.connect(lambda **_: _feature_roles.cache_clear(), weak=False)


def assigned_roles(caller: Caller) -> Roles:
    """Return a user's feature roles from the database (ROLE-2). A caller without a row has none (AUTH-5)."""
    if isinstance(caller, TokenCaller):
        return Roles()
    return _merged(EnterpriseCatalogRoleAssignment.get_assignments(caller))


def _merged(grants: Iterable[tuple[str, str]]) -> Roles:
    """Merge pairs of feature role and context; all contexts of a role count (ROLE-4)."""
    contexts: dict[str, list[str]] = {}
    for feature_role, context in grants:
        contexts.setdefault(feature_role, []).append(context)
    return Roles(
        admin=_contexts(contexts.get(ADMIN_ROLE, [])),
        learner=_contexts(contexts.get(LEARNER_ROLE, [])),
        provisioning=PROVISIONING_ROLE in contexts,
    )


def _contexts(texts: list[str]) -> Contexts:
    customers = (parse_uuid(text) for text in texts)
    return Contexts(customers=frozenset(c for c in customers if c is not None), everywhere=ALL_ACCESS_CONTEXT in texts)
