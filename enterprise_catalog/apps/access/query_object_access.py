"""
Who may ask about catalog queries, which belong to no single customer (PERM-9 to PERM-12, PERM-21).

Only the door, which needs no query: what a caller then sees is `services.catalog_queries`.
"""

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.roles import Grants, grants_of


def require_admin_of_some(request: Request) -> Grants:
    """Admins of any customer, operators, and who may see all queries in the admin."""
    grants = grants_of(request)
    if not (grants.administers_somebody or grants.may_view_every_query):
        raise PermissionDenied
    return grants


def require_operator(request: Request, *, or_permission: str) -> None:
    """Operators, and staff with this permission of Django's, who may do the same in the admin (PERM-17)."""
    grants = grants_of(request)
    if not (grants.is_operator or grants.permits(or_permission)):
        raise PermissionDenied
