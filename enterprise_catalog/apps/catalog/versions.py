"""
Which version of an answer the store holds, told without reading a document (COM-18).

Take a version from rows read before the answer's documents: then an answer is never older than its version, and whoever
holds it learns of a publish in between with the next question. A fact that changes an answer and moves no version makes
callers keep a stale one; one that moves it needlessly only costs a transfer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enterprise_catalog.apps.catalog.linking import LINKING_VERSION, linking_facts
from enterprise_catalog.apps.catalog.models import ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering import RENDERING_VERSION
from enterprise_catalog.apps.core.packing import digest
from enterprise_catalog.apps.customers.models import EnterpriseCustomer


@dataclass(frozen=True)
class Version:
    """`digest` is to be compared for equality only; `last_modified` does not move when something is removed."""

    digest: str
    last_modified: datetime


def version_of_catalog(
    *, catalog: EnterpriseCatalog, customer: EnterpriseCustomer | None, members: Sequence[str] | None = None
) -> Version:
    """
    Of what a catalog says about its content. `members` are those an answer is about, if it is not about all: which runs
    belong to an asked course depends on other queries, too (CONT-8).
    """
    query = catalog.catalog_query
    facts = [
        RENDERING_VERSION,
        [query.pk, query.generation, query.items_version],
        catalog.title,
        linking_facts(catalog=catalog, customer=customer),
        members,
    ]
    return Version(digest(facts), latest_modified(catalog=catalog, customer=customer))


def version_of_content(content: ContentMetadata) -> Version:
    """Of a content by itself, for no catalog."""
    facts = [RENDERING_VERSION, LINKING_VERSION, content.content_key, content.rendered_digest]
    return Version(digest(facts), content.modified)


def latest_modified(*, catalog: EnterpriseCatalog, customer: EnterpriseCustomer | None) -> datetime:
    """The latest META-11 over all members, else the catalog's own date."""
    query = catalog.catalog_query
    if not query.member_count:
        return catalog.modified
    moments = (query.content_modified, catalog.modified, customer.modified if customer else None)
    return max(moment for moment in moments if moment)
