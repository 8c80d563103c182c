"""Users, customers and catalogs of the LMS, as its administrators make them."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.sites.models import Site
from enterprise.models import (
    EnterpriseCatalogQuery,
    EnterpriseCustomer,
    EnterpriseCustomerCatalog,
    SystemWideEnterpriseRole,
    SystemWideEnterpriseUserRoleAssignment,
)


def make_user(username: str, *, role: str | None = None, customer: EnterpriseCustomer | None = None) -> User:
    """Without a customer, the role is held for all of them."""
    user = User.objects.create(username=username, email=f"{username}@example.org")
    if role is not None:
        SystemWideEnterpriseUserRoleAssignment.objects.create(
            user=user,
            role=SystemWideEnterpriseRole.objects.get_or_create(name=role)[0],
            enterprise_customer=customer,
            applies_to_all_contexts=customer is None,
        )
    return user


def make_customer(facts: dict[str, Any]) -> EnterpriseCustomer:
    return EnterpriseCustomer.objects.create(
        uuid=facts["uuid"], name=facts["name"], slug=facts["slug"], site=Site.objects.get_current()
    )


def make_query(content_filter: dict[str, Any], *, title: str | None = None) -> EnterpriseCatalogQuery:
    return EnterpriseCatalogQuery.objects.create(content_filter=content_filter, title=title)


def make_catalog(
    customer: EnterpriseCustomer, query: EnterpriseCatalogQuery | None, **fields: Any
) -> EnterpriseCustomerCatalog:
    """Saved as the admin saves it: with the query's filter copied into the catalog."""
    if query is not None:
        fields["content_filter"] = query.content_filter
    return EnterpriseCustomerCatalog.objects.create(
        enterprise_customer=customer, enterprise_catalog_query=query, **fields
    )
