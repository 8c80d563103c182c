"""
Create and change catalogs for the legacy API, which sends the id of a query instead of a filter (LEG-19, LEG-20).

The values are translated for `services.catalogs`, which has all rules.
"""

from typing import Any
from uuid import UUID

from django.db import transaction

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.customers.selectors import get_customer
from enterprise_catalog.apps.services.catalogs import CatalogValues, SavedCatalog, save_catalog
from enterprise_catalog.apps.services.errors import Gone, InvalidValues

# The newest default of edx-enterprise, for catalogs created without a query.
DEFAULT_CONTENT_FILTER: dict[str, Any] = {
    "content_type": "course",
    "partner": "edx",
    "level_type": ["Introductory", "Intermediate", "Advanced"],
    "availability": ["Current", "Starting Soon", "Upcoming"],
    "status": "published",
}
DEFAULT_COURSE_MODES = [
    "verified", "professional", "no-id-professional", "audit", "honor", "unpaid-executive-education",
]  # fmt: skip


@retry_lost_locks
@transaction.atomic
def create_customer_catalog(
    *, title: str, enterprise_uuid: UUID, query_id: int | None, uuid: UUID | None, grants: Grants
) -> SavedCatalog:
    """
    Create a catalog, or return the one that the customer has on that query already.

    None as `query_id` means the default filter, and as `uuid` a new one. Raises what `save_catalog` raises, and
    InvalidValues for an unknown query.
    """
    content_filter, query = _locked_query(query_id)
    named = EnterpriseCatalog.objects.filter(pk=uuid).first() if uuid else None
    if named is None and query is not None:
        existing = query.catalogs.filter(enterprise_uuid=enterprise_uuid).first()
        if existing is not None:
            return SavedCatalog(existing, created=False, refresh_run=None, filter_warnings=[])
    values = CatalogValues(
        title=title,
        enterprise_uuid=enterprise_uuid,
        # A repeated request must stay equal if the customer's name has arrived or changed in between (CRUD-5).
        enterprise_name=named.enterprise_name if named else _name_of(enterprise_uuid),
        enabled_course_modes=DEFAULT_COURSE_MODES,
        publish_audit_enrollment_urls=False,
        content_filter=content_filter,
        query_uuid=query.uuid if query else None,
    )
    if uuid:
        values["uuid"] = uuid
    return save_catalog(catalog=None, values=values, grants=grants)


@retry_lost_locks
@transaction.atomic
def change_customer_catalog(*, uuid: UUID, title: str | None, query_id: int | None, grants: Grants) -> SavedCatalog:
    """
    Change the title or query of a catalog; None keeps the stored one.

    Raises what `save_catalog` raises, and InvalidValues for an unknown query.
    """
    catalog = EnterpriseCatalog.objects.filter(pk=uuid).first()
    if catalog is None:
        raise Gone
    changes = CatalogValues(title=title) if title else CatalogValues()
    if query_id not in (None, catalog.catalog_query_id):
        changes["content_filter"], query = _locked_query(query_id)
        changes["query_uuid"] = query.uuid if query else None
    return save_catalog(catalog=catalog, values=changes, grants=grants)


def _name_of(enterprise_uuid: UUID) -> str:
    customer = get_customer(enterprise_uuid)
    return customer.name if customer else ""


def _locked_query(query_id: int | None) -> tuple[dict[str, Any], CatalogQuery | None]:
    """
    Return the requested filter, and its query if it exists.

    The query is locked, so that of two callers who create the same catalog at once the second finds the first one's.
    """
    queries = CatalogQuery.objects.select_for_update()
    if query_id is None:
        wanted = queries.filter(content_filter_hash=content_filter_hash(DEFAULT_CONTENT_FILTER))
        return DEFAULT_CONTENT_FILTER, wanted.first()
    query = queries.filter(pk=query_id).first()
    if query is None:
        raise InvalidValues({"enterprise_catalog_query": [f'Invalid pk "{query_id}" - object does not exist.']})
    return query.content_filter, query
