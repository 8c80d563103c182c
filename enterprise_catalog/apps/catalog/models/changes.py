"""What joined and left a query, and when a catalog was attached to it."""

from django.db import models

from enterprise_catalog.apps.catalog.models.catalogs import EnterpriseCatalog
from enterprise_catalog.apps.catalog.models.content import ContentMetadata
from enterprise_catalog.apps.catalog.models.queries import CatalogQuery
from enterprise_catalog.apps.core.fields import ContentKeyField, HexUUIDField


class CatalogContentChange(models.Model):
    """
    A key joined or left a query, or one catalog that was attached elsewhere. Append-only; pruned by age.

    Keys, types and runs are copied: a change outlives the content and the run it speaks of.
    """

    class Change(models.TextChoices):
        ADDED = "added"
        REMOVED = "removed"

    # No constraint: the change of a query that was pruned or replaced is still part of its catalogs' past.
    catalog_query = models.ForeignKey(
        CatalogQuery, on_delete=models.DO_NOTHING, db_constraint=False, related_name="content_changes"
    )
    # Null: every catalog of the query. Set: this catalog only, which came from, or was created on, a published query
    # (CHG-2).
    enterprise_catalog = models.ForeignKey(
        EnterpriseCatalog, null=True, on_delete=models.CASCADE, related_name="content_changes"
    )
    content_key = ContentKeyField()
    content_type = models.CharField(max_length=16, choices=ContentMetadata.ContentType.choices)
    change = models.CharField(max_length=8, choices=Change.choices)
    refresh_run_uuid = HexUUIDField(null=True)
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            # A catalog's own changes stand between those of its query, which are found past any number of them.
            models.Index(fields=["catalog_query", "enterprise_catalog", "id"], name="changes_of_query"),
            # Since when something is, or is no more, in one of many catalogs (ADD-5).
            models.Index(fields=["content_key", "catalog_query", "enterprise_catalog"], name="changes_of_content"),
        ]


class CatalogAttachment(models.Model):
    """
    Which changes of a query are those of a catalog: the ones written while it was attached (CHG-2).

    Written together with the attachment, while the query is locked, so that ids tell before from after. The query may
    be gone since.
    """

    enterprise_catalog = models.ForeignKey(EnterpriseCatalog, on_delete=models.CASCADE, related_name="attachments")
    catalog_query = models.ForeignKey(
        CatalogQuery, on_delete=models.DO_NOTHING, db_constraint=False, related_name="attachments"
    )
    # Ids of changes, which may be pruned. No end: it is attached now.
    begins_after = models.PositiveBigIntegerField()
    ends_with = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["id"]
