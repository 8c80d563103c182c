"""Serve the admin pages of users, role assignments and the local copies of customers."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Q

from enterprise_catalog.apps.access.models import EnterpriseCatalogFeatureRole, EnterpriseCatalogRoleAssignment
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.console.admin.changelists import (
    FreshnessFilter,
    ReadOnlyAdmin,
    SearchAdmin,
    has_uuid,
    parse_pasted_uuid,
)
from enterprise_catalog.apps.console.display.html import link, list_url
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

admin.site.register(User, UserAdmin)


@admin.register(EnterpriseCatalogRoleAssignment)
class RoleAssignmentAdmin(SearchAdmin):
    list_display = ["user", "role", "enterprise_id", "modified"]
    list_filter = ["role"]
    list_select_related = ["user", "role"]
    search_fields = ["user__username", "user__email"]
    search_help_text = "User name, email address, or uuid of an enterprise customer in any form"
    autocomplete_fields = ["user"]
    fields = ["user", "role", "enterprise_id"]

    def search_condition(self, term: str) -> Any:
        return has_uuid("enterprise_id", term) if parse_pasted_uuid(term) else None


@admin.register(EnterpriseCatalogFeatureRole)
class FeatureRoleAdmin(ReadOnlyAdmin):
    list_display = ["name", "description"]


class CopyFilter(FreshnessFilter):
    title = "copy"
    column = "fetched_at"


@admin.register(EnterpriseCustomer)
class EnterpriseCustomerAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "uuid", "active", "enable_learner_portal", "modified", "fetched_at"]
    list_display_links = ["name", "uuid"]
    list_filter = ["active", "enable_learner_portal", CopyFilter]
    search_fields = ["name"]
    search_help_text = "Name, slug, or uuid in any form"
    fields = [
        *("uuid", "name", "slug", "active", "enable_learner_portal"),
        *("modified", "fetched_at", "attempted_at", "catalogs"),
    ]

    def search_condition(self, term: str) -> Any:
        return Q(name__icontains=term) | Q(slug__icontains=term) | has_uuid("uuid", term)

    @admin.display(description="catalogs")
    def catalogs(self, obj: EnterpriseCustomer) -> Any:
        count = EnterpriseCatalog.objects.filter(enterprise_uuid=obj.uuid).count()
        return link(list_url(EnterpriseCatalog, enterprise_uuid__exact=obj.uuid), f"{count} catalogs")
