"""
The tables of the store: queries, the catalogs that are attached to them, their members, and the content of these.

Models only: nothing here calls another service, starts a refresh or knows of requests. `ContentMetadata` is narrow and
has its documents in another table, `ContentDocuments`. So membership and containment never touch a document.
"""

from enterprise_catalog.apps.catalog.models.catalogs import EnterpriseCatalog
from enterprise_catalog.apps.catalog.models.changes import CatalogAttachment, CatalogContentChange
from enterprise_catalog.apps.catalog.models.content import (
    ContentDocuments,
    ContentMetadata,
    CourseReview,
    FullRecordRequest,
    NestedRun,
)
from enterprise_catalog.apps.catalog.models.membership import AllowedRun, CatalogContentKey, ContentOverride, Visibility
from enterprise_catalog.apps.catalog.models.queries import CatalogQuery
from enterprise_catalog.apps.core.fields import ExactCharField

# ExactCharField is here for migration 0001.
__all__ = [
    "AllowedRun",
    "CatalogAttachment",
    "CatalogContentChange",
    "CatalogContentKey",
    "CatalogQuery",
    "ContentDocuments",
    "ContentMetadata",
    "ContentOverride",
    "CourseReview",
    "EnterpriseCatalog",
    "ExactCharField",
    "FullRecordRequest",
    "NestedRun",
    "Visibility",
]
