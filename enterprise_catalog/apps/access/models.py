"""Store feature roles of users; each equals the same role in a token (ROLE-2)."""

from django.conf import settings
from django.db import models
from edx_rbac.constants import ALL_ACCESS_CONTEXT
from edx_rbac.models import UserRole, UserRoleAssignment

from enterprise_catalog.apps.core.fields import HexUUIDField

ADMIN_ROLE = "enterprise_catalog_admin"
LEARNER_ROLE = "enterprise_learner"
PROVISIONING_ROLE = "enterprise_catalog_provisioning_admin"


class EnterpriseCatalogFeatureRole(UserRole):
    """One of the three feature roles, which a migration creates."""

    class Meta:
        verbose_name = "feature role"


class EnterpriseCatalogRoleAssignment(UserRoleAssignment):
    """A role of a user, for one enterprise customer or for all."""

    role_class = EnterpriseCatalogFeatureRole
    # The library's flag would be a second way to express an empty customer.
    applies_to_all_contexts = None

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.ForeignKey(EnterpriseCatalogFeatureRole, on_delete=models.CASCADE)
    enterprise_id = HexUUIDField(
        null=True,
        blank=True,
        verbose_name="enterprise customer",
        help_text="Uuid of the enterprise customer. Empty means every customer.",
    )

    class Meta:
        verbose_name = "role assignment"

    def get_context(self) -> str:
        return ALL_ACCESS_CONTEXT if self.enterprise_id is None else str(self.enterprise_id)
