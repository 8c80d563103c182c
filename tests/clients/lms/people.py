"""Create users, customers and catalogs in the LMS, as its administrators do."""

from typing import Any
from uuid import uuid4

import requests
from django.contrib.auth.models import User
from django.contrib.sites.models import Site
from django.utils.text import slugify
from enterprise.models import (
    EnterpriseCatalogQuery,
    EnterpriseCustomer,
    EnterpriseCustomerCatalog,
    SystemWideEnterpriseRole,
    SystemWideEnterpriseUserRoleAssignment,
)

from tests.clients.lms.platform import SANDBOX_URL


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


def make_customer(name: str) -> EnterpriseCustomer:
    """A new one, which the LMS tells of when the service asks (the sandbox does that)."""
    customer = EnterpriseCustomer.objects.create(
        name=name, slug=slugify(f"{name}-{uuid4()}")[:30], site=Site.objects.get_current()
    )
    facts = {"uuid": str(customer.uuid), "name": customer.name, "slug": customer.slug}
    requests.post(f"{SANDBOX_URL}/sandbox/customers", json=facts, timeout=10).raise_for_status()
    return customer


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
