"""
Who may ask about catalog queries, which belong to no single customer (PERM-9 to PERM-12, PERM-21).

Only the door, which needs no query: what a caller then sees is `operations.queries`.
"""

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.roles import Grants, grants_of


def require_admin_of_some(request: Request) -> Grants:
    """Admins of any customer, operators, and staff without a role, who then see nothing."""
    grants = grants_of(request)
    if not (grants.administers_somebody or grants.is_staff):
        raise PermissionDenied
    return grants


def require_operator_or_staff(request: Request) -> Grants:
    grants = grants_of(request)
    if not (grants.is_staff or grants.is_operator):
        raise PermissionDenied
    return grants
