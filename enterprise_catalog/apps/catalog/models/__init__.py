"""
The store: which searches there are, who is attached to them, which keys they hold and what those keys say.

Rows only: nothing here may call another service, start a refresh or know of requests. Content is narrow
(`ContentMetadata`) with its documents beside it (`ContentDocuments`), so that membership and containment are answered
from indexes that never touch a document.
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

# ExactCharField: migration 0001 names it here.
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
